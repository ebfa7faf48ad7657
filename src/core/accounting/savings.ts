import { roundUsd } from './cost.ts';

/** What routing saved on a step, or cost: negative figures are shown as they are (T44). */
export interface Savings {
  savings_usd: number | null;
  /** Of the baseline, 0–100, to 1e-4; null where the baseline is 0 or unknown. */
  savings_pct: number | null;
}

/** Baseline minus cost; unknown as soon as either is. */
export function savingsOf(baselineUsd: number | null, costUsd: number | null): Savings {
  if (baselineUsd === null || costUsd === null) return { savings_usd: null, savings_pct: null };
  const saved = roundUsd(baselineUsd - costUsd);
  const percent = baselineUsd === 0 ? null : Math.round((saved / baselineUsd) * 1e6) / 1e4;
  return { savings_usd: saved, savings_pct: percent };
}
