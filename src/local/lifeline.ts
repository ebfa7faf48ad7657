import { messageOf, StartError } from './start-error.ts';

/** A call of the parent, over Node's IPC channel. */
export interface Call {
  id: number;
  name: string;
  payload: unknown;
}

/** Its answer. `expected` errors say what the user can do; the others are ours. */
export type Answer =
  | { id: number; value: unknown }
  | { id: number; error: { message: string; expected: boolean } };

/** How long a child without a parent may take to put its things away, in milliseconds. */
const ORPHAN_LIMIT = 5000;

/**
 * The child's end: answers the parent's calls by name. A child outlives neither its parent nor a Ctrl-C it was not
 * told of: the terminal's signal is the parent's to answer, and a parent that is gone runs `orphaned`, then ends.
 */
export function answerParent(
  // Each handler knows the payload its caller sends: both ends are in this folder.
  handlers: Record<string, (payload: never) => Promise<unknown>>,
  orphaned: () => Promise<void>,
): void {
  process.on('SIGINT', () => {});
  process.on('disconnect', () => {
    setTimeout(() => process.exit(1), ORPHAN_LIMIT).unref();
    orphaned().finally(() => process.exit(1));
  });
  process.on('message', async ({ id, name, payload }: Call) => {
    let answer: Answer;
    try {
      answer = { id, value: await handlers[name]?.(payload as never) };
    } catch (error) {
      const expected = error instanceof StartError;
      if (!expected) console.error(error);
      answer = { id, error: { message: messageOf(error), expected } };
    }
    if (process.connected) process.send?.(answer);
  });
}
