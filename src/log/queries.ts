import { sql } from 'drizzle-orm';
import { inputTokens, TOKEN_CLASSES, type TokenClass, usageOf } from '../core/accounting/usage.ts';
import type { Database } from '../stores/database.ts';
import { queries } from '../stores/schema.ts';
import type { Period } from './period.ts';

/** Dollars of a set of steps. `cost_usd` is all known cost; baseline and savings are of steps that have both. */
interface Money {
  cost_usd: number;
  baseline_cost_usd: number;
  savings_usd: number;
}

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
  by_state: { ok: number; failed: number; abandoned: number };
  tokens: Record<TokenClass, number>;
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

/** What a customer's steps of a period came to. One statement, one pass over the rows. */
export async function summary(database: Database, customer: string, period: Period): Promise<Summary> {
  const both = sql`${queries.cost_usd} IS NOT NULL AND ${queries.baseline_cost_usd} IS NOT NULL`;
  const { rows } = await database.execute<Record<string, string | null>>(sql`
    SELECT
      CASE GROUPING(provider, model, tier) WHEN 0 THEN 'model' WHEN 7 THEN 'all' ELSE 'tier' END AS part,
      provider, model, tier,
      count(*) AS queries,
      count(*) FILTER (WHERE passthrough) AS passthrough,
      count(*) FILTER (WHERE state = 'ok') AS ok,
      count(*) FILTER (WHERE state = 'failed') AS failed,
      count(*) FILTER (WHERE state = 'abandoned') AS abandoned,
      count(*) FILTER (WHERE cost_usd IS NULL) AS unpriced,
      count(*) FILTER (WHERE cardinality(estimated) > 0) AS estimated,
      count(*) FILTER (WHERE simulated) AS simulated,
      sum(tool_calls) AS tool_calls,
      sum(escalations) AS escalations,
      ${sql.join(
        TOKEN_CLASSES.map((name) => sql`sum(${queries[`tokens_${name}`]}) AS ${sql.identifier(name)}`),
        sql`, `,
      )},
      sum(cost_usd) AS cost,
      sum(baseline_cost_usd) FILTER (WHERE ${both}) AS baseline,
      sum(baseline_cost_usd - cost_usd) AS savings,
      to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS as_of
    FROM ${queries}
    WHERE customer = ${customer} AND started_at >= ${period.from.toISOString()}
      AND started_at < ${period.to.toISOString()}
    GROUP BY GROUPING SETS ((), (provider, model, tier), (tier))
    ORDER BY count(*) DESC, provider, model, tier`);

  const part = (name: string) => rows.filter((row) => row.part === name);
  // The empty grouping set has its row even where there are no steps.
  const all = part('all')[0] ?? {};
  const count = (name: string) => Number(all[name] ?? 0);
  const money = moneyOf(all);
  const tokens = usageOf(Object.fromEntries(TOKEN_CLASSES.map((name) => [name, count(name)])));
  const input = inputTokens(tokens);
  return {
    period: period.period,
    from: period.from.toISOString(),
    to: period.to.toISOString(),
    as_of: all.as_of ?? period.to.toISOString(),
    total_queries: count('queries'),
    passthrough_queries: count('passthrough'),
    tool_calls: count('tool_calls'),
    by_state: { ok: count('ok'), failed: count('failed'), abandoned: count('abandoned') },
    tokens,
    ...money,
    savings_pct: money.baseline_cost_usd > 0 ? (100 * money.savings_usd) / money.baseline_cost_usd : null,
    // No step is measured and no store is billed to one yet.
    oracle_cost_usd: 0,
    infra_cost_usd: 0,
    net_savings_usd: money.savings_usd,
    unpriced_queries: count('unpriced'),
    estimated_queries: count('estimated'),
    simulated_queries: count('simulated'),
    cache_hit_rate: input > 0 ? tokens.read / input : null,
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

function moneyOf(row: Record<string, string | null>): Money {
  return {
    cost_usd: Number(row.cost ?? 0),
    baseline_cost_usd: Number(row.baseline ?? 0),
    savings_usd: Number(row.savings ?? 0),
  };
}
