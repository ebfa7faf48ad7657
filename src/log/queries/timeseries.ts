import { sql } from 'drizzle-orm';
import type { Database } from '../../stores/database.ts';
import { queries } from '../../stores/schema.ts';
import { matching, type StepFilter } from './filter.ts';
import { type Aggregates, MONEY, type Money, moneyOf, select } from './sums.ts';

interface Point extends Money {
  /** Start of the bucket: a full hour or midnight, UTC. */
  start: string;
  queries: number;
}

export interface Timeseries {
  period: string;
  bucket: 'hour' | 'day';
  points: Point[];
}

const HOUR_MS = 3_600_000;
const LONGEST_BY_HOUR_MS = 48 * HOUR_MS;

/**
 * A customer's steps of a period by the hour (up to 48 hours) or by the day, UTC, every bucket present.
 * The first bucket is the one the period begins in, and holds only its steps from there on; so does the last one
 * up to now: the points add up to the summary of the same period.
 */
export async function timeseries(database: Database, steps: StepFilter): Promise<Timeseries> {
  const { period, from, to } = steps.period;
  const bucket = to.getTime() - from.getTime() <= LONGEST_BY_HOUR_MS ? 'hour' : 'day';
  const { rows } = await database.execute<Aggregates>(sql`
    SELECT date_trunc(${bucket}, started_at AT TIME ZONE 'UTC') AS start, count(*) AS queries, ${select(MONEY)}
    FROM ${queries} WHERE ${matching(steps)} GROUP BY start`);

  // Postgres writes a time without zone as `2026-11-20 00:00:00`.
  const found = new Map(rows.map((row) => [`${row.start?.replace(' ', 'T')}.000Z`, row]));
  const length = bucket === 'hour' ? HOUR_MS : 24 * HOUR_MS;
  const points: Point[] = [];
  for (let at = from.getTime() - (from.getTime() % length); at < to.getTime(); at += length) {
    const start = new Date(at).toISOString();
    const row = found.get(start) ?? {};
    points.push({ start, queries: Number(row.queries ?? 0), ...moneyOf(row) });
  }
  return { period, bucket, points };
}
