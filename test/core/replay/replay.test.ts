import { describe, expect, test } from 'vitest';
import { costOf } from '../../../src/core/accounting/cost.ts';
import { pricesOf } from '../../../src/core/accounting/price-book.ts';
import { inputTokens } from '../../../src/core/accounting/usage.ts';
import type { CompressedInput, LoggedStep } from '../../../src/core/replay/logged-step.ts';
import { closeLane, openLane, POLICIES, type Policy, replayStep } from '../../../src/core/replay/replay.ts';
import { type Experience, NO_EXPERIENCE } from '../../../src/core/routing/experience.ts';
import type { Tier } from '../../../src/core/routing/tier.ts';
import { candidate, difficultyOf, inputOf, NOW, providersWith } from '../routing/scenarios.ts';

// Round prices, models that count as the reference does: input, write 1.25 ×, read 0.1 ×, output 5 ×.
const EASY = candidate('anthropic/claude-haiku-4-5', 'easy');
const MEDIUM = candidate('anthropic/claude-sonnet-4-6', 'medium');
const HARD = candidate('anthropic/claude-opus-4-6', 'hard');
const priced = (input: number) => ({
  ...{ input, output: input * 5, cache_read: input / 10, cache_write: input * 1.25 },
});
const SETTINGS = {
  tiers: { easy: [EASY], medium: [MEDIUM], hard: [HARD] },
  providers: providersWith({
    [EASY.name]: priced(1),
    [MEDIUM.name]: priced(4),
    [HARD.name]: priced(10),
  }),
  baseline: HARD,
};

/** A step of so many tokens, so many seconds into its lane, answered in 100 tokens. */
function step(
  label: Tier,
  tokens: number,
  seconds: number,
  compressed: CompressedInput | null = null,
): LoggedStep {
  return {
    ...{
      needs: { capabilities: [], input: inputOf(tokens, 1 + seconds / 10) },
      difficulty: difficultyOf(label),
    },
    ...{ at: NOW + seconds * 1_000, output: 100, parts: {}, carries: [], compressed },
  };
}

/** All policies' charges, step by step, and their sums in millionths of a dollar. */
function replay(steps: readonly LoggedStep[], settings = SETTINGS, customers: Experience = NO_EXPERIENCE) {
  const lane = openLane();
  const replayed = steps.map((one) => replayStep(lane, one, customers, settings));
  const usd = (policy: Policy) =>
    Math.round(replayed.reduce((sum, { charges }) => sum + (charges[policy].usd ?? Number.NaN), 0) * 1e9) /
    1e3;
  return { lane, replayed, usd };
}

// The lane grows from 10,000 to 11,000 to 12,000 tokens, one step every ten seconds.
const LANE = [step('easy', 10_000, 0), step('hard', 11_000, 10), step('easy', 12_000, 20)];

describe('a lane under every policy, by hand', () => {
  const { usd, replayed } = replay(LANE);
  // Millionths of a dollar; 100 tokens out cost 5,000 on hard, 500 on easy.
  test.each([
    // 33,000 × 10 + 3 × 5,000
    ['top_uncached', 345_000],
    // 12,000 written at 12.5; 10,000 and 11,000 read at 1
    ['top_cached', 150_000 + 21_000 + 15_000],
    // 12,000 written at 1.25; 21,000 read at 0.1
    ['cheapest_cached', 15_000 + 2_100 + 1_500],
    // nothing to leave out
    ['compression', 150_000 + 21_000 + 15_000],
    // 10,000 and 12,000 at 1, 11,000 at 10
    ['tiers_uncached', 22_000 + 110_000 + 6_000],
    // easy: 10,000 written, then 10,000 read and 2,000 written; hard: 11,000 written
    ['tiers_cached', 12_500 + 1_000 + 2_500 + 1_000 + 137_500 + 5_000],
  ] as const)('%s', (policy, micro) => {
    expect(usd(policy)).toBe(micro);
  });

  test('greedy takes what is cheapest now: after hard has answered, hard again only where that costs less', () => {
    // At the last step easy costs 10,000 × 0.1 + 2,000 × 1.25 + 500 = 4,000, hard 11,000 + 12,500 + 5,000.
    expect(replayed.map(({ charges }) => charges.greedy.candidate)).toEqual([EASY, HARD, EASY]);
    // Cold, easy would have cost 12,000 × 1.25: still less than hard's 28,500.
    expect(usd('greedy')).toBe(usd('tiers_cached'));
    // Medium at 4 writes 40,000 tokens for 200,000; hard reads 40,000 at 1.
    const lane = [step('hard', 40_000, 0), step('medium', 40_010, 10)];
    expect(replay(lane).replayed[1]?.charges.greedy.candidate).toBe(HARD);
  });

  test('each charge is the ledger’s price of its usage, and all of the prompt is in it', () => {
    for (const [i, { charges }] of replayed.entries()) {
      for (const policy of POLICIES) {
        const { candidate: model, usage, usd: charged } = charges[policy];
        const provider = SETTINGS.providers.get(model.provider);
        if (!provider) throw new Error(model.provider);
        expect(inputTokens(usage)).toBe([10_000, 11_000, 12_000][i]);
        expect(charged).toBeCloseTo(
          costOf(usage, pricesOf(provider, model.name, '2026-11-23', 12_000)) ?? 0,
          11,
        );
      }
    }
  });

  test('the router never goes under the floor', () => {
    for (const { plan, charges } of replayed) {
      expect(charges.flux.candidate).toBe(plan.candidates[0]);
      expect(plan.floor === 'hard' ? charges.flux.candidate : HARD).toBe(HARD);
    }
  });
});

