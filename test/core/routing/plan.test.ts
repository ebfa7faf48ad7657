import { describe, expect, test } from 'vitest';
import { keyOf } from '../../../src/core/routing/candidate.ts';
import { NO_EXPERIENCE } from '../../../src/core/routing/experience.ts';
import { unknownLane } from '../../../src/core/routing/lane-view.ts';
import { type PlanInput, planStep } from '../../../src/core/routing/plan.ts';
import type { Carried } from '../../../src/core/routing/portability.ts';
import {
  BOTH,
  CLAUDE,
  candidate,
  difficultyOf,
  HAIKU,
  inputOf,
  LUNA,
  NOW,
  OPUS,
  planInput,
  providersWith,
  SOL,
  SONNET,
  TERRA,
  warmLane,
  warmPrefix,
} from './scenarios.ts';

/** The plan in short: model and reason. */
function chosen(part: Partial<PlanInput>): [string, string] {
  const { candidates, reason } = planStep(planInput(part));
  return [candidates[0].name, reason];
}
const names = (part: Partial<PlanInput>) => planStep(planInput(part)).candidates.map(({ name }) => name);
const CARRIED_OBJECT: Carried = {
  kind: 'stored_object',
  wire: 'openai-responses',
  producer: { provider: 'openai', name: 'gpt-6-luna' },
};
const hard = { difficulty: difficultyOf('hard') };
/** A lane that surely goes on for long. */
const LONG = { ...NO_EXPERIENCE, reached: NO_EXPERIENCE.reached.map(() => 1e6) };

