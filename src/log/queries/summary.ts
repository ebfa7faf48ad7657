import { sql } from 'drizzle-orm';
import { roundUsd } from '../../core/accounting/cost.ts';
import type { Database } from '../../stores/database.ts';
import { queries } from '../../stores/schema.ts';
import { matching, type StepFilter } from './filter.ts';
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
  type Tokens,
  tokensOf,
} from './sums.ts';

/** The part of the steps that one model answered; `model` is null for those no model did. */
interface ModelShare extends Money {
  provider: string | null;
  model: string | null;
  tier: string | null;
  queries: number;
}

/** `tier` is null for steps outside the tiers: pinned models, pass-throughs, failures before a plan. */
interface TierShare extends Money {
  tier: string | null;
  queries: number;
}

export interface Summary extends Money {
  period: string;
  from: string;
  to: string;
  as_of: string;
  total_queries: number;
  passthrough_queries: number;
  tool_calls: number;
  by_state: States;
  tokens: Tokens;
  /** 0–100; null where there is no baseline. */
  savings_pct: number | null;
  oracle_cost_usd: number;
  infra_cost_usd: number;
  net_savings_usd: number;
  /** Steps whose cost is unknown (T42): in no sum of money. */
  unpriced_queries: number;
  estimated_queries: number;
  simulated_queries: number;
  /** Share of the input tokens read from a prompt cache, 0–1; null without input. */
  cache_hit_rate: number | null;
  escalations: number;
  by_model: ModelShare[];
  by_tier: TierShare[];
}

const SUMS = {
  ...COUNTS,
  ...MONEY,
  passthrough: sql`count(*) FILTER (WHERE passthrough)`,
  estimated: sql`count(*) FILTER (WHERE cardinality(estimated) > 0)`,
  simulated: sql`count(*) FILTER (WHERE simulated)`,
  escalations: sql`sum(escalations)`,
  infra: sql`sum(infra_cost_usd)`,
};

/**
 * What a customer's steps of a period came to. One statement, one pass over the rows: they are added up once, by
 * model, and the few rows of that again. (Grouping sets over the steps themselves take twice as long.)
 */
export async function summary(database: Database, steps: StepFilter): Promise<Summary> {
  const total = Object.fromEntries(
    Object.keys(SUMS).map((name) => [name, sql`sum(${sql.identifier(name)})`]),
  );
  const { rows } = await database.execute<Aggregates>(sql`
    WITH part AS (
      SELECT provider, model, tier, ${select(SUMS)} FROM ${queries} WHERE ${matching(steps)}
      GROUP BY provider, model, tier
    )
    SELECT
      CASE GROUPING(provider, model, tier) WHEN 0 THEN 'model' WHEN 7 THEN 'all' ELSE 'tier' END AS part,
      provider, model, tier, ${select(total)}, ${isoUtc(sql`now()`)} AS as_of
    FROM part
    GROUP BY GROUPING SETS ((), (provider, model, tier), (tier))
    ORDER BY sum(queries) DESC, provider, model, tier`);

  const part = (name: string) => rows.filter((row) => row.part === name);
  // The empty grouping set has its row even where there are no steps.
  const all = part('all')[0] ?? {};
  const count = (name: string) => Number(all[name] ?? 0);
  const money = moneyOf(all);
  const tokens = tokensOf(all);
  const { period, from, to } = steps.period;
  return {
    period,
    from: from.toISOString(),
    to: to.toISOString(),
    as_of: all.as_of ?? to.toISOString(),
    total_queries: count('queries'),
    passthrough_queries: count('passthrough'),
    tool_calls: count('tool_calls'),
    by_state: statesOf(all),
    tokens,
    ...money,
    savings_pct:
      money.baseline_cost_usd > 0
        ? Math.round((1e6 * money.savings_usd) / money.baseline_cost_usd) / 1e4
        : null,
    // No step is measured yet.
    oracle_cost_usd: 0,
    infra_cost_usd: count('infra'),
    net_savings_usd: roundUsd(money.savings_usd - count('infra')),
    unpriced_queries: count('unpriced'),
    estimated_queries: count('estimated'),
    simulated_queries: count('simulated'),
    cache_hit_rate: cacheHitRate(tokens),
    escalations: count('escalations'),
    by_model: part('model').map((row) => ({
      provider: row.provider ?? null,
      model: row.model ?? null,
      tier: row.tier ?? null,
      queries: Number(row.queries),
      ...moneyOf(row),
    })),
    by_tier: part('tier').map((row) => ({
      tier: row.tier ?? null,
      queries: Number(row.queries),
      ...moneyOf(row),
    })),
  };
}