describe('caches of a replay', () => {
  test('traps T14: what nobody read for five minutes is written again', () => {
    const paused = replay([step('hard', 10_000, 0), step('hard', 11_000, 300)]);
    // 10,000 and 11,000 written at 12.5.
    expect(paused.usd('top_cached')).toBe(125_000 + 137_500 + 10_000);
    const inTime = replay([step('hard', 10_000, 0), step('hard', 11_000, 290)]);
    expect(inTime.usd('top_cached')).toBe(125_000 + 10_000 + 12_500 + 10_000);
  });

  test('traps T54: prompts under the minimum are plain input', () => {
    // Opus 4.6 keeps nothing under 4,096 tokens.
    const { usd } = replay([step('hard', 4_000, 0), step('hard', 4_050, 10)]);
    expect(usd('top_cached')).toBe(usd('top_uncached'));
  });

  test('a cache is dearer than none only where its writes are not paid back', () => {
    const once = replay([step('hard', 10_000, 0)]);
    expect(once.usd('top_cached')).toBeGreaterThan(once.usd('top_uncached'));
    const twice = replay([step('hard', 10_000, 0), step('hard', 10_500, 10)]);
    expect(twice.usd('top_cached')).toBeLessThan(twice.usd('top_uncached'));
  });

  test('each policy has caches of its own', () => {
    const { lane } = replay([step('easy', 10_000, 0)]);
    const easy = `anthropic/${EASY.name}`;
    expect(Object.keys(lane.caches.tiers_cached)).toEqual([easy]);
    expect(Object.keys(lane.caches.top_cached)).toEqual([`anthropic/${HARD.name}`]);
    expect(lane.caches.tiers_uncached).toEqual({});
    // The router knows what it saw of its own only.
    expect(Object.keys(lane.prefixes)).toEqual([easy]);
  });
});

describe('a compressed prompt', () => {
  const cut = (tokens: number, head: number, from: number): CompressedInput => ({
    ...{ input: inputOf(tokens), head: inputOf(head), from },
  });

  test('traps T24: keeps its head warm where the cut moves, and all of it where it stays', () => {
    const { replayed } = replay([
      step('hard', 10_000, 0),
      step('hard', 20_000, 10, cut(12_000, 5_000, 3)),
      step('hard', 21_000, 20, cut(13_000, 5_000, 3)),
      step('hard', 22_000, 30, cut(11_000, 5_000, 7)),
    ]);
    expect(replayed.map(({ charges }) => charges.compression.usage.read)).toEqual([0, 5_000, 12_000, 5_000]);
    expect(replayed.map(({ charges }) => inputTokens(charges.compression.usage))).toEqual([
      10_000, 12_000, 13_000, 11_000,
    ]);
  });

  test('traps T54: a head under the minimum is not found again', () => {
    const { replayed } = replay([step('hard', 10_000, 0), step('hard', 20_000, 10, cut(12_000, 4_000, 3))]);
    expect(replayed[1]?.charges.compression.usage.read).toBe(0);
  });
});

describe('what is learned', () => {
  test('a lane that has ended adds its steps, floors and answers to its customer’s', () => {
    const { lane } = replay(LANE);
    const customers = closeLane(lane, NO_EXPERIENCE);
    expect(customers).toMatchObject({
      ...{ answers: 3, output: 300, steps: 2, tokens: 2_000, gaps: 2, seconds: 20 },
      followed: [
        [0, 0, 1],
        [0, 0, 0],
        [1, 0, 0],
      ],
      // It ended at its third step: the stage of 2 and 3.
      ended: [0, 1, 0, 0, 0, 0, 0, 0],
    });
    expect(closeLane(replay(LANE).lane, customers).answers).toBe(6);
  });

  test('and the next lane is planned by it', () => {
    // A hundred lanes in which hard follows easy at once and for good.
    let customers = NO_EXPERIENCE;
    const hardAhead = [
      step('easy', 30_000, 0),
      ...Array.from({ length: 9 }, (_, i) => step('hard', 31_000, 10 + 10 * i)),
    ];
    const settings = {
      ...SETTINGS,
      providers: providersWith({ [EASY.name]: priced(4), [HARD.name]: priced(10), [MEDIUM.name]: priced(6) }),
    };
    const firstOf = (known: Experience) =>
      replay([step('easy', 30_000, 0)], settings, known).replayed[0]?.plan;
    for (let i = 0; i < 100; i++)
      customers = closeLane(replay(hardAhead, settings, customers).lane, customers);
    expect(firstOf(NO_EXPERIENCE)?.candidates[0]).toBe(EASY);
    expect(firstOf(customers)).toMatchObject({
      candidates: [HARD, expect.anything(), expect.anything()],
      reason: 'cheapest_ahead',
    });
  });
});

test('traps T42: a model without a price is unknown, never free', () => {
  const local = candidate('openai/my-llama', 'easy');
  const { replayed } = replay(LANE, { ...SETTINGS, tiers: { ...SETTINGS.tiers, easy: [local] } });
  expect(replayed[0]?.charges.tiers_cached).toMatchObject({ candidate: local, usd: null });
  expect(replayed[0]?.charges.tiers_uncached.usd).toBeNull();
  // Greedy knows a price that is lower than none.
  expect(replayed[0]?.charges.greedy.candidate).toBe(MEDIUM);
});
