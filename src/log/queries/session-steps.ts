import { and, asc, eq, sql } from 'drizzle-orm';
import { savingsOf } from '../../core/accounting/savings.ts';
import type { StepRecord } from '../../pipeline/record.ts';
import type { Database } from '../../stores/database.ts';
import { queries } from '../../stores/schema.ts';
import { matching, type StepFilter } from './filter.ts';
import { cutPage, type Page, type Position } from './page.ts';

const SHOWN = {
  request_id: queries.request_id,
  started_at: queries.started_at,
  lane: queries.lane,
  turn: queries.turn,
  path: queries.path,
  tags: queries.tags,
  state: queries.state,
  status: queries.status,
  error_code: queries.error_code,
  requested_model: queries.requested_model,
  provider: queries.provider,
  model: queries.model,
  tier: queries.tier,
  floor: queries.floor,
  reason: queries.reason,
  difficulty_score: queries.difficulty_score,
  difficulty_label: queries.difficulty_label,
  tokens: {
    fresh: queries.tokens_fresh,
    write_5m: queries.tokens_write_5m,
    write_1h: queries.tokens_write_1h,
    write_30m: queries.tokens_write_30m,
    write_12h: queries.tokens_write_12h,
    read: queries.tokens_read,
    output: queries.tokens_output,
  },
  tool_calls: queries.tool_calls,
  cost_usd: queries.cost_usd,
  baseline_model: queries.baseline_model,
  baseline_cost_usd: queries.baseline_cost_usd,
  attempts: queries.attempts,
  escalations: queries.escalations,
  estimated: queries.estimated,
  simulated: queries.simulated,
  overhead_ms: queries.overhead_ms,
  latency_ms: queries.latency_ms,
};

/** One step of a session, as its row has it. */
export interface SessionStep extends Pick<StepRecord, keyof typeof SHOWN> {
  /** Null where the cost or the baseline is not known. */
  savings_usd: number | null;
}

/**
 * A page of a session's steps in the order they were asked; `id` is the hash of the session's name.
 * Empty where the customer has no such session, or none of its steps are asked about.
 */
export async function sessionSteps(
  database: Database,
  steps: StepFilter,
  id: string,
  page: Page,
): Promise<{ data: SessionStep[]; next: Position | null }> {
  const after = page.after
    ? sql`(${queries.started_at}, ${queries.request_id}) > (${page.after.at.toISOString()}, ${page.after.id})`
    : undefined;
  const rows = await database
    .select(SHOWN)
    .from(queries)
    .where(and(matching(steps), eq(queries.session, id), after))
    .orderBy(asc(queries.started_at), asc(queries.request_id))
    .limit(page.limit + 1);
  const { data, next } = cutPage(rows, page, (row) => ({ at: row.started_at, id: row.request_id }));
  return {
    data: data.map((row) => ({
      ...row,
      started_at: row.started_at.toISOString(),
      savings_usd: savingsOf(row.baseline_cost_usd, row.cost_usd).savings_usd,
    })),
    next,
  };
}
