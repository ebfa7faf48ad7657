import { roundUsd } from '../../core/accounting/cost.ts';
import { PRICE_BOOK_VERSION, priceListOf } from '../../core/accounting/price-book.ts';
import { measuringCost } from '../../core/replay/measuring.ts';
import { POLICIES, type Policy } from '../../core/replay/replay.ts';
import { keyOf } from '../../core/routing/candidate.ts';
import { TIERS } from '../../core/routing/tier.ts';
import type { ReplayOptions } from './replay-settings.ts';
import type { Simulation } from './simulation.ts';
import type { Sum } from './tally.ts';

/** Records that could not be read: how many, and why the first of them. */
export interface NotRead {
  records: number;
  first: { file: string; line: number; why: string }[];
}

export type ReplayReport = ReturnType<typeof reportOf>;

/** Everything a replay found, as `--json` prints it: numbers and ids, never what was said. */
export function reportOf(
  { tally, bills, counts, period, refused, explained }: Simulation,
  options: ReplayOptions,
  read: { records: number; notRead: NotRead },
) {
  const { policies } = tally;
  const top = policies.top_cached.usd;
  const gross = top - policies.flux.usd;
  const measuring = measuringOf({ policies }, options);
  const net = gross - measuring.oracle_usd - measuring.infra_usd;
  const { tiers } = options;
  return {
    read: { records: read.records, steps: counts.steps, lanes: counts.lanes, other_records: counts.other },
    // Empty where the log has no times.
    period: period.from <= period.to ? periodOf(period) : null,
    basis: options.profile.version === 0 ? ('prior' as const) : ('profile' as const),
    ...{ profile_version: options.profile.version, priced_at: options.day, price_book: PRICE_BOOK_VERSION },
    tiers: Object.fromEntries(TIERS.map((tier) => [tier, tiers[tier].map(keyOf)])),
    baseline: keyOf(options.baseline),
    policies: perPolicy((policy) => {
      const sum = policies[policy];
      const share = (steps: number) => ratio(steps, sum.steps);
      return {
        ...{ cost_usd: roundUsd(sum.usd), vs_top_cached: ratio(sum.usd, top), cache_hit_rate: hitRate(sum) },
        switches: sum.switches,
        share_by_tier: {
          easy: share(sum.tiers.easy),
          medium: share(sum.tiers.medium),
          hard: share(sum.tiers.hard),
        },
      };
    }),
    flux: {
      by_model: [...tally.models]
        .map(([model, sum]) => ({ model, tier: sum.tier, ...figures(sum) }))
        .sort((a, b) => b.cost_usd - a.cost_usd || (a.model < b.model ? -1 : 1)),
      by_tier: TIERS.map((tier) => {
        const own = [...tally.models.values()].filter((sum) => sum.tier === tier);
        return { tier, floors: tally.floors[tier], ...figures(together(own)) };
      }),
      reasons: Object.fromEntries(tally.reasons),
    },
    // Steps that lost a cache of the baseline's, by what had changed in their request.
    cache_lost: Object.fromEntries(tally.lost),
    saving: {
      ...{
        gross_usd: roundUsd(gross),
        oracle_usd: roundUsd(measuring.oracle_usd),
        infra_usd: roundUsd(measuring.infra_usd),
      },
      ...{ net_usd: roundUsd(net), net_pct: top > 0 ? round((100 * net) / top, 100) : null },
      oracle_share: options.oracleShare,
    },
    as_logged: {
      ...{
        answers: bills.answers,
        cost_usd: bills.answers > 0 ? roundUsd(bills.usd) : null,
        tokens: bills.usage,
      },
      ...{ reported: bills.reported, reported_usd: bills.reported > 0 ? roundUsd(bills.reportedUsd) : null },
      not_priced: Object.fromEntries(bills.unpriced),
    },
    not_priced: { steps: total(tally.unpriced), by_model: Object.fromEntries(tally.unpriced) },
    no_model_takes: { steps: total(refused), by_field: Object.fromEntries(refused) },
    not_read: read.notRead,
    estimated: { inputs: counts.inputsEstimated, answers: counts.answersEstimated },
    curve: tally.curve.points(),
    plans: explained,
  };
}

function measuringOf({ policies }: Pick<Simulation['tally'], 'policies'>, options: ReplayOptions) {
  const [cheapest] = options.tiers.easy;
  const provider = cheapest && options.providers.get(cheapest.provider);
  return measuringCost(
    { top: policies.top_cached.usd, cheapest: policies.cheapest_cached.usd, routed: policies.flux.usd },
    policies.flux.steps,
    provider ? priceListOf(provider, cheapest.name, options.day) : null,
    options.oracleShare,
  );
}

function perPolicy<T>(of: (policy: Policy) => T): Record<Policy, T> {
  // The keys of the literal are exactly the policies.
  return Object.fromEntries(POLICIES.map((policy) => [policy, of(policy)])) as Record<Policy, T>;
}

function periodOf({ from, to }: { from: number; to: number }) {
  const iso = (time: number) => new Date(time).toISOString();
  return { from: iso(from), to: iso(to), days: round((to - from) / 86_400_000, 1e4) };
}

function figures(sum: Sum) {
  return {
    ...{ steps: sum.steps, cost_usd: roundUsd(sum.usd), cache_hit_rate: hitRate(sum) },
    ...{ input_tokens: sum.inputTokens, output_tokens: sum.outputTokens },
  };
}

function together(sums: readonly Sum[]): Sum {
  const all: Sum = { steps: 0, usd: 0, inputTokens: 0, readTokens: 0, outputTokens: 0 };
  for (const sum of sums) {
    all.steps += sum.steps;
    all.usd += sum.usd;
    all.inputTokens += sum.inputTokens;
    all.readTokens += sum.readTokens;
    all.outputTokens += sum.outputTokens;
  }
  return all;
}

function hitRate({ readTokens, inputTokens }: Sum): number | null {
  return ratio(readTokens, inputTokens);
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? round(part / whole, 1e4) : null;
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, value) => sum + value, 0);
}

function round(value: number, per: number): number {
  return Math.round(value * per) / per;
}
