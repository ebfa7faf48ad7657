import { sql } from 'drizzle-orm';
import { COUNTS } from '../core/routing/experience-counts.ts';
import type { LaneCounts } from '../pipeline/lane-counts.ts';
import type { Database } from '../stores/database.ts';
import { customerExperience, endedLanes } from '../stores/schema.ts';
import { OWN_DAYS } from './retention.ts';

/**
 * Days in which what a lane has shown comes to weigh half: agents change with their prompts and models, every few
 * weeks, so the last four weeks make three quarters of it.
 */
const HALF_LIFE_DAYS = 14;
/** Days until a lane is forgotten: it weighs a sixteenth by then. */
const LONGEST_DAYS = 56;
/** A customer's lanes that count, the newest: some 6,000 steps, where the prior is worth twenty. */
const MOST_LANES = 500;
/** Customers folded in a statement, a fraction of a second, and in a run; those left are the next one's. */
const BATCH = 5;
const MOST_CUSTOMERS = 1_000;

/**
 * Keeps what lanes have shown that ended, each once however often and in whatever order it is told: of one that ended
 * twice, for it went on after all, the later end holds.
 */
export async function keepEndedLanes(database: Database, lanes: readonly LaneCounts[]): Promise<void> {
  if (lanes.length === 0) return;
  const rows = lanes.map(({ ended_at, ...row }) => ({ ...row, ended_at: new Date(ended_at) }));
  // In one order everywhere, and numbers in no text (insertion.ts).
  await database.execute(sql`
    WITH told AS (
      SELECT * FROM json_to_recordset(${JSON.stringify(rows)}::json)
        AS one(customer text, lane text, ended_at timestamptz, counts double precision[]))
    INSERT INTO ${endedLanes} (customer, lane, ended_at, counts)
    SELECT DISTINCT ON (customer, lane) customer, lane, ended_at, counts FROM told
    ORDER BY customer, lane, ended_at DESC
    ON CONFLICT (customer, lane) DO UPDATE SET
      ended_at = excluded.ended_at, counts = excluded.counts, told_at = now()
    WHERE ended_lanes.ended_at < excluded.ended_at`);
}

/**
 * What each customer's lanes have shown in all, made anew from the rows there are: nothing adds up twice, whoever runs
 * it and however often. For customers whose lanes ended since the last time, and once a day, since rows age and go.
 *
 * @returns how many customers it was made for
 */
export async function foldExperience(database: Database): Promise<number> {
  // A row may have been told a moment before it could be seen.
  const { rows } = await database.execute<{ customer: string }>(sql`
    SELECT customer FROM (
      SELECT customer, max(told_at) AS told_at FROM ${endedLanes}
      WHERE told_at > now() - interval '3 hours' GROUP BY customer) AS recent
    FULL JOIN ${customerExperience} USING (customer)
    WHERE folded_at IS NULL OR told_at > folded_at - interval '1 minute' OR folded_at < now() - interval '1 day'
    ORDER BY folded_at NULLS FIRST LIMIT ${MOST_CUSTOMERS}::integer`);
  const due = rows.map(({ customer }) => customer);
  for (let at = 0; at < due.length; at += BATCH) await foldFor(database, due.slice(at, at + BATCH));
  return due.length;
}

async function foldFor(database: Database, due: readonly string[]): Promise<void> {
  await database.execute(sql`
    WITH due AS (SELECT json_array_elements_text(${JSON.stringify(due)}::json) AS customer),
    newest AS (
      SELECT due.customer, lane.* FROM due CROSS JOIN LATERAL (
        SELECT counts, power(0.5, extract(epoch FROM now() - ended_at) / 86400 / ${HALF_LIFE_DAYS}::integer) AS weight
        FROM ${endedLanes} WHERE customer = due.customer AND cardinality(counts) = ${COUNTS}::integer
          AND ended_at > now() - make_interval(days => ${LONGEST_DAYS}::integer)
        ORDER BY ended_at DESC LIMIT ${MOST_LANES}::integer) AS lane),
    sums AS (
      SELECT customer, place, sum(weight * count) AS count
      FROM newest CROSS JOIN LATERAL unnest(counts) WITH ORDINALITY AS one(count, place)
      GROUP BY customer, place),
    gone AS (
      DELETE FROM ${customerExperience}
      WHERE customer IN (SELECT customer FROM due) AND customer NOT IN (SELECT customer FROM newest))
    INSERT INTO ${customerExperience} (customer, counts, folded_at)
    SELECT customer, array_agg(count ORDER BY place), now() FROM sums GROUP BY customer ORDER BY customer
    ON CONFLICT (customer) DO UPDATE SET counts = excluded.counts, folded_at = excluded.folded_at`);
}

/**
 * Takes away the lanes that count no more: too old, older than their customer keeps anything, or not among its newest.
 * @returns how many
 */
export async function forgetOldLanes(database: Database): Promise<number> {
  const { rows } = await database.execute<{ gone: number }>(sql`
    WITH ${OWN_DAYS},
    ranked AS (
      SELECT customer, lane, ended_at, row_number() OVER (PARTITION BY customer ORDER BY ended_at DESC) AS place
      FROM ${endedLanes}),
    gone AS (
      DELETE FROM ${endedLanes} USING ranked LEFT JOIN own USING (customer)
      WHERE ended_lanes.customer = ranked.customer AND ended_lanes.lane = ranked.lane
        AND (place > ${MOST_LANES}::integer OR ranked.ended_at
          < now() - make_interval(days => least(${LONGEST_DAYS}::integer, own.days)))
      RETURNING 1)
    SELECT count(*)::integer AS gone FROM gone`);
  return rows[0]?.gone ?? 0;
}
