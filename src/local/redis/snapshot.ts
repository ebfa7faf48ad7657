import { readFile, rename, writeFile } from 'node:fs/promises';
import * as z from 'zod';
import { messageOf, StartError } from '../start-error.ts';
import { type Entry, Keyspace } from './keyspace.ts';

/** How often a changed keyspace is written, in milliseconds. A kill loses at most this much. */
const INTERVAL = 1000;
/** A snapshot that takes long is taken less often: writing never fills more than a twentieth of the time. */
const REST = 20;

const pairs = <T extends z.ZodType>(second: T) => z.array(z.tuple([z.string(), second]));
const storedValue = z.discriminatedUnion('type', [
  z.object({ type: z.literal('string'), bytes: z.string() }),
  z.object({ type: z.literal('list'), items: z.array(z.string()) }),
  z.object({ type: z.literal('hash'), fields: pairs(z.string()).transform((list) => new Map(list)) }),
  z.object({ type: z.literal('set'), members: z.array(z.string()).transform((list) => new Set(list)) }),
  z.object({
    type: z.literal('zset'),
    // JSON has no infinity: scores are kept as text.
    scores: pairs(z.string().transform(Number)).transform((list) => new Map(list)),
  }),
]);
const stored = z.object({
  version: z.literal(1),
  entries: pairs(z.object({ value: storedValue, expiresAt: z.number().nullable() })),
});

export interface KeptKeyspace {
  db: Keyspace;
  /** Writes what is not written yet and ends the regular writing. */
  close(): Promise<void>;
}

/**
 * A keyspace that is kept in `file`: read at the start, written when it has changed and at {@link KeptKeyspace.close}.
 * Written beside and renamed, so that the file is always whole.
 *
 * @throws StartError if the file is there but no snapshot.
 */
export async function keepKeyspace(file: string, now: () => number = Date.now): Promise<KeptKeyspace> {
  const db = new Keyspace(now, await readSnapshot(file));
  let written = db.changes;
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const write = async (): Promise<void> => {
    const changes = db.changes;
    if (changes === written) return;
    await writeFile(`${file}.new`, serialise(db), { mode: 0o600 });
    await rename(`${file}.new`, file);
    written = changes;
  };
  const schedule = (delay: number): void => {
    timer = setTimeout(() => {
      const start = performance.now();
      writing = write()
        .catch((error) => console.error(`redis: the snapshot could not be written: ${messageOf(error)}`))
        .finally(() => schedule(Math.max(INTERVAL, REST * (performance.now() - start))));
    }, delay).unref();
  };
  schedule(INTERVAL);

  return {
    db,
    close: async () => {
      clearTimeout(timer);
      await writing;
      clearTimeout(timer);
      await write();
    },
  };
}

async function readSnapshot(file: string): Promise<[string, Entry][]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw new StartError(`${file} cannot be read (${messageOf(error)}). Check its permissions.`);
  }
  try {
    return stored.parse(JSON.parse(text)).entries;
  } catch {
    throw new StartError(
      `${file} is no Redis snapshot. Put a copy back, or delete the file to start with an empty Redis.`,
    );
  }
}

function serialise(db: Keyspace): string {
  const entries = [...db.live()];
  return JSON.stringify({ version: 1, entries }, (key, value) => {
    if (value instanceof Map)
      return key === 'scores' ? [...value].map(([name, score]) => [name, String(score)]) : [...value];
    return value instanceof Set ? [...value] : value;
  });
}