describe('why a model is chosen', () => {
  test('floor: the first model of the tier the step needs', () => {
    expect(chosen({})).toEqual(['claude-haiku-5-5', 'floor']);
    expect(chosen(hard)).toEqual(['claude-opus-5-5', 'floor']);
    // Under the floor nothing could take it anyway: that changes nothing of the reason.
    const tiers = { easy: [candidate('anthropic/claude-3-haiku', 'easy')], medium: [SONNET], hard: [OPUS] };
    const needs = { capabilities: ['jsonSchema' as const], input: inputOf(8_000) };
    expect(chosen({ ...hard, tiers, needs, at: Date.parse('2026-04-01') })).toEqual([
      'claude-opus-5-5',
      'floor',
    ]);
  });

  test('forced_tier: the client named one', () => {
    expect(chosen({ wish: { kind: 'tier', tier: 'medium' } })).toEqual(['claude-sonnet-5-5', 'forced_tier']);
  });

  test('capped: the client allows no higher tier', () => {
    const plan = planStep(planInput({ ...hard, maxTier: 'easy' }));
    expect([plan.candidates.map(({ name }) => name), plan.reason, plan.floor]).toEqual([
      ['claude-haiku-5-5'],
      'capped',
      'easy',
    ]);
    expect(chosen({ maxTier: 'medium' })).toEqual(['claude-haiku-5-5', 'floor']);
  });

  test("rule: the customer's floor, or the customer's model with the others behind it", () => {
    expect(chosen({ rule: { when: {}, to: { floor: 'hard' } } })).toEqual(['claude-opus-5-5', 'rule']);
    const rule = { when: {}, to: { candidate: SONNET } };
    expect(chosen({ rule })).toEqual(['claude-sonnet-5-5', 'rule']);
    expect(names({ rule })).toEqual(['claude-sonnet-5-5', 'claude-haiku-5-5', 'claude-opus-5-5']);
    expect(chosen({ rule, maxTier: 'easy' })).toEqual(['claude-haiku-5-5', 'floor']);
    expect(chosen({ rule, wish: { kind: 'tier', tier: 'hard' } })).toEqual([
      'claude-opus-5-5',
      'forced_tier',
    ]);
  });

  test('pinned: the client named the model, in a tier or not', () => {
    const other = candidate('openai/gpt-6-astra', null);
    const plan = planStep(planInput({ ...hard, wish: { kind: 'pinned', candidate: other }, explain: true }));
    expect([plan.candidates, plan.reason, plan.floor]).toEqual([[other], 'pinned', 'hard']);
    expect(plan.quotes.map((one) => one.candidate)).toEqual([other, OPUS]);
    expect(chosen({ wish: { kind: 'pinned', candidate: HAIKU }, ...hard })).toEqual([
      'claude-haiku-5-5',
      'pinned',
    ]);
  });

  test("housekeeping: a harness's own call goes to the easy tier in any mode, and nothing follows it", () => {
    const difficulty = difficultyOf('hard', 'title');
    expect(chosen({ difficulty })).toEqual(['claude-haiku-5-5', 'housekeeping']);
    const plan = planStep(planInput({ difficulty, mode: 'observe', explain: true }));
    expect([plan.candidates[0].name, plan.reason]).toEqual(['claude-haiku-5-5', 'housekeeping']);
    expect(plan.quotes.map(({ ahead }) => ahead)).toEqual([0, 0, 0]);
  });

  test.each(['observe', 'certified'] as const)('observe: in mode %s every step goes to the top', (mode) => {
    expect(chosen({ mode })).toEqual(['claude-opus-5-5', 'observe']);
  });

  test('a floor of the client or the mode holds for the further steps too, one of a step does not', () => {
    const aheadOf = (part: Partial<PlanInput>) =>
      planStep(planInput({ ...part, explain: true })).quotes.at(-1)?.ahead ?? 0;
    const only = aheadOf({ ...hard, tiers: { easy: [], medium: [], hard: [OPUS] } });
    expect(aheadOf({ wish: { kind: 'tier', tier: 'hard' } })).toBe(only);
    expect(aheadOf({ mode: 'observe' })).toBe(only);
    expect(aheadOf(hard)).toBeLessThan(only);
  });

  test('capability: the one before it can not take the step', () => {
    const needs = { capabilities: ['forcedToolChoice' as const], input: inputOf(8_000) };
    expect(
      chosen({
        needs,
        tiers: { easy: [], medium: [SONNET], hard: [candidate('anthropic/claude-opus-5', 'hard')] },
      }),
    ).toEqual(['claude-opus-5', 'capability']);
    const long = { capabilities: [], input: inputOf(300_000) };
    const tiers = { ...CLAUDE, easy: [candidate('anthropic/claude-haiku-4-5', 'easy')] };
    expect(chosen({ needs: long, tiers })).toEqual(['claude-sonnet-5-5', 'capability']);
  });

  test('portability: the one before it would lose what the turn carries', () => {
    const carries = [CARRIED_OBJECT];
    expect(chosen({ tiers: BOTH, carries })).toEqual(['gpt-6-luna', 'portability']);
    expect(() => planStep(planInput({ carries }))).toThrow(/only openai has/);
  });

  test('traps T71: health: a retired model is served by its successor from its day on', () => {
    const old = candidate('anthropic/claude-sonnet-4-5', 'medium');
    const step = { tiers: { ...CLAUDE, medium: [old] }, difficulty: difficultyOf('medium') };
    expect(chosen({ ...step, at: Date.parse('2026-11-29T23:59:59Z') })).toEqual([
      'claude-sonnet-4-5',
      'floor',
    ]);
    expect(chosen({ ...step, at: Date.parse('2026-11-30T00:00:00Z') })).toEqual([
      'claude-sonnet-5-5',
      'health',
    ]);
    const { considered } = planStep(planInput({ ...step, at: Date.parse('2026-12-01') }));
    expect(considered.map(({ inPlaceOf }) => inPlaceOf)).toEqual([null, old, null]);
  });

  test('traps T71: where the successor is configured too, it is one candidate, not two', () => {
    const easy = [candidate('anthropic/claude-3-5-haiku', 'easy'), HAIKU];
    expect(names({ tiers: { ...CLAUDE, easy } })).toEqual([
      'claude-haiku-5-5',
      'claude-sonnet-5-5',
      'claude-opus-5-5',
    ]);
  });

  test('traps T12: stay_warm: a warm dearer model beats a cold cheaper one', () => {
    // Claude of 2025: Haiku 4.5 writes 40,000 tokens for $0.05; Opus 5.5 reads them for $0.0104 and is warm.
    const tiers = { ...CLAUDE, easy: [candidate('anthropic/claude-haiku-4-5', 'easy')] };
    const needs = { capabilities: [], input: inputOf(40_000) };
    const lane = warmLane(OPUS, 52_000, { experience: NO_EXPERIENCE });
    expect(chosen({ tiers, needs, lane })).toEqual(['claude-opus-5-5', 'stay_warm']);
    // traps T14: a phantom cache holds nobody.
    const old = warmPrefix(52_000, { at: NOW / 1_000 - 300 });
    const expired = { ...lane, prefixes: { [keyOf(OPUS)]: [old] } };
    expect(chosen({ tiers, needs, lane: expired })).toEqual(['claude-haiku-4-5', 'floor']);
  });

  test('cheapest_ahead: another than the first in order costs less from here on', () => {
    const tiers = { ...CLAUDE, easy: [candidate('anthropic/claude-haiku-4-5', 'easy'), HAIKU] };
    expect(chosen({ tiers })).toEqual(['claude-haiku-5-5', 'cheapest_ahead']);
  });

  test('traps T12: cheapest_ahead goes up before it must, where the lane will need the dear model anyway', () => {
    // After an easy step comes a hard one, for ever: easy would be one cold prompt more.
    const followed = [
      [0, 0, 1e6],
      [0, 0, 1e6],
      [0, 0, 1e6],
    ];
    const experience = { ...LONG, followed };
    const needs = { capabilities: [], input: inputOf(60_000) };
    const tiers = { easy: [candidate('anthropic/claude-haiku-4-5', 'easy')], medium: [], hard: [OPUS] };
    const lane = { ...unknownLane([]), experience };
    expect(chosen({ tiers, needs, lane })).toEqual(['claude-opus-5-5', 'cheapest_ahead']);
    expect(chosen({ tiers, needs })).toEqual(['claude-haiku-4-5', 'floor']);
  });
});

