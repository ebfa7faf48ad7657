import { sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Database } from '../stores/database.ts';
import { DEFAULT_RETENTION_DAYS } from '../stores/retention.ts';
import { customerSettings, customers, queries, sessions } from '../stores/schema.ts';

/** Rows deleted in one statement: a fraction of a second, and nothing else waits for it meanwhile (T45). */
const BATCH = 2_000;
/** Statements a run; the rest is for the next one. An hour's run deletes 600,000 rows at most. */
const MOST_BATCHES = 300;
/** While a drop waits for its lock, everybody else waits behind it: it gives up early and is tried an hour later. */
const LOCK_TIMEOUT = sql`SET LOCAL lock_timeout = '500ms'`;
/** The one of drizzle/0001_partitions.sql. Without it Postgres itself errs where two drop the same partition. */
const ONE_AT_A_TIME = sql`SELECT pg_advisory_xact_lock(hashtext('ensure_query_partitions'))`;

/** Days of those who have set them. What the settings of a newer version allow holds here too: deleted is deleted. */
export const OWN_DAYS = sql`
  latest AS (
    SELECT DISTINCT ON (customer) customer, settings -> 'retention_days' AS days
    FROM ${customerSettings} ORDER BY customer, version DESC),
  own AS (
    SELECT customer, least(ceil(days::numeric), 36500)::integer AS days FROM latest
    WHERE CASE WHEN jsonb_typeof(days) = 'number' THEN days::numeric >= 1 END)`;

/** Since when each customer's steps are kept: by whole months, where it has set no retention of its own. */
const KEPT = sql`
  kept AS (
    SELECT ${customers.id} AS customer, CASE WHEN own.days IS NULL
      THEN date_trunc('month', (now() AT TIME ZONE 'UTC')
        - make_interval(days => ${DEFAULT_RETENTION_DAYS}::integer)) AT TIME ZONE 'UTC'
      ELSE now() - make_interval(days => own.days) END AS since
    FROM ${customers} LEFT JOIN own ON own.customer = ${customers.id})`;

/**
 * Takes away the steps that nobody keeps any longer: months older than the longest retention in force are dropped
 * whole, and of what is left the rows that are older than their customer's own `retention_days`. Rows of a customer
 * that has set none go by whole months too, so that a deployment without settings never deletes a row by itself.
 *
 * Safe to run at any time and from many isolates.
 */
export async function forgetOldSteps(database: Database): Promise<{ dropped: string[]; deleted: number }> {
  const dropped = await dropOldMonths(database);
  return { dropped, deleted: await inBatches(() => deleteSteps(database)) };
}

/**
 * Takes away the sums of sessions whose last step nobody keeps any longer, as {@link forgetOldSteps} takes the step.
 * @returns how many
 */
export function forgetOldSessions(database: Database): Promise<number> {
  return inBatches(() => deleteSessions(database));
}

async function inBatches(deleteBatch: () => Promise<number>): Promise<number> {
  let deleted = 0;
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const gone = await deleteBatch();
    deleted += gone;
    if (gone === 0) break;
  }
  return deleted;
}

async function dropOldMonths(database: Database): Promise<string[]> {
  const { rows } = await database.execute<{ name: string }>(sql`
    WITH ${OWN_DAYS}
    SELECT relname AS name FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'queries'::regclass AND CASE WHEN relname ~ '^queries_[0-9]{4}_[0-9]{2}$' THEN
      to_date(right(relname, 7), 'YYYY_MM') + interval '1 month' <= (now() AT TIME ZONE 'UTC')
        - make_interval(days => greatest(${DEFAULT_RETENTION_DAYS}::integer, (SELECT max(days) FROM own))) END
    ORDER BY relname`);
  for (const { name } of rows) {
    await database.batch([
      database.execute(LOCK_TIMEOUT),
      database.execute(ONE_AT_A_TIME),
      database.execute(sql`DROP TABLE IF EXISTS ${sql.identifier(name)}`),
    ]);
  }
  return rows.map(({ name }) => name);
}

/** Steps that are older than their customer keeps them. @returns how many rows went */
function deleteSteps(database: Database): Promise<number> {
  return deleteExpired(database, { table: queries, time: queries.started_at, rest: queries.request_id });
}

/** Sums of sessions whose last step is. @returns how many rows went */
function deleteSessions(database: Database): Promise<number> {
  return deleteExpired(database, { table: sessions, time: sessions.last_at, rest: sessions.id });
}

interface Expiring {
  table: PgTable & { customer: PgColumn };
  time: PgColumn;
  /** What tells a row of a customer's from all others of that time. */
  rest: PgColumn;
}

async function deleteExpired(database: Database, { table, time, rest }: Expiring): Promise<number> {
  const [at, id] = [sql.identifier(time.name), sql.identifier(rest.name)];
  // Rows that another run has in its hands are left to it.
  const { rows } = await database.execute<{ gone: number }>(sql`
    WITH ${OWN_DAYS}, ${KEPT},
    expired AS (
      SELECT old.customer, old.${at}, old.${id} FROM kept CROSS JOIN LATERAL (
        SELECT customer, ${at}, ${id} FROM ${table}
        WHERE customer = kept.customer AND ${at} < kept.since
        LIMIT ${BATCH} FOR UPDATE SKIP LOCKED) AS old
      LIMIT ${BATCH}),
    gone AS (
      DELETE FROM ${table} USING expired
      WHERE ${table.customer} = expired.customer AND ${time} = expired.${at} AND ${rest} = expired.${id}
      RETURNING 1)
    SELECT count(*)::integer AS gone FROM gone`);
  return rows[0]?.gone ?? 0;
}
