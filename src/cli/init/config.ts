import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import * as z from 'zod';
import { CommandError, wrongUsage } from '../command-error.ts';
import { type ConfigChange, editConfig } from '../config-edit.ts';
import { DEFAULT_CONFIG } from '../deployment.ts';
import { type Shell, setting } from '../shell.ts';
import { type Wrangler, wranglerProblem } from '../wrangler.ts';

const ROOT = join(import.meta.dirname, '../../..');

const identity = z.object({ accounts: z.array(z.object({ id: z.string(), name: z.string() })) });

/**
 * The Cloudflare account to deploy to, where more than one could be meant.
 * @returns undefined where there is but one, or the environment or wrangler.toml names it
 * @throws CommandError where nobody is logged in
 */
export async function chooseAccount(
  wrangler: Wrangler,
  given: { flag: string | undefined; config: string | null },
  shell: Shell,
): Promise<string | undefined> {
  const run = await wrangler(['whoami', '--json']);
  if (!run.ok) {
    throw new CommandError(
      'wrangler is not logged in to Cloudflare. Run `npx wrangler login` (or set CLOUDFLARE_API_TOKEN and ' +
        'CLOUDFLARE_ACCOUNT_ID), then this again. The account needs the Workers Paid plan.',
    );
  }
  if (given.flag !== undefined) return given.flag;
  if (given.config !== null || setting(shell, 'CLOUDFLARE_ACCOUNT_ID') !== undefined) return undefined;
  const { accounts } = readIdentity(run.stdout);
  if (accounts.length < 2) return undefined;
  const list = accounts.map(({ id, name }, index) => `  ${index + 1}  ${name} (${id})`).join('\n');
  if (!shell.interactive) {
    throw wrongUsage(`you have several Cloudflare accounts; say which with --account ID:\n${list}`);
  }
  shell.note(`Your Cloudflare accounts:\n${list}`);
  const chosen = accounts[Number(await shell.ask('Which one? ')) - 1];
  if (!chosen) throw wrongUsage('that is none of them');
  return chosen.id;
}

function readIdentity(stdout: string): z.infer<typeof identity> {
  try {
    return identity.parse(JSON.parse(stdout.slice(stdout.indexOf('{'))));
  } catch {
    throw new CommandError(
      `\`wrangler whoami --json\` answered in a form this version does not know: ${stdout.trim()}`,
    );
  }
}

/**
 * Writes the change into wrangler.toml; a file that is not there begins as a copy of this package's own.
 * @returns whether anything changed
 */
export async function writeConfig(
  path: string,
  environment: string | null,
  change: ConfigChange,
): Promise<boolean> {
  const there = await readFile(path, 'utf8').catch(() => null);
  const copy = there === null ? pathsFrom(dirname(resolve(path))) : {};
  const before = there ?? (await readFile(DEFAULT_CONFIG, 'utf8'));
  const after = editConfig(before, environment, { ...copy, ...change });
  if (after === there) return false;
  try {
    await writeFile(path, after);
  } catch (error) {
    throw new CommandError(
      `${path} can't be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return true;
}

/** What wrangler.toml names of this package, in a folder elsewhere. */
function pathsFrom(folder: string): Pick<ConfigChange, 'main' | 'assets' | 'build'> {
  const path = (name: string) => relative(folder, join(ROOT, name));
  // wrangler takes this one from wherever it is started, the others from its file.
  return { main: path('src/worker.ts'), assets: path('assets'), build: ROOT };
}

/** Names the first line of a wrangler problem, and that everything so far may stay. */
export function wranglerFailed(command: string, run: Parameters<typeof wranglerProblem>[0]): CommandError {
  return new CommandError(
    `\`wrangler ${command}\` failed: ${wranglerProblem(run)}. Mend that and run \`flux init\` again: what is done is left as it is.`,
  );
}