describe('the order of candidates', () => {
  test('behind the chosen one they stand by what they cost from here on', () => {
    const { candidates, quotes } = planStep(planInput({ tiers: BOTH }));
    const totals = candidates.map(
      (one) => quotes.find((quote) => quote.candidate === one)?.total ?? Number.NaN,
    );
    expect(totals.slice(1)).toEqual(totals.slice(1).toSorted((a, b) => a - b));
    expect(candidates).toHaveLength(6);
    expect(new Set(candidates).size).toBe(6);
  });

  test('a step has no candidate under its floor or over its cap', () => {
    expect(names({ tiers: BOTH, difficulty: difficultyOf('medium'), maxTier: 'medium' }).toSorted()).toEqual(
      [SONNET.name, TERRA.name].toSorted(),
    );
  });
});

describe('traps T42: a model without a price', () => {
  const local = candidate('openai/my-llama', 'easy');

  test('is taken where it stands first, and the others come behind it', () => {
    const tiers = { ...CLAUDE, easy: [local, HAIKU] };
    expect(chosen({ tiers })).toEqual(['my-llama', 'floor']);
    expect(names({ tiers })[1]).toBe('claude-haiku-5-5');
  });

  test('comes last where it does not', () => {
    const tiers = { ...CLAUDE, easy: [HAIKU, local] };
    expect(names({ tiers })).toEqual([HAIKU.name, SONNET.name, OPUS.name, local.name]);
    expect(planStep(planInput({ tiers })).quotes).toHaveLength(3);
  });

  test('a price of 0 is a price', () => {
    const providers = providersWith({ 'my-llama': { input: 0, output: 0 } });
    const tiers = { ...CLAUDE, easy: [HAIKU, local] };
    expect(chosen({ tiers, providers })).toEqual(['my-llama', 'cheapest_ahead']);
  });
});

