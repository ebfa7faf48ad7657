import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConfiguredPrice } from '../../../src/core/accounting/prices.ts';
import type { CachePart, CacheParts } from '../../../src/core/context/cache-parts.ts';
import type { PrefixState } from '../../../src/core/context/prefix-state.ts';
import { type Candidate, keyOf } from '../../../src/core/routing/candidate.ts';
import { NO_EXPERIENCE, together } from '../../../src/core/routing/experience.ts';
import { rankOf } from '../../../src/core/routing/floor.ts';
import { unknownLane } from '../../../src/core/routing/lane-view.ts';
import { MARGIN, type PlanInput, planStep } from '../../../src/core/routing/plan.ts';
import { type Carried, isPortable } from '../../../src/core/routing/portability.ts';
import { TIERS } from '../../../src/core/routing/tier.ts';
import {
  BOTH,
  CLAUDE,
  difficultyOf,
  inputOf,
  NOW,
  planInput,
  providersWith,
  warmPrefix,
} from './scenarios.ts';

const MODELS = TIERS.flatMap((tier) => BOTH[tier]);
type PricesOf = Record<string, ConfiguredPrice>;

/** Prices as they come: reads at 2 to 50 % of input, writes at 100 to 150 %, output at 2 to 8 times. */
const price = fc
  .tuple(
    fc.integer({ min: 1, max: 200 }),
    ...([
      fc.integer({ min: 2, max: 50 }),
      fc.integer({ min: 100, max: 150 }),
      fc.integer({ min: 2, max: 8 }),
    ] as const),
  )
  .map(([dimes, read, write, output]): ConfiguredPrice => {
    const input = dimes / 10;
    return {
      input,
      output: input * output,
      cache_read: (input * read) / 100,
      cache_write: (input * write) / 100,
    };
  });
const prices: fc.Arbitrary<PricesOf> = fc
  .array(price, { minLength: MODELS.length, maxLength: MODELS.length })
  .map((list) => Object.fromEntries(MODELS.map(({ name }, i) => [name, list[i] ?? { input: 1, output: 1 }])));
/** What the caches hold of a prompt, by the share of its length and the seconds since. */
const warmth = fc.array(
  fc.option(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 2_000 }))),
  {
    minLength: MODELS.length,
    maxLength: MODELS.length,
  },
);
/** What the request has changed since, of what loses a cache at some model. */
const changed = fc.subarray<CachePart>(['tools', 'system', 'tool_choice', 'effort', 'cache_key'], {
  maxLength: 2,
});
const scene = fc.record({
  changed,
  prices,
  warmth,
  tokens: fc.integer({ min: 100, max: 150_000 }),
  served: fc.option(fc.constantFrom(...MODELS)),
  label: fc.constantFrom(...TIERS),
  number: fc.integer({ min: 1, max: 60 }),
  trailing: fc.boolean(),
  followed: fc.array(fc.array(fc.nat({ max: 50 }), { minLength: 3, maxLength: 3 }), {
    minLength: 3,
    maxLength: 3,
  }),
});
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never;

function inputFor(of: Scene, part: Partial<PlanInput> = {}): PlanInput {
  const prefixes: PrefixState = Object.fromEntries(
    MODELS.flatMap((model, i) => {
      const [share, ago] = of.warmth[i] ?? [0, 0];
      const tokens = Math.round((of.tokens * share) / 100);
      const before = { system: tokens / 4, messages: tokens / 2, turn: tokens / 2 };
      const prefix = warmPrefix(tokens, { blocks: 5, at: NOW / 1_000 - ago, before });
      return share === 0 ? [] : [[keyOf(model), [prefix]]];
    }),
  );
  const customers = together(NO_EXPERIENCE, { ...NO_EXPERIENCE, followed: of.followed });
  const { number, served, trailing } = of;
  const parts: CacheParts = Object.fromEntries(of.changed.map((part) => [part, 'other']));
  return planInput({
    ...{
      tiers: BOTH,
      providers: providersWith(of.prices),
      difficulty: difficultyOf(of.label),
      explain: true,
    },
    needs: { capabilities: [], input: inputOf(of.tokens) },
    lane: { ...unknownLane([]), number, served, trailing, prefixes, parts, customers },
    ...part,
  });
}
const totalOf = (plan: ReturnType<typeof planStep>, model: Candidate) =>
  plan.quotes.find(({ candidate }) => candidate === model)?.total;
