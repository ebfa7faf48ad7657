import { constants } from 'node:fs';
import { access, link, mkdir, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { messageOf, StartError } from './start-error.ts';

/** Where the local stack keeps everything. One stack at a time uses it. */
export interface DataFolder {
  path: string;
  /** A secret that is made once and then read, mode 600. `made` tells which. */
  secret(name: string, make: () => string): Promise<{ value: string; made: boolean }>;
  release(): Promise<void>;
}

/** Folders this process holds: after a crash in a container the dead holder may have had our own pid. */
const held = new Set<string>();

/**
 * Makes the folder if need be, and takes its lock.
 * @throws StartError: it is no folder, can't be written, or another stack uses it
 */
export async function openDataFolder(folder: string): Promise<DataFolder> {
  const path = resolve(folder);
  await makeFolder(path);
  await takeLock(path);
  held.add(path);
  return {
    path,
    secret: (name, make) => secretIn(join(path, name), make),
    release: async () => {
      held.delete(path);
      await rm(join(path, 'lock'), { force: true });
    },
  };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await makeFolders(path);
    if (!(await stat(path)).isDirectory()) throw Object.assign(new Error(), { code: 'EEXIST' });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new StartError(`FLUX_DATA_DIR is ${path}, and that is a file (or lies in one): give a folder.`);
    }
    throw new StartError(
      `The data folder ${path} can't be used (${messageOf(error)}). ` +
        'Make it writable for you, or set FLUX_DATA_DIR to a folder that is.',
    );
  }
}

/** Node's own `recursive` never ends where a file system takes no folders, as `/proc`. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    const parent = dirname(path);
    if (codeOf(error) !== 'ENOENT' || (await isThere(parent))) throw error;
    await makeFolders(parent);
    await mkdir(path, { mode: 0o700 });
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A lock of a process that is no more is taken over. */
async function takeLock(path: string): Promise<void> {
  const lock = join(path, 'lock');
  const own = `${lock}.${process.pid}`;
  for (;;) {
    try {
      // Linked into place with its content: nobody meets a lock that names no holder yet.
      await writeFile(own, String(process.pid), { mode: 0o600 });
      await link(own, lock);
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') {
        throw new StartError(
          `The data folder ${path} can't be written (${messageOf(error)}). Set FLUX_DATA_DIR.`,
        );
      }
    } finally {
      await rm(own, { force: true });
    }
    const holder = Number(await readFile(lock, 'utf8').catch(() => ''));
    if (isAlive(holder) && (holder !== process.pid || held.has(path))) {
      throw new StartError(
        `Another FluxCompute (process ${holder}) uses ${path}. Stop it, or set FLUX_DATA_DIR and PORT for a second one. ` +
          `If process ${holder} is something else, delete ${lock}.`,
      );
    }
    // Another start may have been faster; then the next round meets its lock.
    await unlink(lock).catch((error) => {
      if (codeOf(error) === 'ENOENT') return;
      throw new StartError(`${lock} is in the way (${messageOf(error)}). Delete it by hand.`);
    });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Alive, but somebody else's.
    return codeOf(error) === 'EPERM';
  }
}

async function secretIn(file: string, make: () => string): Promise<{ value: string; made: boolean }> {
  try {
    const value = (await readFile(file, 'utf8')).trim();
    if (value !== '') return { value, made: false };
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      throw new StartError(
        `${file} can't be read (${messageOf(error)}). Make it readable, or delete it for a new one.`,
      );
    }
  }
  const value = make();
  await writeFile(file, `${value}\n`, { mode: 0o600 });
  return { value, made: true };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
