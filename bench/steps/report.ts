import { TIERS } from '../../src/core/routing/tier.ts';
import { type Evidence, providerCost, sum } from './audit.ts';
import { tokensOf } from './log-rows.ts';

/** One provider's figures: a member of the last line's `providers`. */
export interface Report {
  steps: number;
  streamed: number;
  by_tier: Record<string, { steps: number; cost_usd: number }>;
  by_model: Record<string, number>;
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  /** Of the input, 0–1. */
  cache_read_share: number;
  cost_usd: number;
  /** The same steps on the top model with a warm prompt cache. */
  baseline_cost_usd: number;
  /** cost / baseline. */
  vs_warm_top: number;
  /** By the providers' own records of their usage. */
  provider_cost_usd: number;
  /** What bench:agents says, and how the providers' records stand to it; null but with --apart. */
  planned_cost_usd: number | null;
  vs_planned: number | null;
  elapsed_s: number;
  problems: number;
}

/** Adds up what was answered and logged. */
export function summarise(evidence: Evidence, elapsedMs: number, problems: number): Report {
  const { answers, log, planned } = evidence;
  const billed = providerCost(evidence);
  const tiers = Map.groupBy(answers, (one) => one.tier);
  const names = [...TIERS, ...[...tiers.keys()].filter((name) => !TIERS.some((tier) => tier === name))];
  const output = sum(log.map((row) => row.tokens_output));
  const input = sum(log.flatMap((row) => Object.values(tokensOf(row)))) - output;
  const read = sum(log.map((row) => row.tokens_read));
  const cost = sum(answers.map((one) => one.costUsd));
  const baseline = sum(answers.map((one) => one.baselineUsd));
  return {
    steps: answers.length,
    streamed: answers.filter((one) => one.streamed).length,
    by_tier: Object.fromEntries(
      names.map((tier) => {
        const steps = tiers.get(tier) ?? [];
        return [tier, { steps: steps.length, cost_usd: usd(sum(steps.map((one) => one.costUsd))) }];
      }),
    ),
    by_model: Object.fromEntries(
      [...Map.groupBy(answers, (one) => one.model)].map(([model, steps]) => [model, steps.length]),
    ),
    input_tokens: input,
    output_tokens: output,
    cache_read_tokens: read,
    cache_read_share: rounded(input === 0 ? 0 : read / input, 4),
    cost_usd: usd(cost),
    baseline_cost_usd: usd(baseline),
    vs_warm_top: rounded(baseline === 0 ? 0 : cost / baseline, 4),
    provider_cost_usd: usd(billed),
    planned_cost_usd: planned === null ? null : usd(planned),
    vs_planned: planned ? rounded(billed / planned, 4) : null,
    elapsed_s: rounded(elapsedMs / 1000, 1),
    problems,
  };
}

/** The figures as a person reads them. */
export function describe(provider: string, report: Report): string {
  const tiers = Object.entries(report.by_tier).map(
    ([tier, { steps, cost_usd }]) =>
      `  ${tier.padEnd(8)}${String(steps).padStart(6)} steps  $${cost_usd.toFixed(4)}`,
  );
  const percent = (100 * report.cache_read_share).toFixed(1);
  return [
    `${provider}: ${report.steps} steps answered, ${report.streamed} of them streamed, in ${report.elapsed_s} s`,
    ...tiers,
    `  cache reads     ${report.cache_read_tokens} of ${report.input_tokens} input tokens (${percent} %)`,
    `  cost            $${report.cost_usd.toFixed(4)}`,
    `  warm-cached top $${report.baseline_cost_usd.toFixed(4)}`,
    `  ratio           ${report.vs_warm_top.toFixed(3)}`,
    ...(report.planned_cost_usd === null || report.vs_planned === null
      ? []
      : [
          `  provider's own  $${report.provider_cost_usd.toFixed(4)}`,
          `  by bench:agents $${report.planned_cost_usd.toFixed(4)} (${report.vs_planned.toFixed(3)} of it)`,
        ]),
  ].join('\n');
}

function usd(value: number): number {
  return rounded(value, 8);
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
