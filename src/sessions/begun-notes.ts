import { type Fields, type HistoryPlace, keyOf } from './kept-entry.ts';

/*
 * A step notes in its session's history that it has begun, and takes the note away with the entry it adds, or when it
 * has come to nothing: a note that stays is of a step that is under way, or of an answer that is not there.
 */

/** As long as answers are kept at most; from the last step on. */
const DAYS = 30;
/** Before another try to write. */
const WRITE_AGAIN_MS = [200, 2_000];

export const BEGUN = 'begun:';

/** A step that a history has a note of. */
export interface BegunNote {
  id: string;
  /** When it began, in milliseconds since the epoch; 0: not told. */
  at: number;
  /** Which of the history's names it stands under. */
  under: number;
}

/** @param found the history under each of its names */
export function begunIn(found: readonly Fields[]): BegunNote[] {
  return found.flatMap((fields, under) =>
    [...fields].flatMap(([name, at]) =>
      name.startsWith(BEGUN) ? [{ id: name.slice(BEGUN.length), at: Number(at) || 0, under }] : [],
    ),
  );
}

/** A step that came to nothing: its client was not answered. */
export async function dropBegun(place: HistoryPlace, id: string): Promise<void> {
  await again(() => forgetBegun(place, 0, [id]));
}

/** Takes notes away. @param under which of the history's names */
export async function forgetBegun(
  { store, names }: HistoryPlace,
  under: number,
  ids: readonly string[],
): Promise<void> {
  const name = names[under];
  if (name !== undefined && ids.length > 0)
    await store.redis.hdel(keyOf(name), ...ids.map((id) => BEGUN + id));
}

/** A write, and again where it fails. */
export async function again<T>(write: () => Promise<T>): Promise<T> {
  for (const pause of WRITE_AGAIN_MS) {
    try {
      return await write();
    } catch {
      await sleep(pause);
    }
  }
  return write();
}

/** Seconds that a history lasts. @param days of the customer's own retention */
export function secondsOf(days = DAYS): number {
  return Math.min(DAYS, days) * 86_400;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
