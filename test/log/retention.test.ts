import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { HeldSteps } from '../../src/log/held-steps.ts';
import { insertSteps } from '../../src/log/insertion.ts';
import { runMaintenance } from '../../src/log/maintenance.ts';
import { migrate } from '../../src/log/migrate.ts';
import { forgetOldSessions, forgetOldSteps } from '../../src/log/retention.ts';
import { type Database, openDatabase } from '../../src/stores/database.ts';
import { step } from './records.ts';
import { type FaultyPostgres, onEachPostgres, startPostgres, startRedis } from './stores.ts';

const DAY = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * DAY).toISOString();
/** `queries_2025_01`, of the month so many days ago. */
const monthOf = (days: number) => `queries_${daysAgo(days).slice(0, 7).replace('-', '_')}`;

onEachPostgres((open) => {
  let postgres: FaultyPostgres;
  let database: Database;
  beforeAll(async () => {
    postgres = await startPostgres(open);
    await migrate(postgres.url);
    database = openDatabase(postgres.url);
  }, 60_000);
  afterAll(() => postgres.close());
  afterEach(() => postgres.read('TRUNCATE queries, sessions, customers, customer_settings'));

  /** As ensure_query_partitions would have made it then. */
  async function makeMonth(days: number): Promise<string> {
    const first = new Date(daysAgo(days));
    const start = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth()));
    const end = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1));
    const name = monthOf(days);
    await postgres.read(`CREATE TABLE IF NOT EXISTS ${name} PARTITION OF queries
      FOR VALUES FROM ('${start.toISOString()}') TO ('${end.toISOString()}')`);
    return name;
  }
  const months = async () =>
    (
      await postgres.read(`SELECT inhrelid::regclass::text AS name FROM pg_inherits
      WHERE inhparent = 'queries'::regclass`)
    ).map(({ name }) => String(name));
  const left = async () =>
    (await postgres.read('SELECT request_id FROM queries ORDER BY request_id')).map((row) => row.request_id);
  const set = (customer: string, version: number, settings: object) =>
    postgres.read(
      `INSERT INTO customer_settings (customer, version, settings, sealed, created_by) VALUES ($1, $2, $3, '{}', 'k')`,
      [customer, version, JSON.stringify(settings)],
    );
  /** A step of so many days ago, whose id says so. */
  const old = (customer: string, days: number) =>
    step({ customer, request_id: `${customer}-${days}`, started_at: daysAgo(days) });

  test('rows go after the retention that their customer has in force, and no other customer’s', async () => {
    await set('acme', 1, { retention_days: 3 });
    await set('acme', 2, { retention_days: 30 });
    await set('globex', 1, { retention_days: 10 });
    await set('globex', 2, { mode: 'route' });
    const records = ['acme', 'globex', 'initech'].flatMap((name) =>
      [2, 29, 31, 300].map((days) => old(name, days)),
    );
    await insertSteps(database, records);
    expect(await forgetOldSteps(database)).toEqual({ dropped: [], deleted: 2 });
    expect(await left()).toEqual([
      ...['acme-2', 'acme-29'],
      ...['globex-2', 'globex-29', 'globex-300', 'globex-31'],
      ...['initech-2', 'initech-29', 'initech-300', 'initech-31'],
    ]);
    expect(await forgetOldSteps(database)).toEqual({ dropped: [], deleted: 0 });
  });

  test('traps T45: months that nobody keeps are dropped whole, and without settings no row is deleted by itself', async () => {
    const gone = await makeMonth(470);
    // Parts of it are younger than 400 days.
    const split = await makeMonth(399.5);
    const before = await months();
    await insertSteps(database, [old('acme', 470), old('acme', 399.5), old('globex', 1)]);
    expect(await forgetOldSteps(database)).toEqual({ dropped: [gone], deleted: 0 });
    expect(before).toContain(gone);
    expect(await months()).not.toContain(gone);
    expect(await months()).toContain(split);
    // A step that comes late for a dropped month doesn't stay either.
    await insertSteps(database, [old('acme', 471)]);
    expect(await forgetOldSteps(database)).toEqual({ dropped: [], deleted: 1 });
    expect(await left()).toEqual(['acme-399.5', 'globex-1']);
  });

  test('a month that one customer keeps stays, and the others’ rows in it go', async () => {
    await set('archive', 1, { retention_days: 3650 });
    const kept = await makeMonth(500);
    await insertSteps(database, [old('archive', 500), old('acme', 500)]);
    expect(await forgetOldSteps(database)).toEqual({ dropped: [], deleted: 1 });
    expect(await left()).toEqual(['archive-500']);
    expect(await months()).toContain(kept);
    await postgres.read('TRUNCATE customer_settings');
    expect((await forgetOldSteps(database)).dropped).toEqual([kept]);
  });

  test('a retention that can’t be read is as if not set, and a longer one than we know is kept to', async () => {
    for (const [version, days] of [
      [1, '3'],
      [2, null],
      [3, 0],
      [4, -7],
      [5, 9_999],
    ] as const) {
      await set(`odd-${version}`, version, { retention_days: days });
      await insertSteps(database, [old(`odd-${version}`, 90)]);
    }
    expect((await forgetOldSteps(database)).deleted).toBe(0);
  });

  test('more than a batch goes, by two runs at the same time too, and each row once', async () => {
    await set('acme', 1, { retention_days: 1 });
    await insertSteps(database, [old('acme', 0), old('acme', 9)]);
    await postgres.read(`INSERT INTO queries SELECT (jsonb_populate_record(queries,
      jsonb_build_object('request_id', 'copy-' || n))).* FROM queries, generate_series(1, 4999) AS n
      WHERE request_id = 'acme-9'`);
    const runs = await Promise.all([forgetOldSteps(database), forgetOldSteps(database)]);
    expect(runs[0].deleted + runs[1].deleted).toBe(5_000);
    expect(await left()).toEqual(['acme-0']);
  });

  test('the sums of a session go with its last step', async () => {
    await set('acme', 1, { retention_days: 30 });
    await set('hasty', 1, { retention_days: 1 });
    const of = (customer: string, session: string, days: number) => ({ ...old(customer, days), session });
    await insertSteps(database, [
      ...[
        of('acme', 'over', 40),
        of('acme', 'over', 31),
        of('acme', 'went on', 32),
        of('acme', 'went on', 29),
      ],
      ...[of('globex', 'over', 31), of('globex', 'long ago', 440), of('hasty', 'over', 2)],
    ]);
    const sessions = async () =>
      (await postgres.read('SELECT customer, id FROM sessions ORDER BY 1, 2')).map(
        ({ customer, id }) => `${customer} ${id}`,
      );
    expect(await forgetOldSessions(database)).toBe(3);
    expect(await sessions()).toEqual(['acme went on', 'globex over']);
    expect(await forgetOldSessions(database)).toBe(0);
    expect((await forgetOldSteps(database)).deleted).toBe(5);
  });

  test('the scheduled job does it once an hour', async () => {
    const redis = await startRedis();
    const queue = { send: async () => {} };
    const stores = { queue, database, redis: redis.direct, held: new HeldSteps() };
    try {
      await set('acme', 1, { retention_days: 1 });
      await insertSteps(database, [{ ...old('acme', 9), session: 'over' }]);
      await runMaintenance(stores, new Date('2026-11-23T12:22:59Z'));
      expect(await left()).toEqual(['acme-9']);
      await runMaintenance(stores, new Date('2026-11-23T12:23:00Z'));
      expect(await left()).toEqual([]);
      expect(await postgres.read('SELECT 1 FROM sessions')).toEqual([]);
    } finally {
      await redis.close();
    }
  });

  test('two runs at the same time drop a month once', async () => {
    const gone = await makeMonth(480);
    await Promise.all([forgetOldSteps(database), forgetOldSteps(database)]);
    expect(await months()).not.toContain(gone);
  });
});
