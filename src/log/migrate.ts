import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase } from '../stores/database.ts';

/** A migration may rewrite a table: minutes, not the seconds of a query. */
const LIMIT_MS = 300_000;
const LOCK = `SELECT pg_advisory_xact_lock(hashtext('flux_migrations'))`;

interface Migration {
  name: string;
  hash: string;
  statements: string[];
}

/**
 * Brings the schema up to date: applies drizzle/*.sql in the order of their names, each in a transaction of its
 * own, and remembers each with its hash in `flux_migrations`. Safe to run again, and by several at once.
 * Migrations the database has and this folder lacks are left alone: a newer version was here, and this one is
 * rolled back to.
 *
 * @param directory for tests
 * @returns names of the files applied now
 * @throws Error that names the file: it failed, or is not what was applied under its name
 */
export async function migrate(
  databaseUrl: string,
  directory = join(import.meta.dirname, '../../drizzle'),
): Promise<{ applied: string[] }> {
  const migrations = await readMigrations(directory);
  const { $client: client } = openDatabase(databaseUrl, LIMIT_MS);
  const readApplied = async () => {
    const rows = await client.query('SELECT name, hash FROM flux_migrations');
    return new Map(rows.map((row) => [String(row.name), String(row.hash)]));
  };

  await client.transaction([
    client.query(LOCK),
    client.query(
      'CREATE TABLE IF NOT EXISTS flux_migrations' +
        ' (name text PRIMARY KEY, hash text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
    ),
  ]);
  let before = await readApplied();
  const applied: string[] = [];
  for (const { name, hash, statements } of migrations) {
    if (!before.has(name)) {
      try {
        await client.transaction([
          client.query(LOCK),
          // Its primary key ends the transaction where another process was faster.
          client.query('INSERT INTO flux_migrations (name, hash) VALUES ($1, $2)', [name, hash]),
          ...statements.map((statement) => client.query(statement)),
        ]);
        applied.push(name);
        continue;
      } catch (error) {
        before = await readApplied();
        if (!before.has(name)) {
          throw new Error(`Migration ${name} failed and left nothing behind.`, { cause: error });
        }
      }
    }
    if (before.get(name) !== hash) {
      throw new Error(
        `Migration ${name} was changed after it was applied. Restore the file, and put the change in a new one.`,
      );
    }
  }
  return { applied };
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      // A checkout on Windows may have other line ends.
      const text = (await readFile(join(directory, name), 'utf8')).replaceAll('\r\n', '\n');
      const statements = text.split('--> statement-breakpoint').filter((part) => part.trim() !== '');
      return { name, hash: createHash('sha256').update(text).digest('hex'), statements };
    }),
  );
}
