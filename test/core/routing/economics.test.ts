import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { costOf } from '../../../src/core/accounting/cost.ts';
import { priceListOf } from '../../../src/core/accounting/price-book.ts';
import { stepFor } from '../../../src/core/accounting/prices.ts';
import { inputTokens } from '../../../src/core/accounting/usage.ts';
import { cacheRulesOf } from '../../../src/core/context/cache-rules.ts';
import type { PromptShape } from '../../../src/core/context/prefix-state.ts';
import { catalogModels } from '../../../src/core/routing/catalog.ts';
import {
  aheadModel,
  costOfStaying,
  expectedUsage,
  type PricedModel,
  requestCost,
} from '../../../src/core/routing/economics.ts';
import { forecast, LAST_STEP } from '../../../src/core/routing/forecast.ts';
import { unknownLane } from '../../../src/core/routing/lane-view.ts';
import { BEFORE, COLD, FIRST, RUNNING, USES } from '../../../src/core/routing/lookahead.ts';

const DAY = '2026-11-23T12:00:00Z';
/** Every model of the catalogue that has a price. */
const PRICED = (['anthropic', 'openai'] as const).flatMap((kind) =>
  catalogModels(kind).flatMap((model) => {
    const prices = priceListOf({ id: kind, kind }, model.id, DAY);
    return prices ? [{ model, prices, rules: cacheRulesOf(model), warm: [], factor: 1 }] : [];
  }),
);

function modelOf(id: string): PricedModel {
  const found = PRICED.find(({ model }) => model.id === id);
  if (!found) throw new Error(`${id} has no price`);
  return found;
}

