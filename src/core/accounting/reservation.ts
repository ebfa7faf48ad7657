import type { Candidate } from '../routing/candidate.ts';
import { type PricedProvider, priceListOf } from './price-book.ts';
import { TOKEN_CLASSES } from './usage.ts';

/** What a step may take, before it is planned: bounds, not estimates. */
export interface StepBound {
  /** No token is shorter than a byte. */
  inputBytes: number;
  /** `max_tokens`, or what counts where the client names none. */
  maxTokens: number;
  /** UTC day or time, for prices that change. */
  at: string;
}

/**
 * What a step can cost at most, in USD, whatever its plan will be: each tier tried once, on the dearest model there, all
 * input at the dearest class a byte a token, and all output that may come.
 *
 * @param models those that the step may go to; their tiers tell how many attempts there can be
 * @returns null where one of them has no price: then nothing bounds it
 */
export function costBound(
  models: readonly Candidate[],
  providers: ReadonlyMap<string, PricedProvider>,
  { inputBytes, maxTokens, at }: StepBound,
): { usd: number } | { unpriced: Candidate } {
  let dearest = 0;
  for (const candidate of models) {
    const provider = providers.get(candidate.provider);
    const list = provider ? priceListOf(provider, candidate.name, at) : null;
    if (!list) return { unpriced: candidate };
    for (const { above, prices } of list) {
      // A step of the price list that no prompt of so many bytes reaches.
      if (above >= inputBytes && above > 0) continue;
      const input = Math.max(
        ...TOKEN_CLASSES.filter((name) => name !== 'output').map((name) => prices[name] ?? 0),
      );
      dearest = Math.max(dearest, (inputBytes * input + maxTokens * (prices.output ?? 0)) / 1e6);
    }
  }
  const attempts = new Set(models.map(({ tier }) => tier)).size;
  return { usd: dearest * Math.max(1, attempts) };
}
