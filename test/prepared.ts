import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openAsBlob, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { type BuiltWorker, buildWorker } from '../src/local/built-worker.ts';
import type { SqlBackend } from '../src/local/postgres/backend.ts';
import { openPglite } from '../src/local/postgres/pglite.ts';
import { startSqlServer } from '../src/local/postgres/server.ts';
import { type LocalOptions, type LocalStack, startLocal } from '../src/local/stack.ts';
import { migrate } from '../src/log/migrate.ts';
import makeRunFolder, { RUN_FOLDER } from './run-folder.ts';

const ROOT = join(import.meta.dirname, '..');

/**
 * What takes seconds to make is made once a run, by the file that needs it first. Others wait for it.
 * Outside a test run, for as long as the process lives.
 */
export async function prepared(name: string, make: (path: string) => Promise<void>): Promise<string> {
  if (process.env[RUN_FOLDER] === undefined) process.once('exit', makeRunFolder());
  const path = join(process.env[RUN_FOLDER] ?? '', name);
  const done = `${path}.done`;
  const lock = `${path}.lock`;
  while (!existsSync(done)) {
    try {
      mkdirSync(lock);
    } catch {
      await sleep(50);
      continue;
    }
    try {
      if (!existsSync(done)) {
        await make(path);
        writeFileSync(done, '');
      }
    } finally {
      rmdirSync(lock);
    }
  }
  return path;
}

/** A database in memory with our schema and nothing in it. */
export async function openPrepared(): Promise<SqlBackend> {
  return openPglite(undefined, await openAsBlob(await migratedDatabase()));
}

/** {@link startLocal}, sooner: its database is a copy, and the Worker of `entry` is built already. */
export async function startPrepared({
  entry = join(ROOT, 'src/worker.ts'),
  ...options
}: LocalOptions & { entry?: string }): Promise<LocalStack> {
  const folder = options.variables?.FLUX_DATA_DIR;
  if (folder !== undefined) await seedDatabase(folder);
  return startLocal({ ...options, worker: await preparedWorker(entry) });
}

/** Puts such a database into a data folder of `npm start` that has none. */
export async function seedDatabase(folder: string): Promise<void> {
  const place = join(folder, 'postgres');
  if (existsSync(place)) return;
  mkdirSync(place, { recursive: true });
  execFileSync('tar', ['-xf', await migratedDatabase(), '-C', place], { stdio: 'pipe' });
}

/** The Worker of a source file, as `npm start` builds it. */
export async function preparedWorker(entry: string): Promise<BuiltWorker> {
  const name = `worker-${createHash('sha256').update(entry).digest('hex').slice(0, 8)}.json`;
  const path = await prepared(name, async (file) => {
    const built = await buildWorker({ entry, config: join(ROOT, 'wrangler.toml') });
    writeFileSync(file, JSON.stringify(built));
  });
  // Written above: config and script are plain JSON, as they are between the processes of `npm start`.
  return JSON.parse(readFileSync(path, 'utf8')) as BuiltWorker;
}

/** A tar of it. */
function migratedDatabase(): Promise<string> {
  return prepared('database.tar', async (file) => {
    const folder = `${file}.folder`;
    const backend = await openPglite(folder);
    const server = await startSqlServer(backend, 'secret');
    await migrate(server.url);
    await server.close();
    await backend.close();
    const database = await PGlite.create(folder);
    const dump = await database.dumpDataDir('none');
    writeFileSync(file, new Uint8Array(await dump.arrayBuffer()));
    await database.close();
  });
}
