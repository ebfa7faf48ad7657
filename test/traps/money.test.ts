import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baselineOf } from '../../src/core/accounting/baseline.ts';
import { costOf } from '../../src/core/accounting/cost.ts';
import { pricesOf } from '../../src/core/accounting/price-book.ts';
import { savingsOf } from '../../src/core/accounting/savings.ts';
import {
  inputTokens,
  TOKEN_CLASSES,
  type TokenClass,
  type Usage,
  usageOf,
} from '../../src/core/accounting/usage.ts';
import { cacheRulesOf } from '../../src/core/context/cache-rules.ts';
import { modelOrAssumed, type ProviderKind } from '../../src/core/routing/catalog.ts';

const TODAY = '2026-11-23';

function cost(kind: ProviderKind, model: string, part: Partial<Usage>, at = TODAY): number | null {
  const usage = usageOf(part);
  return costOf(usage, pricesOf({ id: kind, kind }, model, at, inputTokens(usage)));
}

describe('traps: money', () => {
  it('traps T40: a token is in one class, so cached input is billed once', () => {
    // OpenAI's prompt_tokens 10,000 with 9,000 cached; Anthropic's input_tokens 1,000 with 9,000 read.
    const usage = { fresh: 1_000, read: 9_000 };
    expect(inputTokens(usageOf(usage))).toBe(10_000);
    expect(cost('openai', 'gpt-6.2-sol', usage)).toBe(0.0029);
    expect(cost('anthropic', 'claude-opus-5-5', usage)).toBe(0.0058);
  });

  it('traps T41: one-hour writes cost more than five-minute ones', () => {
    expect(cost('anthropic', 'claude-opus-5-5', { write_5m: 10_000 })).toBe(0.05);
    expect(cost('anthropic', 'claude-opus-5-5', { write_1h: 10_000 })).toBe(0.08);
  });

  it('traps T41: a snapshot in the response is priced as what it is, at the price of its day', () => {
    expect(cost('openai', 'gpt-4o-2024-05-13', { fresh: 1_000 })).toBe(0.005);
    expect(cost('openai', 'gpt-4o', { fresh: 1_000 })).toBe(0.0025);
    expect(cost('openai', 'o3', { fresh: 1_000 }, '2025-06-09')).toBe(0.01);
    expect(cost('openai', 'o3', { fresh: 1_000 })).toBe(0.002);
  });

  it.each<[ProviderKind, string]>([
    ['openai', 'local-model'],
    ['openai', 'gpt-oss-120b'],
    ['openai', 'constructor'],
    ['openai', '__proto__'],
    ['openai', ''],
    ['anthropic', 'claude-sonnet-5-7'],
    ['anthropic', 'claude-haiku-6'],
    ['anthropic', 'claude-opus-4-8-fast'],
    ['anthropic', 'gpt-6-luna'],
  ])('traps T42: %s "%s" has no price, so its cost is unknown and not 0', (kind, model) => {
    expect(pricesOf({ id: kind, kind }, model, TODAY, 1_000)).toBeNull();
    expect(cost(kind, model, { fresh: 1_000 })).toBeNull();
  });

  it('traps T42: tokens of a class without a price make the cost unknown; no such tokens do not', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<TokenClass>(...TOKEN_CLASSES),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 0, max: 1_000_000 }),
        (missing, tokens, others) => {
          const all = { fresh: 1, write_5m: 1, write_1h: 1, write_30m: 1, write_12h: 1, read: 1, output: 1 };
          const prices = { ...all, [missing]: null };
          const usage = usageOf({ fresh: others, output: others });
          expect(costOf({ ...usage, [missing]: tokens }, prices)).toBeNull();
          expect(costOf({ ...usage, [missing]: 0 }, prices)).not.toBeNull();
        },
      ),
    );
    expect(cost('openai', 'gpt-6-luna', { fresh: 1_000, write_5m: 1 })).toBeNull();
  });

  it('traps T42: an unknown cost makes savings unknown', () => {
    expect(savingsOf(0.01, null)).toEqual({ savings_usd: null, savings_pct: null });
  });

  it('traps T44: the baseline reads a warm cache, so a cheap model that starts cold saves little or loses', () => {
    const provider = { id: 'anthropic', kind: 'anthropic' } as const;
    const offered = (name: string) => ({ provider, name, model: modelOrAssumed('anthropic', name) });
    // A switch to sonnet in a session of 50,000 tokens writes all of them; opus would have read 49,000.
    const usage = usageOf({ write_5m: 50_000, output: 100 });
    const costUsd = cost('anthropic', 'claude-sonnet-5-5', usage);
    const baseline = baselineOf({
      served: { ...offered('claude-sonnet-5-5'), usage },
      costUsd,
      split: { total: 50_000, beforeLastAssistant: 49_000 },
      top: offered('claude-opus-5-5'),
      at: TODAY,
      pinned: false,
    });
    expect(costUsd).toBe(0.126);
    expect(baseline.cost_usd).toBe(0.0168);
    expect(savingsOf(baseline.cost_usd, costUsd).savings_usd).toBe(-0.1092);
  });

  // biome-ignore format: a table
  it.each<[ProviderKind, string, number]>([
    ['anthropic', 'claude-opus-5-5', 512], ['anthropic', 'claude-haiku-5-5', 512], ['anthropic', 'claude-sonnet-5', 1_024],
    ['anthropic', 'claude-opus-4-7', 2_048], ['anthropic', 'claude-haiku-4-5-20251001', 4_096],
    ['openai', 'gpt-6-luna', 1_024], ['openai', 'gpt-4o', 1_024],
  ])('traps T54: %s %s caches from %d tokens on', (kind, id, minimum) => {
    expect(cacheRulesOf(modelOrAssumed(kind, id)).minimum).toBe(minimum);
  });

  it.each([
    ['gpt-5.5', 'fresh'],
    ['gpt-5.6-terra', 'write_30m'],
    ['gpt-6.2-sol', 'write_30m'],
    ['gpt-7-sol', 'write_30m'],
    ['gpt-4o', 'fresh'],
    ['qwen-4', 'fresh'],
  ])('traps T55: %s writes its cache as %s', (id, write) => {
    expect(cacheRulesOf(modelOrAssumed('openai', id)).default.write).toBe(write);
  });

  it.each<[ProviderKind, string, number, TokenClass, number]>([
    ['anthropic', 'claude-haiku-5-5', 100_000, 'read', 5],
    ['openai', 'gpt-6-luna', 272_000, 'read', 2],
    ['openai', 'gpt-5.4', 272_000, 'fresh', 2],
  ])(
    'traps T70: %s %s above %d tokens, cached ones too, costs more for the whole request',
    (kind, model, limit, name, factor) => {
      const below = cost(kind, model, { [name]: limit, output: 0 }) ?? Number.NaN;
      const above = cost(kind, model, { [name]: limit + 1, output: 0 }) ?? Number.NaN;
      expect(above / below).toBeCloseTo(factor, 3);
      const output = (input: number) =>
        (cost(kind, model, { [name]: input, output: 1_000_000 }) ?? 0) -
        (cost(kind, model, { [name]: input }) ?? 0);
      expect(output(limit + 1)).toBeGreaterThan(output(limit));
    },
  );
});
