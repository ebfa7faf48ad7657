import { type NeonQueryFunction, neon, neonConfig } from '@neondatabase/serverless';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/neon-http';
import { bigint, boolean, integer, jsonb, numeric, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { SqlBackend } from '../../../src/local/postgres/backend.ts';
import { openPglite } from '../../../src/local/postgres/pglite.ts';
import { type SqlServer, startSqlServer } from '../../../src/local/postgres/server.ts';
import { withRealServer } from '../real-thing.ts';
import { hasPostgres, startRealPostgres } from './real-postgres.ts';

const things = pgTable('things', {
  id: integer().primaryKey(),
  name: text(),
  amount: numeric({ precision: 20, scale: 12 }),
  big: bigint({ mode: 'number' }),
  flag: boolean(),
  tags: text().array(),
  body: jsonb(),
  at: timestamp({ withTimezone: true }),
});

function suite(start: () => Promise<SqlBackend>): void {
  let backend: SqlBackend;
  let server: SqlServer;
  let query: NeonQueryFunction<false, false>;

  beforeAll(async () => {
    backend = await start();
    server = await startSqlServer(backend, 'secret');
    const { host } = new URL(server.url);
    neonConfig.fetchEndpoint = `http://${host}/sql`;
    query = neon(server.url);
  }, 90_000);
  afterAll(async () => {
    await server.close();
    await backend.close();
  });
  beforeEach(async () => {
    await query`DROP TABLE IF EXISTS things`;
    await query`CREATE TABLE things (id int PRIMARY KEY, name text, amount numeric(20,12), big bigint, flag boolean,
      tags text[], body jsonb, at timestamptz)`;
  });

  const row = {
    id: 1,
    name: "Ω 'quoted' \\ \u{1f642}",
    amount: '0.000000000001',
    big: 9_007_199_254_740_991,
    flag: true,
    tags: ['a', 'b,c', '"d"', ''],
    body: { nested: [1, null, 'x'] },
    at: new Date('2026-11-23T10:20:30.123Z'),
  };

  test('Drizzle reads back every type it wrote', async () => {
    const db = drizzle(query);
    await db.insert(things).values([row, { id: 2 }]);
    const empty = {
      id: 2,
      name: null,
      amount: null,
      big: null,
      flag: null,
      tags: null,
      body: null,
      at: null,
    };
    expect(await db.select().from(things).orderBy(things.id)).toEqual([row, empty]);
  });

  test('Drizzle runs a batch in one transaction', async () => {
    const db = drizzle(query);
    const [, found] = await db.batch([
      db.insert(things).values(row),
      db.select({ id: things.id }).from(things),
    ]);
    expect(found).toEqual([{ id: 1 }]);
    const twice = db.batch([db.insert(things).values({ id: 3 }), db.insert(things).values({ id: 1 })]);
    await expect(twice).rejects.toThrow();
    expect((await db.execute(sql`SELECT count(*)::int AS n FROM things`)).rows).toEqual([{ n: 1 }]);
  });

  test('an insert that does nothing says how many rows it made', async () => {
    await query`INSERT INTO things (id) VALUES (1)`;
    const result = await query.query(
      'INSERT INTO things (id) VALUES ($1), ($2) ON CONFLICT DO NOTHING',
      [1, 2],
      {
        fullResults: true,
      },
    );
    expect(result).toMatchObject({ command: 'INSERT', rowCount: 1, rows: [] });
  });

  test('the full result names its columns and counts its rows', async () => {
    const result = await query.query('SELECT 1 AS one, NULL::text AS two, true AS three', [], {
      fullResults: true,
      arrayMode: true,
    });
    expect(result).toMatchObject({
      command: 'SELECT',
      rowCount: 1,
      rowAsArray: true,
      rows: [[1, null, true]],
    });
    expect(result.fields.map(({ name, dataTypeID }) => [name, dataTypeID])).toEqual([
      ['one', 23],
      ['two', 25],
      ['three', 16],
    ]);
  });

  test.each([
    ['text', 'string', 'string'],
    ['numeric', 1.5, '1.5'],
    ['int', 42, 42],
    ['boolean', true, true],
    ['boolean', false, false],
    ['text', null, null],
    ['bytea', Buffer.from([0, 255]), Buffer.from([0, 255])],
  ])('a parameter of type %s: %j', async (type, given, expected) => {
    expect(await query.query(`SELECT $1::${type} AS value`, [given])).toEqual([{ value: expected }]);
  });

  test('raw text comes out as Postgres writes it', async () => {
    const response = await fetch(String(neonConfig.fetchEndpoint), {
      method: 'POST',
      headers: {
        'Neon-Connection-String': server.url,
        'Neon-Raw-Text-Output': 'true',
        'Neon-Array-Mode': 'false',
      },
      body: JSON.stringify({
        query: 'SELECT true AS t, ARRAY[1,2] AS a, \'{"b": 1}\'::jsonb AS j',
        params: [],
      }),
    });
    expect(await response.json()).toMatchObject({ rows: [{ t: 't', a: '{1,2}', j: '{"b": 1}' }] });
  });

  test("an error has Postgres's own fields", async () => {
    await query`INSERT INTO things (id) VALUES (1)`;
    await expect(query`INSERT INTO things (id) VALUES (1)`).rejects.toMatchObject({
      severity: 'ERROR',
      code: '23505',
      message: 'duplicate key value violates unique constraint "things_pkey"',
      detail: 'Key (id)=(1) already exists.',
      schema: 'public',
      table: 'things',
      constraint: 'things_pkey',
    });
    await expect(query`SELECT nonsense FROM things`).rejects.toMatchObject({ code: '42703', position: '8' });
    await expect(query`SELEKT 1`).rejects.toMatchObject({ code: '42601' });
    await expect(query.query('SELECT 1; SELECT 2')).rejects.toMatchObject({ code: '42601' });
    await expect(query.query('SELECT $1::int', ['x'])).rejects.toMatchObject({ code: '22P02' });
    expect(await query`SELECT 1 AS works`).toEqual([{ works: 1 }]);
  });

  test('a transaction is all or nothing', async () => {
    const failing = query.transaction([
      query`INSERT INTO things (id) VALUES (1)`,
      query`INSERT INTO things (id) VALUES (1)`,
    ]);
    await expect(failing).rejects.toMatchObject({ code: '23505' });
    expect(await query`SELECT id FROM things`).toEqual([]);
    const results = await query.transaction([
      query`INSERT INTO things (id) VALUES (1)`,
      query`SELECT id FROM things`,
    ]);
    expect(results).toEqual([[], [{ id: 1 }]]);
  });

  test.each([
    ['ReadUncommitted', 'read uncommitted'],
    ['ReadCommitted', 'read committed'],
    ['RepeatableRead', 'repeatable read'],
    ['Serializable', 'serializable'],
  ] as const)('isolation level %s', async (isolationLevel, name) => {
    const shown = await query.transaction([query`SHOW transaction_isolation`], { isolationLevel });
    expect(shown).toEqual([[{ transaction_isolation: name }]]);
  });

  test('a read-only transaction writes nothing, and the next one may', async () => {
    const insert = () => query`INSERT INTO things (id) VALUES (1)`;
    const readOnly = query.transaction([insert()], {
      readOnly: true,
      deferrable: true,
      isolationLevel: 'Serializable',
    });
    await expect(readOnly).rejects.toMatchObject({ code: '25006' });
    await query.transaction([insert()], { readOnly: false });
    expect(await query`SELECT id FROM things`).toEqual([{ id: 1 }]);
  });

  test('nothing of a session outlives its request', async () => {
    await query`SET search_path TO nowhere`;
    await query`BEGIN`;
    await query`INSERT INTO things (id) VALUES (1)`;
    await query`ROLLBACK`;
    expect(await query`SELECT id FROM things`).toEqual([{ id: 1 }]);
    await query.transaction([query`SET search_path TO nowhere`]);
    expect(await query`SELECT id FROM things`).toEqual([{ id: 1 }]);
  });

  test('a hundred at once each get their own answer', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => query`SELECT ${i}::int AS i`));
    expect(answers.flat()).toEqual(Array.from({ length: 100 }, (_, i) => ({ i })));
  });

  test('a wrong password gets nothing', async () => {
    const stranger = neon(server.url.replace('secret', 'guess'));
    await expect(stranger`SELECT 1`).rejects.toMatchObject({ code: '28P01' });
  });

  test.each(['', '{', '[]', '{"query":1}', '{"queries":[{}]}', '{"query":"SELECT 1","params":[{}]}'])(
    'body %j is a 400',
    async (body) => {
      const headers = { 'Neon-Connection-String': server.url };
      const response = await fetch(String(neonConfig.fetchEndpoint), { method: 'POST', headers, body });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: '08P01' });
    },
  );
}

describe('SQL over HTTP, PGlite', () => suite(() => openPglite()));
describe('SQL over HTTP, Postgres', () =>
  withRealServer('postgres', hasPostgres, () => suite(startRealPostgres)));
