import type { Prices } from './prices.ts';
import { TOKEN_CLASSES, type Usage } from './usage.ts';

/**
 * USD of one answer, to 1e-12. Null where the price is unknown, or where tokens occur in a class that has none
 * (T42): a guess of 0 would open every budget.
 */
export function costOf(usage: Usage, prices: Prices | null): number | null {
  if (prices === null) return null;
  let microUsd = 0;
  for (const name of TOKEN_CLASSES) {
    if (usage[name] === 0) continue;
    const price = prices[name];
    if (price === null) return null;
    microUsd += usage[name] * price;
  }
  return roundUsd(microUsd / 1e6);
}

/** USD of several answers, e.g. all attempts of a step, failed ones too; null as soon as one is unknown. */
export function totalCost(costs: readonly (number | null)[]): number | null {
  let total = 0;
  for (const cost of costs) {
    if (cost === null) return null;
    total += cost;
  }
  return roundUsd(total);
}

/** USD to 1e-12: a millionth of the cheapest token, and what the log's columns hold. */
export function roundUsd(usd: number): number {
  return Math.round(usd * 1e12) / 1e12;
}
