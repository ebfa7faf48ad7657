import { type SQL, sql } from 'drizzle-orm';
import { inputTokens, TOKEN_CLASSES, type TokenClass, usageOf } from '../../core/accounting/usage.ts';
import { queries } from '../../stores/schema.ts';

/** A row of aggregates as Postgres writes them: sums of integers and dollars are too wide for its JSON numbers. */
export type Aggregates = Record<string, string | null>;

/** Dollars of a set of steps. `cost_usd` is all known cost; baseline and savings are of steps that have both. */
export interface Money {
  cost_usd: number;
  baseline_cost_usd: number;
  savings_usd: number;
}

/** Columns that {@link moneyOf} reads, of a group of steps. */
export const MONEY = {
  cost: sql`sum(cost_usd)`,
  baseline: sql`sum(baseline_cost_usd) FILTER (WHERE cost_usd IS NOT NULL)`,
  savings: sql`sum(baseline_cost_usd - cost_usd)`,
};

export function moneyOf(row: Aggregates): Money {
  return {
    cost_usd: Number(row.cost ?? 0),
    baseline_cost_usd: Number(row.baseline ?? 0),
    savings_usd: Number(row.savings ?? 0),
  };
}

/** Columns that {@link statesOf}, {@link tokensOf} and others read, of a group of steps. */
export const COUNTS = {
  queries: sql`count(*)`,
  ok: sql`count(*) FILTER (WHERE state = 'ok')`,
  failed: sql`count(*) FILTER (WHERE state = 'failed')`,
  abandoned: sql`count(*) FILTER (WHERE state = 'abandoned')`,
  unpriced: sql`count(*) FILTER (WHERE cost_usd IS NULL)`,
  tool_calls: sql`sum(tool_calls)`,
  ...Object.fromEntries(TOKEN_CLASSES.map((name) => [name, sql`sum(${queries[`tokens_${name}`]})`])),
};

export interface States {
  ok: number;
  failed: number;
  abandoned: number;
}

export function statesOf(row: Aggregates): States {
  return { ok: Number(row.ok ?? 0), failed: Number(row.failed ?? 0), abandoned: Number(row.abandoned ?? 0) };
}

export type Tokens = Record<TokenClass, number>;

export function tokensOf(row: Aggregates): Tokens {
  return usageOf(Object.fromEntries(TOKEN_CLASSES.map((name) => [name, Number(row[name] ?? 0)])));
}

/** Share of the input tokens read from a prompt cache, 0–1; null without input. */
export function cacheHitRate(tokens: Tokens): number | null {
  const input = inputTokens(tokens);
  return input > 0 ? tokens.read / input : null;
}

/** `expression AS name` for each, separated by commas. */
export function select(columns: Record<string, SQL>): SQL {
  return sql.join(
    Object.entries(columns).map(([name, expression]) => sql`${expression} AS ${sql.identifier(name)}`),
    sql`, `,
  );
}

/** A timestamp as ISO 8601 in UTC, as JavaScript writes it. */
export function isoUtc(expression: SQL): SQL {
  return sql`to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
