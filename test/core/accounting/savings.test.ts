import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BaselineInput, baselineOf, type OfferedModel } from '../../../src/core/accounting/baseline.ts';
import { savingsOf } from '../../../src/core/accounting/savings.ts';
import { type Usage, usageOf } from '../../../src/core/accounting/usage.ts';
import { modelOrAssumed, type ProviderKind } from '../../../src/core/routing/catalog.ts';

function offered(kind: ProviderKind, name: string): OfferedModel {
  return { provider: { id: kind, kind }, name, model: modelOrAssumed(kind, name) };
}

const haiku = offered('anthropic', 'claude-haiku-5-5');
const opus = offered('anthropic', 'claude-opus-5-5');
const luna = offered('openai', 'gpt-6-luna');
const sol = offered('openai', 'gpt-6.2-sol');

function baseline(
  served: OfferedModel,
  usage: Partial<Usage>,
  top: OfferedModel,
  split: [total: number, before: number],
  part: Partial<BaselineInput> = {},
) {
  return baselineOf({
    served: { ...served, usage: usageOf(usage) },
    costUsd: 0.001,
    split: { total: split[0], beforeLastAssistant: split[1] },
    top,
    at: '2026-11-23',
    pinned: false,
    ...part,
  });
}

describe('the baseline of a step', () => {
  it('writes everything on a first step', () => {
    // 6,000 × 5 + 200 × 20
    expect(baseline(haiku, { write_5m: 6_000, output: 200 }, opus, [5_900, 0])).toEqual({
      model: 'claude-opus-5-5',
      cost_usd: 0.034,
      estimated: ['baseline'],
    });
  });

  it('reads what stood before the last answer and writes the rest, the observed input split as estimated', () => {
    // estimated at 4,000 of which 3,000; observed 8,000: 6,000 × 0.20 + 2,000 × 5 + 100 × 20
    expect(baseline(haiku, { read: 6_000, write_5m: 2_000, output: 100 }, opus, [4_000, 3_000])).toEqual({
      model: 'claude-opus-5-5',
      cost_usd: 0.0132,
      estimated: ['baseline', 'warm'],
    });
  });

  it('writes for 30 minutes on OpenAI', () => {
    // 6,000 × 0.10 + 2,000 × 2.50 + 100 × 10
    expect(baseline(luna, { fresh: 8_000, output: 100 }, sol, [8_000, 6_000]).cost_usd).toBe(0.0066);
  });

  it('writes free and reads by 128 tokens on OpenAI before GPT-5.6', () => {
    // 1,920 × 0.50 + 2,080 × 2 + 100 × 8
    const top = offered('openai', 'gpt-4.1');
    expect(baseline(luna, { fresh: 4_000, output: 100 }, top, [4_000, 2_000]).cost_usd).toBe(0.00592);
  });

  it('reads at the plain price where no cached price is published', () => {
    const top = offered('openai', 'gpt-5.5-pro');
    expect(baseline(luna, { fresh: 4_000, output: 100 }, top, [4_000, 2_000]).cost_usd).toBe(0.138);
  });

  it('counts with the tokenizer of the top', () => {
    // 1,000 and 100 tokens of luna are 1,300 and 130 of opus: 1,300 × 5 + 130 × 20
    expect(baseline(luna, { fresh: 1_000, output: 100 }, opus, [1_000, 0]).cost_usd).toBe(0.0091);
    // and 1,300 of haiku are 1,000 of sol: 1,000 × 2 (under its minimum of 1,024) + 100 × 10
    expect(baseline(haiku, { fresh: 1_300, output: 130 }, sol, [1_300, 0]).cost_usd).toBe(0.003);
  });

  it('steps with the length the prompt has on the top', () => {
    const top = offered('anthropic', 'claude-haiku-5-5');
    // 80,000 tokens of luna are 104,000 of haiku: 104,000 × 0.625
    expect(baseline(luna, { fresh: 80_000 }, top, [80_000, 0]).cost_usd).toBe(0.065);
  });

  it('is the answer itself where the top answered from a warm cache', () => {
    // 5,500 × 0.20 + 2,500 × 5 + 100 × 20
    const usage = { read: 5_500, write_5m: 2_500, output: 100 };
    expect(baseline(opus, usage, opus, [8_000, 6_000])).toEqual({
      model: 'claude-opus-5-5',
      cost_usd: 0.0156,
      estimated: [],
    });
    expect(baseline(opus, { write_5m: 8_000 }, opus, [8_000, 0]).estimated).toEqual([]);
  });

  it('is warm where the top answered cold, coming back from a cheaper model', () => {
    const cold = baseline(opus, { write_5m: 8_000, output: 100 }, opus, [8_000, 6_000]);
    expect(cold).toEqual({ model: 'claude-opus-5-5', cost_usd: 0.0132, estimated: ['baseline', 'warm'] });
    // it cost 8,000 × 5 + 100 × 20
    expect(savingsOf(cold.cost_usd, 0.042)).toEqual({ savings_usd: -0.0288, savings_pct: -218.1818 });
  });

  it('of a pinned model is that model, and saves nothing', () => {
    const pinned = baseline(haiku, { write_5m: 6_000 }, opus, [6_000, 0], { pinned: true, costUsd: 0.00075 });
    expect(pinned).toEqual({ model: 'claude-haiku-5-5', cost_usd: 0.00075, estimated: [] });
    expect(savingsOf(pinned.cost_usd, 0.00075)).toEqual({ savings_usd: 0, savings_pct: 0 });
  });

  it('is unknown where the price of the top is', () => {
    const top = offered('openai', 'local-model');
    expect(baseline(haiku, { write_5m: 6_000 }, top, [6_000, 0]).cost_usd).toBeNull();
  });

  it('is free where the top is configured to be', () => {
    const provider = {
      id: 'vllm',
      kind: 'openai',
      prices: { 'local-model': { input: 0, output: 0 } },
    } as const;
    const top = { provider, name: 'local-model', model: modelOrAssumed('openai', 'local-model') };
    const free = baseline(haiku, { write_5m: 6_000 }, top, [6_000, 0]);
    expect(savingsOf(free.cost_usd, 0.001)).toEqual({ savings_usd: -0.001, savings_pct: null });
  });

  it('never costs more warm than the same step without a warm prefix', () => {
    const tokens = fc.integer({ min: 0, max: 200_000 });
    fc.assert(
      fc.property(tokens, tokens, tokens, (a, b, output) => {
        const [before, total] = a < b ? [a, b] : [b, a];
        const usage = { fresh: total, output };
        const warm = baseline(haiku, usage, opus, [total, before]).cost_usd ?? Number.NaN;
        const first = baseline(haiku, usage, opus, [total, 0]).cost_usd ?? Number.NaN;
        expect(warm).toBeLessThanOrEqual(first);
      }),
    );
  });
});

describe('savings', () => {
  it('are the baseline minus the cost, and a share of the baseline', () => {
    expect(savingsOf(0.034, 0.00085)).toEqual({ savings_usd: 0.03315, savings_pct: 97.5 });
    const usd = fc.integer({ min: 0, max: 1e9 }).map((nano) => nano / 1e9);
    fc.assert(
      fc.property(usd, usd, (base, cost) => {
        const { savings_usd, savings_pct } = savingsOf(base, cost);
        expect(savings_usd).toBeCloseTo(base - cost, 11);
        if (base === 0) expect(savings_pct).toBeNull();
        else expect(Math.sign(savings_pct ?? 0) * Math.sign(base - cost)).not.toBe(-1);
      }),
    );
  });

  it('are unknown where either is', () => {
    const unknown = { savings_usd: null, savings_pct: null };
    expect(savingsOf(null, 0.1)).toEqual(unknown);
    expect(savingsOf(0.1, null)).toEqual(unknown);
  });
});
