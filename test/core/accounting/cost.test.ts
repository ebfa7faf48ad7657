import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOf, totalCost } from '../../../src/core/accounting/cost.ts';
import { pricesOf } from '../../../src/core/accounting/price-book.ts';
import { type Prices, pricesFor } from '../../../src/core/accounting/prices.ts';
import {
  addUsage,
  inputTokens,
  TOKEN_CLASSES,
  type Usage,
  usageOf,
} from '../../../src/core/accounting/usage.ts';
import type { ProviderKind } from '../../../src/core/routing/catalog.ts';

const TODAY = '2026-11-23';

function cost(kind: ProviderKind, model: string, part: Partial<Usage>, at = TODAY): number | null {
  const usage = usageOf(part);
  return costOf(usage, pricesOf({ id: kind, kind }, model, at, inputTokens(usage)));
}

describe('what an answer costs, worked by hand', () => {
  // biome-ignore format: a table
  const rows: [ProviderKind, string, Partial<Usage>, number, string?][] = [
    // 40,000 × 0.10 + 60,000 × 0.01 + 1,000 × 0.50
    ['anthropic', 'claude-haiku-5-5', { fresh: 40_000, read: 60_000, output: 1_000 }, 0.0051],
    // one token more: 40,001 × 0.50 + 60,000 × 0.05 + 1,000 × 2.50
    ['anthropic', 'claude-haiku-5-5', { fresh: 40_001, read: 60_000, output: 1_000 }, 0.0255005],
    ['anthropic', 'claude-haiku-5-5-20261007', { write_5m: 2_000, write_1h: 1_000, output: 500 }, 0.0007],
    // 100,001 × 0.625
    ['anthropic', 'claude-haiku-5-5', { write_5m: 100_001 }, 0.062500625],
    ['anthropic', 'claude-haiku-4-5-20251001', { fresh: 1_000, output: 1_000 }, 0.006],
    // 1,000 × 4 + 2,000 × 5 + 10,000 × 0.20 + 500 × 20
    ['anthropic', 'claude-opus-5-5', { fresh: 1_000, write_5m: 2_000, read: 10_000, output: 500 }, 0.026],
    ['anthropic', 'claude-sonnet-5-5', { read: 100_000, output: 100 }, 0.021, '2026-10-06'],
    ['anthropic', 'claude-sonnet-5-5', { read: 100_000, output: 100 }, 0.011, '2026-10-07'],
    ['anthropic', 'claude-sonnet-5', { read: 100_000, output: 100 }, 0.021],
    ['anthropic', 'claude-sonnet-4-6', { fresh: 200_001 }, 1.200006, '2026-03-12'],
    ['anthropic', 'claude-sonnet-4-6', { fresh: 200_001 }, 0.600003, '2026-03-13'],
    // 1,000 × 8 + 10,000 × 0.20 + 1,000 × 10 + 1,000 × 16 + 100 × 40
    ['anthropic', 'claude-fable-5-2', { fresh: 1_000, read: 10_000, write_5m: 1_000, write_1h: 1_000, output: 100 }, 0.04],
    ['anthropic', 'claude-mythos-5-1', { read: 100_000 }, 0.025],
    // retired, but old logs hold them
    ['anthropic', 'claude-3-5-haiku-20241022', { fresh: 1_000, output: 100 }, 0.0012],
    ['anthropic', 'claude-opus-4-20250918', { fresh: 1_000, output: 100 }, 0.0225],
    // 200,000 × 0.10 + 72,000 × 0.01 + 1,000 × 0.50; then 200,001 × 0.20 + 72,000 × 0.02 + 1,000 × 0.75
    ['openai', 'gpt-6-luna', { fresh: 200_000, read: 72_000, output: 1_000 }, 0.02122],
    ['openai', 'gpt-6-luna', { fresh: 200_001, read: 72_000, output: 1_000 }, 0.0421902],
    ['openai', 'gpt-6.2-sol', { fresh: 1_000, write_30m: 1_000, write_12h: 1_000, read: 1_000, output: 1_000 }, 0.0196],
    ['openai', 'gpt-6.1-terra', { read: 272_001, output: 100 }, 0.0279501],
    ['openai', 'gpt-6-astra', { fresh: 272_000 }, 2.72],
    ['openai', 'gpt-6-astra', { fresh: 272_001 }, 5.44002],
    ['openai', 'gpt-5.6', { fresh: 272_000 }, 1.088],
    ['openai', 'gpt-5.6-luna', { fresh: 1_000, output: 1_000 }, 0.007, '2026-07-29'],
    ['openai', 'gpt-5.6-luna', { fresh: 1_000, output: 1_000 }, 0.0014, '2026-07-30'],
    ['openai', 'gpt-4o-2024-08-06', { fresh: 1_000, read: 1_000, output: 100 }, 0.00475],
    ['openai', 'gpt-4o-2024-05-13', { fresh: 1_000, output: 100 }, 0.0065],
    ['openai', 'o1', { fresh: 1_000, read: 1_000, output: 100 }, 0.0285],
  ];
  it.each(rows)('%s %s %o costs %d USD (%s)', (kind, model, usage, usd, at) => {
    expect(cost(kind, model, usage, at)).toBe(usd);
  });
});

const tokens = fc.integer({ min: 0, max: 2_000_000 });
const usages: fc.Arbitrary<Usage> = fc.record({
  fresh: tokens,
  write_5m: tokens,
  write_1h: tokens,
  write_30m: tokens,
  write_12h: tokens,
  read: tokens,
  output: tokens,
});
const price = fc.integer({ min: 0, max: 200_000 }).map((mills) => mills / 1000);
const priced: fc.Arbitrary<Prices> = fc.record({
  fresh: price,
  write_5m: price,
  write_1h: price,
  write_30m: price,
  write_12h: price,
  read: price,
  output: price,
});

/** The cost of a usage all of whose classes have a price. */
function known(usage: Usage, prices: Prices): number {
  const usd = costOf(usage, prices);
  if (usd === null) throw new Error('every class has a price');
  return usd;
}

describe('cost as a function', () => {
  it('is the sum of its classes, each counted once', () => {
    fc.assert(
      fc.property(usages, priced, (usage, prices) => {
        const parts = TOKEN_CLASSES.map((name) => costOf(usageOf({ [name]: usage[name] }), prices));
        expect(totalCost(parts)).toBeCloseTo(known(usage, prices), 9);
        expect(inputTokens(usage) + usage.output).toBe(
          TOKEN_CLASSES.reduce((sum, name) => sum + usage[name], 0),
        );
      }),
    );
  });

  it('adds up over answers and grows with tokens, at the same prices', () => {
    fc.assert(
      fc.property(usages, usages, priced, (a, b, prices) => {
        const both = known(addUsage(a, b), prices);
        expect(both).toBeCloseTo(known(a, prices) + known(b, prices), 9);
        expect(both).toBeGreaterThanOrEqual(known(a, prices));
      }),
    );
  });

  it('does not count thinking twice', () => {
    const prices = pricesFor({ fresh: 1, output: 10 });
    expect(costOf(usageOf({ fresh: 10, output: 100, thinking: 90 }), prices)).toBe(
      costOf(usageOf({ fresh: 10, output: 100 }), prices),
    );
  });

  it('is unknown where an attempt is, and 0 for no attempts', () => {
    expect(totalCost([0.1, null, 0.2])).toBeNull();
    expect(totalCost([])).toBe(0);
    expect(totalCost([0.1, 0.2])).toBe(0.3);
  });
});
