import { sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Database } from '../../stores/database.ts';
import { queries } from '../../stores/schema.ts';
import { matching, type StepFilter } from './filter.ts';
import { cutPage, type Page, type Position } from './page.ts';
import {
  type Aggregates,
  COUNTS,
  cacheHitRate,
  isoUtc,
  MONEY,
  type Money,
  moneyOf,
  type States,
  select,
  statesOf,
  tokensOf,
} from './sums.ts';

/** What the steps of one session in the period came to. */
export interface Session extends Money {
  /** HMAC of the name the client gave it: the name itself is in no store. */
  id: string;
  /** Starts of its first and its last step. */
  first_step_at: string;
  last_step_at: string;
  queries: number;
  /** `provider/model` of those that answered, in the order of their names. */
  models: string[];
  by_state: States;
  tool_calls: number;
  unpriced_queries: number;
  cache_hit_rate: number | null;
}

// `models` is a list, the rest is text.
type Row = Aggregates & { models: string[] & string };

/**
 * A page of a customer's sessions, that of the latest step first; of steps at the same millisecond the greater id.
 * Read backwards from the newest step, a session stands where its last step does: no page costs more than its own.
 */
export async function sessions(
  database: Database,
  steps: StepFilter,
  page: Page,
): Promise<{ data: Session[]; next: Position | null }> {
  const newer = alias(queries, 'newer');
  const after = page.after
    ? sql`AND (started_at, session) < (${page.after.at.toISOString()}, ${page.after.id})`
    : sql``;
  const { rows } = await database.execute<Row>(sql`
    WITH page AS MATERIALIZED (
      SELECT session FROM ${queries}
      WHERE ${matching(steps)} AND session IS NOT NULL ${after} AND NOT EXISTS (
        SELECT FROM ${queries} AS newer
        WHERE ${matching(steps, newer)} AND ${newer.session} = ${queries.session}
          AND (${newer.started_at}, ${newer.request_id}) > (${queries.started_at}, ${queries.request_id})
      )
      ORDER BY started_at DESC, session DESC
      LIMIT ${page.limit + 1}
    )
    SELECT session, ${isoUtc(sql`min(started_at)`)} AS first_at, ${isoUtc(sql`max(started_at)`)} AS last_at,
      array_agg(DISTINCT concat_ws('/', provider, model)) FILTER (WHERE model IS NOT NULL) AS models,
      ${select({ ...COUNTS, ...MONEY })}
    FROM ${queries} WHERE ${matching(steps)} AND session IN (SELECT session FROM page)
    GROUP BY session
    ORDER BY max(started_at) DESC, session DESC`);
  return cutPage(rows.map(sessionOf), page, ({ last_step_at, id }) => ({ at: new Date(last_step_at), id }));
}

function sessionOf(row: Row): Session {
  return {
    id: row.session ?? '',
    first_step_at: row.first_at ?? '',
    last_step_at: row.last_at ?? '',
    queries: Number(row.queries),
    models: row.models ?? [],
    ...moneyOf(row),
    by_state: statesOf(row),
    tool_calls: Number(row.tool_calls),
    unpriced_queries: Number(row.unpriced),
    cache_hit_rate: cacheHitRate(tokensOf(row)),
  };
}
