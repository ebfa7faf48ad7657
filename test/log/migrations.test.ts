import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getTableConfig, type PgTable } from 'drizzle-orm/pg-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openPglite } from '../../src/local/postgres/pglite.ts';
import { insertSteps } from '../../src/log/insertion.ts';
import { migrate } from '../../src/log/migrate.ts';
import { ensurePartitions } from '../../src/log/partitions.ts';
import { openDatabase } from '../../src/stores/database.ts';
import {
  apiKeys,
  audit,
  customerExperience,
  customerLimits,
  customerSettings,
  customers,
  endedLanes,
  queries,
  sessions,
} from '../../src/stores/schema.ts';
import { step } from './records.ts';
import { type FaultyPostgres, onEachPostgres, startPostgres } from './stores.ts';

const root = join(import.meta.dirname, '../..');
let postgres: FaultyPostgres;
let copy: string;

async function copyOfMigrations(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'flux-drizzle-'));
  await cp(join(root, 'drizzle'), copy, { recursive: true });
  return copy;
}

test('drizzle-kit finds nothing left to generate', async () => {
  const copy = await copyOfMigrations();
  const before = await readdir(copy);
  const kit = join(root, 'node_modules/.bin/drizzle-kit');
  const schema = join(root, 'src/stores/schema.ts');
  // --out is read relative to the working directory, even where it looks absolute.
  const { stdout } = await promisify(execFile)(
    kit,
    ['generate', '--dialect', 'postgresql', '--schema', schema, '--out', '.'],
    { cwd: copy, timeout: 60_000 },
  );
  expect(stdout).toContain('No schema changes');
  expect(await readdir(copy)).toEqual(before);
  await rm(copy, { recursive: true });
}, 60_000);

onEachPostgres((open) => {
  beforeAll(async () => {
    copy = await copyOfMigrations();
    postgres = await startPostgres(open);
  }, 60_000);

  afterAll(async () => {
    await postgres.close();
    await rm(copy, { recursive: true });
  });

  afterEach(() => postgres.read('TRUNCATE queries'));

  test('two at once apply every migration once, and again nothing', async () => {
    const files = (await readdir(join(root, 'drizzle'))).filter((name) => name.endsWith('.sql')).sort();
    const both = await Promise.all([migrate(postgres.url), migrate(postgres.url)]);
    expect(both.flatMap((result) => result.applied).sort()).toEqual(files);
    expect(await migrate(postgres.url)).toEqual({ applied: [] });
  });

  test.each<[string, PgTable]>([
    ['customers', customers],
    ['queries', queries],
    ['api_keys', apiKeys],
    ['customer_settings', customerSettings],
    ['customer_limits', customerLimits],
    ['audit', audit],
    ['sessions', sessions],
    ['ended_lanes', endedLanes],
    ['customer_experience', customerExperience],
  ])('the migrations make %s as the schema has it', async (name, table) => {
    const inDatabase = await postgres.read(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS not_null,
       atthasdef AS has_default
     FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attname`,
      [name],
    );
    const config = getTableConfig(table);
    const inSchema = config.columns
      .map((column) => ({
        name: column.name,
        type: column.getSQLType().replaceAll(' ', ''),
        not_null: column.notNull,
        has_default: column.hasDefault,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    expect(inDatabase.map((row) => ({ ...row, type: String(row.type).replaceAll(' ', '') }))).toEqual(
      inSchema,
    );

    const indexes = await postgres.read(
      `SELECT (SELECT array_agg(attname::text ORDER BY k.at) FROM unnest(indkey) WITH ORDINALITY AS k (number, at)
       JOIN pg_attribute ON attrelid = indrelid AND attnum = k.number) AS columns
     FROM pg_index WHERE indrelid = $1::regclass ORDER BY indisprimary DESC, indexrelid`,
      [name],
    );
    const primary = config.primaryKeys.map((key) => key.columns.map((column) => column.name));
    const single = config.columns.filter((column) => column.primary).map((column) => [column.name]);
    const others = config.indexes.map((index) =>
      index.config.columns.map((column) => ('name' in column ? column.name : 'expression')),
    );
    expect(indexes.map((row) => row.columns)).toEqual([...primary, ...single, ...others]);
  });

  test('a record comes back from its row as it was', async () => {
    const database = openDatabase(postgres.url);
    const record = step({ customer: 'umlaut-ü', session: 'abc', turn: 3, estimated: ['cost', 'warm'] });
    expect(await insertSteps(database, [record])).toEqual([]);
    const [row] = await database.select().from(queries);
    const { tokens, started_at, ...fields } = record;
    expect(row).toMatchObject({ ...fields, tokens_fresh: tokens.fresh, tokens_output: tokens.output });
    expect(row?.started_at).toEqual(new Date(started_at));
  });

  test('traps T45: a step of a month without partition is kept, and moved once the month has one', async () => {
    const database = openDatabase(postgres.url);
    const now = new Date();
    const later = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 5, 15)).toISOString();
    const record = step({ started_at: later });
    await insertSteps(database, [record]);
    const where = () => postgres.read('SELECT tableoid::regclass::text AS place FROM queries');
    expect(await where()).toEqual([{ place: 'queries_default' }]);

    expect(await ensurePartitions(database, 6)).toBe(3);
    expect(await where()).toEqual([{ place: `queries_${later.slice(0, 7).replace('-', '_')}` }]);
    await insertSteps(database, [record]);
    expect(await where()).toHaveLength(1);
    expect(await ensurePartitions(database, 6)).toBe(0);
  });

  test('a migration that fails leaves nothing behind and is named', async () => {
    const file = join(copy, '9000_half.sql');
    await writeFile(
      file,
      'CREATE TABLE half (id text);\n--> statement-breakpoint\nSELECT no_such_function();\n',
    );
    await expect(migrate(postgres.url, copy)).rejects.toThrow('9000_half.sql');
    expect(await postgres.read(`SELECT to_regclass('half') AS half`)).toEqual([{ half: null }]);

    await writeFile(file, 'CREATE TABLE half (id text);\n');
    expect(await migrate(postgres.url, copy)).toEqual({ applied: ['9000_half.sql'] });
  });

  test('a migration changed after it was applied is an error that names it', async () => {
    const file = join(copy, '0000_log.sql');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replaceAll('\n', '\r\n'));
    expect(await migrate(postgres.url, copy)).toEqual({ applied: [] });
    await writeFile(file, `${text}-- more\n`);
    await expect(migrate(postgres.url, copy)).rejects.toThrow(/0000_log\.sql was changed/);
  });
}, openPglite);
