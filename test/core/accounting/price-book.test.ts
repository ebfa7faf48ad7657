import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { costOf } from '../../../src/core/accounting/cost.ts';
import { PRICE_BOOK_VERSION, priceListOf, pricesOf } from '../../../src/core/accounting/price-book.ts';
import { usageOf } from '../../../src/core/accounting/usage.ts';
import { catalogModels } from '../../../src/core/routing/catalog.ts';

const TODAY = '2026-11-23';
const openai = { id: 'openai', kind: 'openai' } as const;
const anthropic = { id: 'anthropic', kind: 'anthropic' } as const;

describe('the price book', () => {
  it('knows input, output and cached reads of every model in the catalogue', () => {
    const without: string[] = [];
    for (const provider of [openai, anthropic]) {
      for (const model of catalogModels(provider.kind)) {
        const prices = pricesOf(provider, model.id, TODAY, 1_000);
        expect(prices?.fresh, model.id).toBeGreaterThan(0);
        expect(prices?.output, model.id).toBeGreaterThan(0);
        if (prices?.read === null) without.push(model.id);
      }
    }
    // No cached price is published for these.
    expect(without).toEqual([
      'gpt-5.5-pro',
      'gpt-5.4-pro',
      'gpt-4o-2024-05-13',
      'gpt-4-turbo',
      'gpt-4',
      'gpt-3.5-turbo',
    ]);
  });

  it('charges OpenAI for cache writes from GPT-5.6 on only', () => {
    const writes = (id: string) => pricesOf(openai, id, TODAY, 1_000)?.write_30m;
    expect(writes('gpt-5.5')).toBeNull();
    expect(writes('gpt-5.6-sol')).toBe(5);
    expect(writes('gpt-6-luna')).toBe(0.125);
    expect(writes('gpt-6.2-sol')).toBe(2.5);
  });

  it('shows the price steps ahead', () => {
    const steps = (list: ReturnType<typeof priceListOf>) => list?.map((step) => step.above);
    expect(steps(priceListOf(anthropic, 'claude-haiku-5-5', TODAY))).toEqual([0, 100_000]);
    expect(steps(priceListOf(openai, 'gpt-5.4', TODAY))).toEqual([0, 272_000]);
    expect(steps(priceListOf(anthropic, 'claude-opus-5-5', TODAY))).toEqual([0]);
  });

  it('prices a day before a model existed at its first price, for replays', () => {
    expect(pricesOf(anthropic, 'claude-sonnet-5-5', '2025-01-01', 1_000)?.read).toBe(0.2);
  });

  it('takes a time as well as a day', () => {
    expect(pricesOf(anthropic, 'claude-sonnet-5-5', '2026-10-06T23:59:59.999Z', 1_000)?.read).toBe(0.2);
    expect(pricesOf(anthropic, 'claude-sonnet-5-5', '2026-10-07T00:00:00Z', 1_000)?.read).toBe(0.1);
  });

  it('puts the version of the installed package and the date of our overrides on every row', () => {
    const manifest: unknown = JSON.parse(
      readFileSync('node_modules/@pydantic/genai-prices/package.json', 'utf8'),
    );
    const { version } = manifest as { version: string }; // its own package.json
    expect(PRICE_BOOK_VERSION).toMatch(new RegExp(`^genai-prices-${version}\\+\\d{4}-\\d{2}-\\d{2}$`));
  });
});

describe('configured prices', () => {
  const local = {
    id: 'vllm',
    kind: 'openai',
    prices: {
      'qwen-4': { input: 0, output: 0 },
      'gpt-4o': { input: 1, output: 2, cache_read: 0.25 },
      metered: { input: 1, output: 2, cache_write: 1.25, cache_write_long: 2.5 },
    },
  } as const;

  it('take 0 for a price', () => {
    const usage = usageOf({ fresh: 1_000, read: 500, output: 10 });
    expect(costOf(usage, pricesOf(local, 'qwen-4', TODAY, 1_500))).toBe(0);
  });

  it('go before the book, for snapshots of the model too', () => {
    expect(pricesOf(local, 'gpt-4o', TODAY, 1_000)?.fresh).toBe(1);
    expect(pricesOf(local, 'gpt-4o-2024-08-06', TODAY, 1_000)?.read).toBe(0.25);
    expect(pricesOf(local, 'gpt-4o-mini', TODAY, 1_000)?.fresh).toBe(0.15);
  });

  it('bill cache tokens as plain input where no cache price is given', () => {
    expect(pricesOf(local, 'gpt-4o', TODAY, 1_000)?.write_30m).toBe(1);
    expect(pricesOf(local, 'metered', TODAY, 1_000)).toEqual({
      fresh: 1,
      write_5m: 1.25,
      write_1h: 2.5,
      write_30m: 1.25,
      write_12h: 2.5,
      read: 1,
      output: 2,
    });
  });
});
