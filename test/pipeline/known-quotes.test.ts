import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Candidate } from '../../src/core/routing/candidate.ts';
import { modelOrAssumed } from '../../src/core/routing/catalog.ts';
import { unknownLane } from '../../src/core/routing/lane-view.ts';
import { quoteStep } from '../../src/core/routing/quotes.ts';
import { TIERS, type Tier } from '../../src/core/routing/tier.ts';
import { quoteOnce } from '../../src/pipeline/known-quotes.ts';
import { inputOf as sizeOf, warmPrefix } from '../core/routing/scenarios.ts';

const AT = Date.parse('2026-11-20T12:00:00Z');
const candidate = (name: string, tier: Tier): Candidate => ({
  ...{ provider: 'anthropic', name, tier },
  model: modelOrAssumed('anthropic', name),
});
const candidates = [
  candidate('claude-haiku-5-5', 'easy'),
  candidate('claude-sonnet-5-5', 'medium'),
  candidate('claude-opus-5-5', 'hard'),
];
const providers = new Map([['anthropic', { id: 'anthropic', kind: 'anthropic' as const }]]);

function inputOf(text: number, number = 1, floor: Tier = 'easy') {
  const total = { text, images: 0, smallImages: 0 };
  return {
    ...{ providers, floor, at: AT, lane: { ...unknownLane([]), number } },
    input: { ...sizeOf(0, number), total },
  };
}

test('quotes are those of the step, but for a hundredth of its size', () => {
  const steps = fc.record({
    text: fc.double({ min: 1, max: 500_000, noNaN: true }),
    number: fc.integer({ min: 1, max: 200 }),
    floor: fc.constantFrom(...TIERS),
    isLast: fc.boolean(),
  });
  fc.assert(
    fc.property(steps, ({ text, number, floor, isLast }) => {
      const input = inputOf(text, number, floor);
      // Not only its ends: a longer prompt may be the cheaper one, where it is the first that a cache takes.
      const sizes = Array.from(
        { length: 21 },
        (_, at) => (text / 1.01 - 1) * (1 - at / 20) + (text * 1.01 + 1) * (at / 20),
      );
      const around = sizes.map((size) => {
        const total = { ...input.input.total, text: Math.max(0, size) };
        return quoteStep(candidates, [], { ...input, input: { ...input.input, total } }, isLast);
      });
      quoteOnce(candidates, [], input, isLast).forEach(({ candidate: one, total }, index) => {
        const totals = around.map((quotes) => quotes[index]?.total ?? 0);
        expect(one).toBe(candidates[index]);
        expect(total).toBeLessThanOrEqual(Math.max(...totals) * 1.002);
        expect(total).toBeGreaterThanOrEqual(Math.min(...totals) * 0.998);
      });
    }),
  );
});

test('they are made once for a size, and anew for all else that decides them', () => {
  const first = quoteOnce(candidates, [], inputOf(1_000), false);
  expect(quoteOnce(candidates, [], inputOf(1_001), false)).toBe(first);
  const others = [
    quoteOnce(candidates, [], inputOf(1_050), false),
    quoteOnce(candidates, [], inputOf(1_000), true),
    quoteOnce(candidates, [], inputOf(1_000, 2), false),
    quoteOnce(candidates, [], inputOf(1_000, 1, 'medium'), false),
    quoteOnce(candidates.slice(1), [], inputOf(1_000), false),
    quoteOnce(candidates.slice(1), candidates.slice(0, 1), inputOf(1_000), false),
    quoteOnce(candidates, [], { ...inputOf(1_000), at: AT + 86_400_000 }, false),
    // The same names in a new version of the settings: prices may be others.
    quoteOnce(candidates, [], { ...inputOf(1_000), providers: new Map(providers) }, false),
    quoteOnce([...candidates.slice(0, 2), candidate('claude-opus-5-5', 'hard')], [], inputOf(1_000), false),
  ];
  expect(new Set([first, ...others]).size).toBe(1 + others.length);
});

test('a lane of which something is known is quoted for just its size', () => {
  const input = inputOf(3_333);
  const prefixes = { 'anthropic/claude-haiku-5-5': [warmPrefix(3_000, { at: AT / 1000 - 10 })] };
  const warm = { ...input, lane: { ...input.lane, prefixes } };
  expect(quoteOnce(candidates, [], warm, false)).toEqual(quoteStep(candidates, [], warm, false));
});
