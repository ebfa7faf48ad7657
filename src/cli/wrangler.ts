import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { CommandError } from './command-error.ts';
import type { Shell } from './shell.ts';

/** What a `wrangler` command said. */
export interface WranglerRun {
  ok: boolean;
  stdout: string;
  stderr: string;
}

export interface WranglerOptions {
  /** Goes to its standard input: secrets go here and never into arguments, which others on the machine can read. */
  input?: string;
  /** Named beside the command where it is shown: what goes in by standard input. */
  about?: string;
  /** Its output is shown as it comes; at a terminal it may ask back. */
  live?: boolean;
  variables?: Record<string, string>;
}

/** Runs `wrangler` with these arguments. */
export type Wrangler = (args: readonly string[], options?: WranglerOptions) => Promise<WranglerRun>;

const BIN = join(import.meta.dirname, '../../node_modules/.bin');
/** Milliseconds for a command that only asks: it must not outlive what it was asked for. */
const LIMIT = 120_000;

/**
 * `wrangler` as a child process, for one configuration and environment. Each command is shown before it runs, as it
 * can be typed.
 */
export function openWrangler(shell: Shell, config: string, environment: string | null): Wrangler {
  // An empty name is the top level, whatever CLOUDFLARE_ENV says.
  const where = ['--config', config, ...(environment === null ? ['--env='] : ['--env', environment])];
  return (args, options = {}) => {
    const about = options.about === undefined ? '' : `   # ${options.about}`;
    shell.note(`$ wrangler ${[...args, ...where].map(quoted).join(' ')}${about}`);
    return run([...args, ...where], options, shell);
  };
}

function run(args: string[], options: WranglerOptions, shell: Shell): Promise<WranglerRun> {
  const talks = options.live === true && shell.interactive;
  // Whichever stands on PATH (npm puts ours first), else the one this package brings.
  const PATH = [shell.variables.PATH, BIN].filter(Boolean).join(delimiter);
  const child = spawn('wrangler', args, {
    env: { ...shell.variables, ...options.variables, PATH, NO_COLOR: '1', WRANGLER_SEND_METRICS: 'false' },
    // Standard output is for our own result: at a terminal wrangler speaks on standard error.
    ...(options.live ? {} : { timeout: LIMIT }),
    stdio: talks ? ['inherit', 2, 'inherit'] : ['pipe', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    const stream = child[name];
    if (!stream) continue;
    stream.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
    if (options.live)
      createInterface({ input: stream }).on('line', (line) =>
        shell.note(`  ${stripVTControlCharacters(line)}`),
      );
  }
  child.stdin?.on('error', () => {}); // It may end before it has read all.
  child.stdin?.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', () => {
      reject(new CommandError('wrangler could not be started: run `npm ci`, then this again.'));
    });
    child.once('close', (code, signal) => {
      if (signal)
        said.stderr += `\n[ERROR] wrangler ended on ${signal}: no answer within ${LIMIT / 1_000} s?`;
      // Its errors are coloured whatever NO_COLOR says.
      const [stdout, stderr] = [said.stdout, said.stderr].map(stripVTControlCharacters);
      resolve({ ok: code === 0, stdout: stdout ?? '', stderr: stderr ?? '' });
    });
  });
}

/** The words of a failed run, in one line: `✘ [ERROR] …` without the ornament. */
export function wranglerProblem({ stdout, stderr }: WranglerRun): string {
  const lines = `${stderr}\n${stdout}`.split('\n').map((line) => line.trim());
  const error = lines.find((line) => line.includes('[ERROR]')) ?? lines.find((line) => line !== '');
  return error?.replace(/^.*\[ERROR\]\s*/, '') ?? 'it said nothing (see above)';
}

/** A queue of the account, with how many Workers send to it and take from it. */
export interface ListedQueue {
  name: string;
  producers: number;
  consumers: number;
}

/** The account's queues, from the table that `wrangler queues list` prints page by page; or why there is none. */
export async function listQueues(
  wrangler: Wrangler,
): Promise<{ queues: ListedQueue[] } | { problem: string }> {
  const queues: ListedQueue[] = [];
  for (let page = 1; ; page++) {
    const listed = await wrangler(['queues', 'list', ...(page === 1 ? [] : ['--page', String(page)])]);
    if (!listed.ok) return { problem: wranglerProblem(listed) };
    const found = readTable(listed.stdout).filter(({ name }) => !queues.some((known) => known.name === name));
    queues.push(...found);
    if (found.length < SMALLEST_PAGE) return { queues };
  }
}

/** Cloudflare's lists have pages of at least 20: a shorter one is the last, and most accounts need no second call. */
const SMALLEST_PAGE = 20;

function readTable(text: string): ListedQueue[] {
  const rows = text
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) => line.split('│').map((cell) => cell.trim()));
  const [headings, ...rest] = rows;
  const column = (name: string) => headings?.indexOf(name) ?? -1;
  return rest.map((cells) => ({
    name: cells[column('name')] ?? '',
    producers: Number(cells[column('producers')]),
    consumers: Number(cells[column('consumers')]),
  }));
}

/** Names of the Worker's secrets (none where there is no such Worker yet); or why they can't be listed. */
export async function listSecrets(
  wrangler: Wrangler,
): Promise<{ names: string[]; exists: boolean } | { problem: string }> {
  const listed = await wrangler(['secret', 'list']);
  if (!listed.ok) {
    const problem = wranglerProblem(listed);
    return /not found/.test(problem) ? { names: [], exists: false } : { problem };
  }
  try {
    const secrets: unknown = JSON.parse(listed.stdout.slice(listed.stdout.indexOf('[')));
    const names = (Array.isArray(secrets) ? secrets : []).map((secret: { name?: unknown }) =>
      String(secret.name),
    );
    return { names, exists: true };
  } catch {
    return { problem: 'its output was no JSON' };
  }
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;
}
