import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
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
  const kept = await readKept(file);
  if (kept !== undefined) return { value: secret.upload(kept), file };
  const made = secret.make();
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${made}\n`, { mode: 0o600 });
  return { value: secret.upload(made), file };
}

/** A key of a Worker: one that was made for it here, else FLUX_KEY. */
export async function keyOf(worker: string, shell: Shell): Promise<string | undefined> {
  const made = MADE.FLUX_API_KEYS;
  return (made && (await readKept(fileOf(made, worker, shell)))) ?? setting(shell, 'FLUX_KEY');
}

function fileOf({ ending }: MadeSecret, worker: string, shell: Shell): string {
  return join(dataFolder(shell), `${worker}.${ending}`);
}

async function readKept(file: string): Promise<string | undefined> {
  return (await readFile(file, 'utf8').catch(() => '')).trim() || undefined;
}
