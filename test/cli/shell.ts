import type { Command } from '../../src/cli/command.ts';

/** What a command did, as its user sees it. */
export interface Seen {
  code: number;
  /** Standard output. */
  out: string;
  /** Standard error: progress, questions, errors. */
  notes: string;
  /** The one JSON value on standard output. */
  // Each test knows the shape of what it asked for.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  json: any;
  /** Questions asked; `(hidden)` before those whose answer does not appear. */
  asked: string[];
}

/**
 * Runs a command with these variables and nothing else of the environment. With `answers` somebody sits there and gives
 * them in turn; a question more than that fails the test.
 */
export async function run(
  command: Command,
  args: string[],
  variables: Record<string, string> = {},
  answers?: string[],
): Promise<Seen> {
  const seen: Seen = { code: -1, out: '', notes: '', json: undefined, asked: [] };
  const left = [...(answers ?? [])];
  const ask = async (question: string): Promise<string> => {
    seen.asked.push(question);
    const answer = left.shift();
    if (answer === undefined) throw new Error(`nobody expected to be asked: ${question}`);
    return answer;
  };
  seen.code = await command(args, {
    variables,
    interactive: answers !== undefined,
    write: (text) => {
      seen.out += text;
    },
    note: (line) => {
      seen.notes += `${line}\n`;
    },
    ask,
    askSecret: (question) => ask(`(hidden) ${question}`),
  });
  if (args.includes('--json')) seen.json = JSON.parse(seen.out);
  return seen;
}
