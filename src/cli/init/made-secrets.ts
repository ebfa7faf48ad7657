import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CommandError } from '../command-error.ts';
import { dataFolder } from '../gateway-client.ts';
import { type Shell, setting } from '../shell.ts';

interface MadeSecret {
  /** Of the file's name. */
  ending: string;
  make(): string;
  /** What the Worker is given of it. */
  upload(value: string): string;
}

/** Secrets of the gateway's own, which nobody has before it is there. */
const MADE: Record<string, MadeSecret> = {
  FLUX_API_KEYS: {
    ending: 'key',
    make: () => `flx_${randomBytes(24).toString('base64url')}`,
    upload: (key) => `${key}:default:infer+read+admin`,
  },
  FLUX_SECRET: {
    ending: 'secret',
    make: () => randomBytes(32).toString('base64'),
    upload: (secret) => secret,
  },
};

/**
 * Makes a secret and keeps it in the data folder, readable for its user only; it is never printed. One kept from an
 * earlier run is taken again.
 * @returns undefined for a secret that somebody else has to make
 */
export async function makeSecret(
  name: string,
  worker: string,
  shell: Shell,
): Promise<{ value: string; file: string } | undefined> {
  const secret = MADE[name];
  if (!secret) return undefined;
  const file = fileOf(secret, worker, shell);
  const kept = await readKept(name, file);
  if (kept !== undefined) return { value: secret.upload(kept), file };
  const made = secret.make();
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, `${made}\n`, { mode: 0o600 });
  } catch (error) {
    throw unusable(name, file, error);
  }
  return { value: secret.upload(made), file };
}

/** A key of a Worker: one that was made for it here, else FLUX_KEY. */
export async function keyOf(worker: string, shell: Shell): Promise<string | undefined> {
  const made = MADE.FLUX_API_KEYS;
  const kept = made && (await readKept('FLUX_API_KEYS', fileOf(made, worker, shell)));
  return kept ?? setting(shell, 'FLUX_KEY');
}

function fileOf({ ending }: MadeSecret, worker: string, shell: Shell): string {
  return join(dataFolder(shell), `${worker}.${ending}`);
}

/** @throws CommandError where there is something that can't be read: a new secret must not take the place of one in use */
async function readKept(name: string, file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim() || undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw unusable(name, file, error);
  }
}

function unusable(name: string, file: string, error: unknown): CommandError {
  const cause = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return new CommandError(
    `${name} can't be kept in ${file} (${cause}): make that a file you can read and write, or set ${name} in the environment.`,
  );
}
