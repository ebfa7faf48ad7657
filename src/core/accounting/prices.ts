import type { TokenClass } from './usage.ts';

/** USD per million tokens of each class; null: the class has no price on this model. */
export type Prices = Readonly<Record<TokenClass, number | null>>;

/** Prices of a whole request, output too, whose prompt (cache tokens included) has more than `above` tokens (T70). */
export interface PriceStep {
  above: number;
  prices: Prices;
}

/** Steps by prompt length, ascending; the first is `above: 0` and holds for an empty prompt too. */
export type PriceList = readonly [PriceStep, ...PriceStep[]];

/**
 * A price from the configuration, USD per million tokens; 0 is a price. Cached reads and writes without a price
 * of their own are billed as plain input.
 */
export interface ConfiguredPrice {
  input: number;
  output: number;
  cache_read?: number | undefined;
  /** All writes, whatever their lifetime, unless `cache_write_long` is set. */
  cache_write?: number | undefined;
  /** Anthropic's 1-hour and OpenAI's 12-hour writes. */
  cache_write_long?: number | undefined;
}

/** A provider's configured prices, by model id as configured. */
export type ConfiguredPrices = Readonly<Record<string, ConfiguredPrice>>;

/** Prices with the given classes, and none for the others. */
export function pricesFor(part: Partial<Prices>): Prices {
  return {
    fresh: null,
    write_5m: null,
    write_1h: null,
    write_30m: null,
    write_12h: null,
    read: null,
    output: null,
    ...part,
  };
}

/** The step a prompt of this many tokens is billed by. */
export function stepFor(list: PriceList, promptTokens: number): PriceStep {
  let step = list[0];
  for (const next of list) if (promptTokens > next.above) step = next;
  return step;
}