describe('the cost of a request', () => {
  test('is what the ledger will say of the usage that is expected, on every model and at every length', () => {
    const size = fc.oneof(
      fc.nat({ max: 5_000 }),
      fc.nat({ max: 400_000 }),
      fc.constantFrom(100_000, 100_001, 272_000, 272_001),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...PRICED),
        size,
        fc.nat({ max: 1_000 }),
        fc.nat({ max: 5_000 }),
        (priced, tokens, thousandths, output) => {
          // Nothing under the minimum is warm.
          const warm = tokens < priced.rules.minimum ? 0 : Math.floor((tokens * thousandths) / 1_000);
          const usage = expectedUsage(priced, tokens, warm, output);
          expect(inputTokens(usage)).toBe(tokens);
          const ledger = costOf(usage, stepFor(priced.prices, tokens).prices);
          const expected = requestCost(priced, tokens, warm, output);
          // The one difference: a class without a price of its own is unknown there, and plain input here.
          if (ledger !== null) expect(expected).toBeCloseTo(ledger, 11);
          else expect(Object.values(stepFor(priced.prices, tokens).prices)).toContain(null);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('by hand: Opus 5.5 with 8,000 of 10,000 tokens warm, and under its minimum', () => {
    // 8,000 read at $0.20, 2,000 written at $5, 100 out at $20 a million: 0.0016 + 0.01 + 0.002.
    expect(requestCost(modelOf('claude-opus-5-5'), 10_000, 8_000, 100)).toBeCloseTo(0.0136, 12);
    // traps T54: 511 tokens are plain input at $4 a million.
    expect(requestCost(modelOf('claude-opus-5-5'), 511, 0, 0)).toBeCloseTo(511 * 4e-6, 12);
  });

  test('traps T70: Haiku 5.5 costs five times as much, the whole request, above 100,000 tokens', () => {
    const haiku = modelOf('claude-haiku-5-5');
    expect(requestCost(haiku, 100_001, 99_000, 500) / requestCost(haiku, 100_000, 98_999, 500)).toBeCloseTo(
      5,
      3,
    );
  });
});

describe('the further steps of a lane', () => {
  const ahead = { ...forecast(unknownLane([])), tokens: 1_000, blocks: 2, seconds: 10, output: 100 };
  const prompt = (part: Partial<PromptShape> = {}): PromptShape => ({
    ...{ tokens: 9_000, blocks: 5, at: 0, trailing: true },
    ...part,
  });
  const at = (model: PricedModel, k: number, use: number, part: Partial<PromptShape> = {}, changed = {}) =>
    aheadModel(model, prompt(part), { ...ahead, ...changed }).costs[k * USES + use] ?? Number.NaN;
  const opus = modelOf('claude-opus-5-5');

  test('read what is warm then, write what is new, and put out an answer', () => {
    // The first further step has 10,000 tokens, of which the planned one left 9,000; the second 11,000.
    expect(at(opus, 0, RUNNING)).toBeCloseTo(requestCost(opus, 10_000, 9_000, 100), 12);
    expect(at(opus, 1, RUNNING)).toBeCloseTo(requestCost(opus, 11_000, 10_000, 100), 12);
    expect(at(opus, 1, FIRST)).toBeCloseTo(requestCost(opus, 11_000, 9_000, 100), 12);
    expect(at(opus, 1, COLD)).toBeCloseTo(requestCost(opus, 11_000, 0, 100), 12);
    const warm = [{ tokens: 4_000, blocks: 3, at: -5, lifetimeSeconds: 300 }];
    expect(at({ ...opus, warm }, 0, BEFORE)).toBeCloseTo(requestCost(opus, 10_000, 4_000, 100), 12);
    expect(at(opus, 0, BEFORE)).toBe(at(opus, 0, COLD));
  });

  test("traps T14: what expires at the lane's own rhythm is cold", () => {
    // A step every 200 s: what the step before left is there, what the one before that left is not.
    const slow = { seconds: 200 };
    expect(at(opus, 1, RUNNING, {}, slow)).toBeLessThan(at(opus, 1, COLD, {}, slow));
    expect(at(opus, 1, FIRST, {}, slow)).toBe(at(opus, 1, COLD, {}, slow));
    const warm = [{ tokens: 9_000, blocks: 5, at: -90, lifetimeSeconds: 300 }];
    expect(at({ ...opus, warm }, 0, BEFORE, {}, slow)).toBeLessThan(at(opus, 0, COLD, {}, slow));
    expect(at({ ...opus, warm }, 1, BEFORE, {}, slow)).toBe(at(opus, 1, COLD, {}, slow));
    const stopped = { seconds: 300 };
    expect(at(opus, 0, RUNNING, {}, stopped)).toBe(at(opus, 0, COLD, {}, stopped));
  });

  test('traps T53: what look-back will not find is cold, unless it gets a marker', () => {
    const parallel = { blocks: 50 };
    expect(at(opus, 0, RUNNING, { trailing: false }, parallel)).toBe(at(opus, 0, COLD, {}, parallel));
    expect(at(opus, 0, RUNNING, { trailing: true }, parallel)).toBeLessThan(at(opus, 0, COLD, {}, parallel));
  });

  test('traps T70: the price step is seen coming', () => {
    const haiku = modelOf('claude-haiku-5-5');
    const near = { tokens: 98_500 };
    expect(at(haiku, 0, RUNNING, near)).toBeCloseTo(requestCost(haiku, 99_500, 98_500, 100), 12);
    expect(at(haiku, 1, RUNNING, near)).toBeGreaterThan(4.5 * at(haiku, 0, RUNNING, near));
  });

  test('staying costs now and every further step by its chance; nothing where none comes', () => {
    const model = aheadModel(opus, prompt(), ahead);
    const two = { ...ahead, goesOn: [0.5, 0.5, 0] };
    const [first = 0, second = 0] = [model.costs[RUNNING], model.costs[USES + RUNNING]];
    expect(costOfStaying(1, model, two)).toBeCloseTo(1 + 0.5 * first + 0.25 * second, 12);
    expect(costOfStaying(1, model, { ...ahead, ...LAST_STEP })).toBe(1);
  });
});