/** One model a tier. */
const planClaude = (of: Scene, part: Partial<PlanInput> = {}) =>
  planStep(inputFor(of, { tiers: CLAUDE, ...part }));

describe('whatever the prices, the caches and the lane', () => {
  test('no candidate is under the floor, and none over the cap', () => {
    fc.assert(
      fc.property(scene, fc.option(fc.constantFrom(...TIERS)), (of, cap) => {
        const plan = planStep(inputFor(of, cap === null ? {} : { maxTier: cap }));
        const needed = rankOf(of.label);
        const allowed = cap === null ? 2 : rankOf(cap);
        expect(plan.reason === 'capped').toBe(needed > allowed);
        for (const { tier } of plan.candidates) {
          expect(rankOf(tier ?? 'easy')).toBeGreaterThanOrEqual(Math.min(needed, allowed));
          expect(rankOf(tier ?? 'easy')).toBeLessThanOrEqual(allowed);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('the chosen one costs at most the margin more than any other, staying among them', () => {
    fc.assert(
      fc.property(scene, (of) => {
        const plan = planStep(inputFor(of));
        const chosen = totalOf(plan, plan.candidates[0]) ?? Number.NaN;
        for (const { total, now, ahead } of plan.quotes) {
          expect(chosen).toBeLessThanOrEqual(total * (1 + MARGIN) + 1e-12);
          expect(total).toBeCloseTo(now + ahead, 9);
          expect(now >= 0 && ahead >= 0).toBe(true);
        }
        const staying = of.served && totalOf(plan, of.served);
        if (staying !== null && staying !== undefined)
          expect(chosen).toBeLessThanOrEqual(staying * (1 + MARGIN) + 1e-12);
      }),
      { numRuns: 150 },
    );
  });

  test('a dearer model is not chosen where it was not, a cheaper one stays chosen, noise left out', () => {
    fc.assert(
      fc.property(scene, fc.nat({ max: 2 }), fc.integer({ min: 2, max: 50 }), (of, at, tenths) => {
        const [model] = CLAUDE[TIERS[at] ?? 'hard'];
        if (!model) return;
        const listed = of.prices[model.name];
        const times = (by: number) => ({
          ...of.prices,
          [model.name]: Object.fromEntries(
            Object.entries(listed ?? {}).map(([name, usd]) => [name, Number(usd) * by]),
          ) as unknown as ConfiguredPrice, // the same keys
        });
        const plain = planClaude(of);
        const excess = (prices: PricesOf) => {
          const plan = planClaude({ ...of, prices });
          const least = Math.min(...plan.quotes.map(({ total }) => total));
          return { chosen: plan.candidates[0] === model, over: (totalOf(plan, model) ?? Number.NaN) / least };
        };
        const by = 1 + tenths / 10;
        const over =
          (totalOf(plain, model) ?? Number.NaN) / Math.min(...plain.quotes.map(({ total }) => total));
        // Beyond the margin either way, prices alone decide.
        if (plain.candidates[0] !== model && over > 1 + MARGIN) expect(excess(times(by)).chosen).toBe(false);
        if (plain.candidates[0] === model && over === 1)
          expect(excess(times(1 / by)).over).toBeLessThanOrEqual(1 + MARGIN);
      }),
      { numRuns: 150 },
    );
  });

  test('traps T14: an expired prefix is as cold as none', () => {
    fc.assert(
      fc.property(scene, (of) => {
        const expired = of.warmth.map((one) => one && ([one[0], 300 + one[1]] as [number, number]));
        const cold = of.warmth.map(() => null);
        const [a, b] = [expired, cold].map((warmth) => planStep(inputFor({ ...of, warmth })));
        expect(a?.quotes).toEqual(b?.quotes);
        expect([a?.candidates, a?.reason]).toEqual([b?.candidates, b?.reason]);
      }),
      { numRuns: 100 },
    );
  });

  test('a warm prefix never makes its model dearer', () => {
    fc.assert(
      fc.property(scene, fc.nat({ max: 2 }), (of, at) => {
        const [model] = CLAUDE[TIERS[at] ?? 'hard'];
        if (!model) return;
        const index = MODELS.indexOf(model);
        const withWarm = (value: [number, number] | null) =>
          totalOf(
            planClaude({ ...of, warmth: of.warmth.map((one, i) => (i === index ? value : one)) }),
            model,
          );
        const [warm, cold] = [withWarm([90, 5]), withWarm(null)];
        if (warm !== undefined && cold !== undefined) expect(warm).toBeLessThanOrEqual(cold * (1 + 1e-9));
      }),
      { numRuns: 100 },
    );
  });

  test('a change never makes a cache warmer, and what it loses is as cold as none', () => {
    fc.assert(
      fc.property(scene, (of) => {
        const readBy = (part: Partial<Scene>) =>
          planStep(inputFor({ ...of, ...part })).quotes.map(({ usage, now }) => [usage.read, now] as const);
        const same = readBy({ changed: [] });
        const more = readBy({ changed: [...of.changed, 'tools'] });
        const cold = readBy({ warmth: of.warmth.map(() => null) });
        readBy({}).forEach(([read, now], i) => {
          expect(read).toBeLessThanOrEqual(same[i]?.[0] ?? Number.NaN);
          expect(now).toBeGreaterThanOrEqual((same[i]?.[1] ?? Number.NaN) * (1 - 1e-9));
        });
        expect(more).toEqual(cold);
      }),
      { numRuns: 100 },
    );
  });

  test('traps T15: what the turn carries is never lost, whoever asks', () => {
    const carried: fc.Arbitrary<Carried> = fc.record(
      {
        kind: fc.constantFrom('thinking', 'encrypted_reasoning', 'open_loop', 'stored_object'),
        wire: fc.constantFrom('anthropic-messages', 'openai-responses', 'openai-chat'),
        producer: fc.record({
          provider: fc.constantFrom('anthropic', 'openai'),
          name: fc.constantFrom(...MODELS.map(({ name }) => name)),
        }),
      },
      { requiredKeys: ['kind', 'wire'] },
    );
    const ruled = fc.option(fc.constantFrom(...MODELS));
    fc.assert(
      fc.property(scene, fc.array(carried, { maxLength: 3 }), ruled, ruled, (of, carries, to, pinned) => {
        const input = inputFor(of, {
          carries,
          ...(to ? { rule: { when: {}, to: { candidate: to } } } : {}),
          ...(pinned ? { wish: { kind: 'pinned' as const, candidate: pinned } } : {}),
        });
        const isPossible = (pinned ? [pinned] : MODELS).some((model) => isPortable(carries, model));
        if (!isPossible)
          expect(() => planStep(input)).toThrow(/only (anthropic|openai|another provider) has/);
        else for (const one of planStep(input).candidates) expect(isPortable(carries, one)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  const leastOf = (of: Scene, tiers: PlanInput['tiers']) =>
    Math.min(...planStep(inputFor(of, { tiers })).quotes.map(({ total }) => total));

  test('one more tier to choose from never makes the plan dearer', () => {
    fc.assert(
      fc.property(scene, fc.constantFrom('easy', 'medium'), (scenery, dropped) => {
        const of = { ...scenery, label: 'easy' as const };
        const without = leastOf(of, { ...CLAUDE, [dropped]: [] });
        expect(leastOf(of, CLAUDE)).toBeLessThanOrEqual(without * (1 + 1e-9));
      }),
      { numRuns: 100 },
    );
  });

  test('one more model in a tier never makes the plan dearer', () => {
    fc.assert(
      fc.property(scene, fc.constantFrom(...MODELS), (of, dropped) => {
        const [easy, medium, hard] = TIERS.map((tier) => BOTH[tier].filter((model) => model !== dropped));
        const without = leastOf(of, { easy: easy ?? [], medium: medium ?? [], hard: hard ?? [] });
        expect(leastOf(of, BOTH)).toBeLessThanOrEqual(without * (1 + 1e-9));
      }),
      { numRuns: 200 },
    );
  });
});
