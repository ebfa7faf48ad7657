import { getTableColumns } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insertSteps } from '../../../src/log/insertion.ts';
import { migrate } from '../../../src/log/migrate.ts';
import { sessionSteps } from '../../../src/log/queries/session-steps.ts';
import { sessions } from '../../../src/log/queries/sessions.ts';
import { summary } from '../../../src/log/queries/summary.ts';
import { timeseries } from '../../../src/log/queries/timeseries.ts';
import { type Database, openDatabase } from '../../../src/stores/database.ts';
import { queries } from '../../../src/stores/schema.ts';
import { hasPostgres, startRealPostgres } from '../../local/postgres/real-postgres.ts';
import { withRealServer } from '../../local/real-thing.ts';
import { step } from '../records.ts';
import { type FaultyPostgres, startPostgres } from '../stores.ts';
import { filterOf, NOW } from './naive.ts';

const ROWS = 200_000;
const SESSION_STEPS = 20;
/** Far more than a page and what it takes to find it, and far less than all. */
const FEW = ROWS / 20;

let postgres: FaultyPostgres;
let database: Database;

/** Two days of steps, {@link SESSION_STEPS} a session, ten sessions at a time. */
async function fill(): Promise<void> {
  await insertSteps(database, [step({ request_id: 'first', started_at: NOW.toISOString() })]);
  const varied: Record<string, string> = {
    request_id: `'step_' || i`,
    started_at: `started_at - i * interval '800 ms'`,
    session: `md5((i / ${10 * SESSION_STEPS} * 10 + i % 10)::text)`,
  };
  const columns = Object.keys(getTableColumns(queries));
  // Loading takes longer than a question may.
  const { $client: client } = openDatabase(postgres.url, 120_000);
  await client.query(
    `INSERT INTO queries (${columns}) SELECT ${columns.map((name) => varied[name] ?? name)}
     FROM queries, generate_series(1, ${ROWS}) AS i WHERE request_id = 'first'`,
  );
  await client.query('ANALYZE queries');
}

/** Rows of the log that Postgres has read so far, as it counts them once a connection ends. */
async function rowsRead(): Promise<number> {
  const [row] = await postgres.read(
    `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS n FROM pg_stat_user_tables
     WHERE relname LIKE 'queries%'`,
  );
  return Number(row?.n);
}

async function readBy(work: () => Promise<unknown>): Promise<number> {
  const before = await rowsRead();
  await work();
  await expect.poll(rowsRead).toBeGreaterThan(before);
  return (await rowsRead()) - before;
}

describe(`with ${ROWS} rows`, () => {
  withRealServer('Postgres', hasPostgres, () => {
    beforeAll(async () => {
      postgres = await startPostgres(startRealPostgres);
      await migrate(postgres.url);
      database = openDatabase(postgres.url);
      await fill();
    }, 120_000);

    afterAll(() => postgres.close());

    test('totals come within the time a statement has', async () => {
      const whole = await summary(database, filterOf());
      expect(whole.total_queries).toBe(ROWS);
      const { points } = await timeseries(database, filterOf());
      expect(points.reduce((sum, { queries }) => sum + queries, 0)).toBe(ROWS);
    });

    test('a page of sessions reads the rows of those sessions, not all', async () => {
      const page = { limit: 20, after: null };
      const { data, next } = await sessions(database, filterOf(), page);
      expect(data.map(({ queries }) => queries).at(-1)).toBe(SESSION_STEPS);
      expect(await readBy(() => sessions(database, filterOf(), page))).toBeLessThan(FEW);
      expect(await readBy(() => sessions(database, filterOf(), { ...page, after: next }))).toBeLessThan(FEW);
    });

    test('the steps of one session are found without reading the others', async () => {
      const { data } = await sessions(database, filterOf(), { limit: 1, after: null });
      const id = data[0]?.id ?? '';
      const read = await readBy(() => sessionSteps(database, filterOf(), id, { limit: 50, after: null }));
      expect(read).toBeLessThan(FEW);
    });
  });
});
