import { POLICIES } from '../../src/core/replay/replay.ts';
import type { CellResult } from './job.ts';

const NAMES = {
  top_uncached: 'always top, no cache',
  top_cached: 'always top, cached',
  cheapest_cached: 'always cheapest, cached (no floor)',
  compression: 'compressed prompt, top, cached',
  tiers_uncached: 'tiers per step, no cache',
  tiers_cached: 'tiers per step, cached (naive)',
  greedy: 'greedy: cheapest now',
  flux: 'FluxCompute',
} as const;

/** The bench's score: of a set's cells, the mean and the worst. */
export interface SetSummary {
  cells: number;
  policies: Record<string, Record<string, number | null>>;
}

export function summarise(cells: readonly CellResult[]): Record<string, SetSummary> {
  // The scorer's own floors stand apart from those that are drawn.
  const bySet = Map.groupBy(cells, ({ tiers, mix }) => (mix === 'scored' ? `${tiers}, scored` : tiers));
  return Object.fromEntries(
    [...bySet].map(([tiers, own]) => {
      const policies = POLICIES.map((policy) => {
        const of = (
          figure: 'vs_top' | 'vs_clairvoyant' | 'vs_informed' | 'net_vs_top' | 'unsafe' | 'hit_rate',
        ) => own.flatMap((cell) => cell.policies[policy][figure] ?? []);
        return [
          policy,
          {
            ...{ vs_top: mean(of('vs_top')), worst_vs_top: worst(of('vs_top')) },
            ...{
              vs_clairvoyant: mean(of('vs_clairvoyant')),
              worst_vs_clairvoyant: worst(of('vs_clairvoyant')),
            },
            ...{ vs_informed: mean(of('vs_informed')), worst_vs_informed: worst(of('vs_informed')) },
            ...{ net_vs_top: mean(of('net_vs_top')), worst_net_vs_top: worst(of('net_vs_top')) },
            ...{
              hit_rate: mean(of('hit_rate')),
              unsafe: of('unsafe').reduce((sum, value) => sum + value, 0),
            },
          },
        ];
      });
      return [tiers, { cells: own.length, policies: Object.fromEntries(policies) }];
    }),
  );
}

/** The summary as tables, one a set. */
export function describe(summary: Record<string, SetSummary>): string {
  return Object.entries(summary)
    .map(([tiers, { cells, policies }]) =>
      [
        `\n${tiers}: mean of ${cells} cells (worst)`,
        row('', 'over top, cached', 'over clairvoyant', 'over informed', 'net over top', 'hits', 'unsafe'),
        ...POLICIES.map((policy) => {
          const one = policies[policy] ?? {};
          const pair = (name: string) => `${number(one[name])} (${number(one[`worst_${name}`])})`;
          return row(
            ...([NAMES[policy], pair('vs_top'), pair('vs_clairvoyant'), pair('vs_informed')] as const),
            ...([pair('net_vs_top'), number(one.hit_rate), String(one.unsafe ?? 0)] as const),
          );
        }),
      ].join('\n'),
    )
    .join('\n');
}

function row(name: string, ...figures: readonly string[]): string {
  return name.padEnd(36) + figures.map((figure, i) => figure.padStart(i < 4 ? 18 : 8)).join('');
}

function number(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : value.toFixed(3);
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function worst(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}
