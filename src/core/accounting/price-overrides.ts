import type { ProviderKind } from '../routing/catalog-model.ts';
import { type PriceList, type PriceStep, pricesFor } from './prices.ts';

/** The day these overrides were last checked against the providers' pages. */
export const OVERRIDES_DATE = '2026-11-23';

/** A model's prices from a UTC day on; the earliest row also holds for the days before it. */
export interface DatedPrices {
  from: string;
  list: PriceList;
}

/** Anthropic: in, out, cached read, 5-minute write, 1-hour write. */
function claude(input: number, output: number, read: number, write5m: number, write1h: number): PriceStep {
  return {
    above: 0,
    prices: pricesFor({ fresh: input, output, read, write_5m: write5m, write_1h: write1h }),
  };
}

/**
 * OpenAI from 6.1 on: in, out, cached read, 30-minute and 12-hour write. Above 272,000 tokens of input the whole
 * request costs twice for input and cache and 1.5 times for output (pricing page: "above", not "from").
 */
function gpt(input: number, output: number, read: number, write30m: number, write12h: number): PriceList {
  const step = (above: number, by: number, outputBy: number): PriceStep => ({
    above,
    prices: pricesFor({
      fresh: input * by,
      output: output * outputBy,
      read: read * by,
      write_30m: write30m * by,
      write_12h: write12h * by,
    }),
  });
  return [step(0, 1, 1), step(272_000, 2, 1.5)];
}

/** What genai-prices 0.1.8 lacks or has wrong, by model id, oldest row first. */
export const PRICE_OVERRIDES: Readonly<
  Record<ProviderKind, Readonly<Record<string, readonly DatedPrices[]>>>
> = {
  anthropic: {
    // genai-prices takes it for claude-sonnet-5. Reads at 0.05 × input since 2026-10-07 (sonnet-5-5 migration page).
    'claude-sonnet-5-5': [
      { from: '2026-09-28', list: [claude(2, 10, 0.2, 2.5, 4)] },
      { from: '2026-10-07', list: [claude(2, 10, 0.1, 2.5, 4)] },
    ],
    // Above 100,000 prompt tokens, cache included, the whole request costs five times as much (haiku-5-5 page).
    'claude-haiku-5-5': [
      {
        from: '2026-10-07',
        list: [claude(0.1, 0.5, 0.01, 0.125, 0.2), { ...claude(0.5, 2.5, 0.05, 0.625, 1), above: 100_000 }],
      },
    ],
    // Announcement of 2026-11-10, "same as list price"; the 1-hour write by the general rule of 2 × input.
    'claude-fable-5-2': [{ from: '2026-11-09', list: [claude(8, 40, 0.2, 10, 16)] }],
    'claude-mythos-5-2': [{ from: '2026-11-09', list: [claude(8, 40, 0.2, 10, 16)] }],
    // Mythos is Fable for verified organisations, at Fable's prices; its 5.1 reads at 0.025 × input.
    'claude-mythos-5-1': [{ from: '2026-09-01', list: [claude(10, 50, 0.25, 12.5, 20)] }],
    'claude-mythos-5': [{ from: '2026-06-09', list: [claude(10, 50, 1, 12.5, 20)] }],
  },
  openai: {
    'gpt-6.2-sol': [{ from: '2026-11-17', list: gpt(2, 10, 0.1, 2.5, 5) }],
    // The 12-hour write by the rule on Terra's page, 2.5 × input.
    'gpt-6.1-sol': [{ from: '2026-09-29', list: gpt(2, 10, 0.1, 2.5, 5) }],
    'gpt-6.1-terra': [{ from: '2026-10-26', list: gpt(1, 5, 0.05, 1.25, 2.5) }],
  },
};