describe('what is noise', () => {
  // Two easy models, the second one cheaper by this share of the first one's prices.
  const price = { input: 1, output: 5, cache_read: 0.1, cache_write: 1.25 };
  const lessBy = (share: number) => ({
    tiers: { easy: [HAIKU, candidate('anthropic/claude-opus-4-8', 'easy')], medium: [], hard: [] },
    providers: providersWith({
      'claude-haiku-5-5': price,
      'claude-opus-4-8': Object.fromEntries(
        Object.entries(price).map(([name, usd]) => [name, usd * (1 - share)]),
      ) as typeof price, // the same keys
    }),
  });

  test('within a hundredth the order of the settings holds, above it the price', () => {
    expect(chosen(lessBy(0.005))).toEqual(['claude-haiku-5-5', 'floor']);
    expect(chosen(lessBy(0.1))).toEqual(['claude-opus-4-8', 'cheapest_ahead']);
  });

  test('within a hundredth it stays with the model that answered last', () => {
    const second = candidate('anthropic/claude-opus-4-8', 'easy');
    const lane = { ...unknownLane([]), served: second };
    expect(chosen({ ...lessBy(-0.005), lane })).toEqual(['claude-opus-4-8', 'stay_warm']);
    expect(chosen({ ...lessBy(-0.1), lane })).toEqual(['claude-haiku-5-5', 'floor']);
  });
});

describe('never an unsafe switch', () => {
  const carries = [CARRIED_OBJECT];

  test("traps T15: not even by the customer's own rule", () => {
    expect(chosen({ tiers: BOTH, carries, rule: { when: {}, to: { candidate: SONNET } } })).toEqual([
      'gpt-6-luna',
      'portability',
    ]);
    expect(chosen({ tiers: BOTH, carries, rule: { when: {}, to: { candidate: TERRA } } })).toEqual([
      'gpt-6.1-terra',
      'rule',
    ]);
  });

  test('traps T15: thinking and encrypted reasoning may be left out', () => {
    const harmless: Carried[] = [
      {
        kind: 'thinking',
        wire: 'anthropic-messages',
        producer: { provider: 'anthropic', name: 'claude-opus-5-5' },
      },
      {
        kind: 'encrypted_reasoning',
        wire: 'openai-responses',
        producer: { provider: 'openai', name: 'gpt-6.2-sol' },
      },
      { kind: 'open_loop', wire: 'openai-chat' },
    ];
    expect(names({ tiers: BOTH, carries: harmless })).toHaveLength(6);
    expect(names({ tiers: BOTH, carries: [...harmless, ...carries] }).toSorted()).toEqual(
      [LUNA.name, TERRA.name, SOL.name].toSorted(),
    );
  });
});

describe('traps T70: a lane about to pass 100,000 tokens', () => {
  // Haiku 5.5 costs five times as much from there on; it counts 1.3 tokens for one of the input. The rival costs a
  // fifth more than Haiku, at every length.
  const providers = providersWith({
    'gpt-6-luna': { input: 0.156, output: 0.78, cache_read: 0.0156, cache_write: 0.195 },
  });
  const tiers = { easy: [HAIKU, LUNA], medium: [], hard: [] };
  const experience = { ...LONG, steps: 1e6, tokens: 5e8 };
  const planAt = (tokens: number) =>
    planStep(
      planInput({
        ...{ tiers, providers, needs: { capabilities: [], input: inputOf(tokens / 1.3) } },
        lane: { ...unknownLane([]), number: 50, experience },
      }),
    );

  test('leaves Haiku before it gets there, though Haiku is still the cheaper one now', () => {
    expect(planAt(40_000).candidates[0]).toBe(HAIKU);
    const near = planAt(99_000);
    expect([near.candidates[0], near.reason]).toEqual([LUNA, 'cheapest_ahead']);
    const [haiku, luna] = near.quotes;
    expect(haiku?.now).toBeLessThan(luna?.now ?? 0);
  });
});
