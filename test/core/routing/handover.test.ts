import { describe, expect, test } from 'vitest';
import type { ConfiguredPrice } from '../../../src/core/accounting/prices.ts';
import { usageOf } from '../../../src/core/accounting/usage.ts';
import { cacheRulesOf } from '../../../src/core/context/cache-rules.ts';
import { handedContext } from '../../../src/core/context/handed-context.ts';
import { observe, type PrefixState } from '../../../src/core/context/prefix-state.ts';
import type { Conversation, Message } from '../../../src/core/conversation.ts';
import { type Candidate, keyOf } from '../../../src/core/routing/candidate.ts';
import { needsOf } from '../../../src/core/routing/capability.ts';
import { unknownLane } from '../../../src/core/routing/lane-view.ts';
import { MARGIN, type PlanInput, planStep } from '../../../src/core/routing/plan.ts';
import { TIERS, type Tier } from '../../../src/core/routing/tier.ts';
import { billOf, madeLane, randomOf } from './handed-lanes.ts';
import { BOTH, CLAUDE, difficultyOf, HAIKU, NOW, OPUS, planInput, SONNET, warmPrefix } from './scenarios.ts';

const text = (tokens: number, word = 'x') => ({ type: 'text' as const, text: word.repeat(tokens * 4) });

/** A conversation of so many turns of some 1,100 tokens each, and a system prompt of 2,000. */
function talk(turns: number): Conversation {
  const messages: Message[] = [{ role: 'system', content: [text(2_000)] }];
  for (let n = 0; n < turns; n += 1) {
    messages.push({ role: 'user', content: [text(1_000)] });
    if (n < turns - 1) messages.push({ role: 'assistant', content: [text(100)] });
  }
  return {
    messages,
    ...{ tools: [], sampling: {}, reasoning: {}, hints: {} },
    output: { stop: [], n: 1, logprobs: false },
  };
}

function planOf(conversation: Conversation, prefixes: PrefixState, part: Partial<PlanInput> = {}) {
  const needs = needsOf(conversation);
  const handed = (tier: Tier) => handedContext(conversation, { input: needs.input, parts: {} }, tier);
  return planStep(
    planInput({
      lane: { ...unknownLane(conversation.messages), prefixes, trailing: true },
      ...{ needs, handed, ...part },
    }),
  );
}

const warm = (model: Candidate, tokens: number): PrefixState => ({
  [keyOf(model)]: [warmPrefix(tokens, { before: { system: 0, messages: 2_600, turn: tokens } })],
});
const quoteOf = ({ quotes }: ReturnType<typeof planOf>, model: Candidate) =>
  quotes.find(({ candidate }) => candidate === model);

describe('context hand-over as the plan decides it', () => {
  test('a long, cold conversation: the easy tier is handed its latest turns', () => {
    const plan = planOf(talk(30), {});
    const [chosen] = plan.candidates;
    const handed = plan.handed.get(chosen);
    expect(chosen).toBe(HAIKU);
    expect(handed?.leftOut.tokens).toBeGreaterThan(20_000);
    const quote = quoteOf(plan, HAIKU);
    expect(quote?.handed?.total).toBeLessThan((quote?.total ?? 0) * (1 - MARGIN));
    // Each tier its own: medium more, hard all.
    expect(plan.handed.get(SONNET)?.leftOut.tokens).toBeLessThan(handed?.leftOut.tokens ?? 0);
    expect(plan.handed.has(OPUS)).toBe(false);
  });

  test('lossless where the whole is warm, also where less of it would cost less', () => {
    const plan = planOf(talk(60), warm(HAIKU, 70_000));
    expect(plan.candidates[0]).toBe(HAIKU);
    expect(plan.handed.has(HAIKU)).toBe(false);
    expect(quoteOf(plan, HAIKU)?.usage.read).toBe(70_000);
    expect(quoteOf(plan, HAIKU)?.handed).toBeUndefined();
  });

  test('a cut reads nothing of the whole but the head; the next step with the same cut finds its own prefix', () => {
    const before = talk(30);
    const old = planOf(before, warm(HAIKU, 9_000));
    expect(quoteOf(old, HAIKU)?.usage.read).toBe(9_000);
    expect(quoteOf(old, HAIKU)?.handed?.usage.read).toBe(2_600);
    const handed = old.handed.get(HAIKU);
    if (!handed) throw new Error('it was not cut');
    const sent = quoteOf(old, HAIKU)?.handed?.usage ?? usageOf({});
    const prompt = {
      ...{ tokens: 9_000, blocks: handed.input.blocks, at: NOW / 1_000, parts: handed.parts },
      before: { system: 0, messages: 2_600, turn: 3_000 },
      trailing: true,
    };
    const left = observe({}, keyOf(HAIKU), cacheRulesOf(HAIKU.model), prompt, sent);
    const next = planOf(talk(31), left);
    expect(next.handed.get(HAIKU)?.parts.left_out).toBe(handed.parts.left_out);
    expect(quoteOf(next, HAIKU)?.handed?.usage.read).toBe(sent.read + sent.write_5m);
    // Who goes back to the whole finds the head alone, and pays for all the rest: traps T24.
    expect(quoteOf(next, HAIKU)?.usage.read).toBeLessThan(4_000);
    // Once the cut has moved on, the head is all that is left of it.
    const moved = planOf(talk(33), left);
    expect(quoteOf(moved, HAIKU)?.handed?.usage.read).toBeLessThan(4_000);
  });

  test('never for a model that was named, in one that the floor forces up, or in a short conversation', () => {
    const pinned = planOf(talk(30), {}, { wish: { kind: 'pinned', candidate: HAIKU }, explain: true });
    expect(pinned.handed.size).toBe(0);
    const ruled = planOf(talk(30), {}, { rule: { when: {}, to: { candidate: HAIKU } } });
    expect([ruled.reason, ruled.handed.size]).toEqual(['rule', 0]);
    expect(planOf(talk(30), {}, { wish: { kind: 'tier', tier: 'hard' } }).handed.size).toBe(0);
    expect(planOf(talk(30), {}, { difficulty: difficultyOf('hard') }).handed.size).toBe(0);
    expect(planOf(talk(5), {}).handed.size).toBe(0);
  });

  test('where there is one model only, it may be handed less too', () => {
    const only = { easy: [HAIKU], medium: [], hard: [] };
    expect(planOf(talk(30), {}, { tiers: only, maxTier: 'easy' }).handed.has(HAIKU)).toBe(true);
  });

  test('the whole is taken where the difference is noise', () => {
    // A model whose reads and output are all that costs: what is written once hardly counts.
    const dear = { input: 1, output: 4_000, cache_read: 0.001, cache_write: 1 };
    const prices = Object.fromEntries(TIERS.map((tier) => [CLAUDE[tier][0]?.name ?? '', dear]));
    const providers = new Map([['anthropic', { id: 'anthropic', kind: 'anthropic' as const, prices }]]);
    const plan = planOf(talk(30), {}, { providers });
    const quote = quoteOf(plan, plan.candidates[0]);
    expect(quote?.handed?.total).toBeLessThan(quote?.total ?? 0);
    expect(plan.handed.has(plan.candidates[0])).toBe(false);
  });
});

// Random, but the same each time: a lane is a draw, and what a plan promises is the mean of many.
test('on contexts ten times longer, with pauses and any prices, it costs no more than without, within the margin', () => {
  const random = randomOf(20_261_127);
  const sums = { off: 0, auto: 0, handed: 0 };
  for (let list = 0; list < 12; list += 1) {
    const tiers = random() < 0.5 ? CLAUDE : BOTH;
    const prices: Record<string, ConfiguredPrice> = {};
    for (const { name } of TIERS.flatMap((tier) => tiers[tier])) {
      const input = 0.1 + random() * 20;
      prices[name] = {
        ...{ input, output: input * (2 + random() * 6) },
        ...{ cache_read: input * (0.02 + random() * 0.48), cache_write: input * (1 + random() * 0.5) },
      };
    }
    const shape = { turns: 22, steps: 1 + Math.floor(random() * 4), size: 10 };
    const rhythm = { gap: random() * 0.6, rho: 0.5 + random() * 0.45 };
    let [off, auto] = [0, 0];
    for (let draw = 0; draw < 4; draw += 1) {
      const lane = madeLane(random, { ...shape, ...rhythm });
      off += billOf(lane, tiers, prices, false).usd;
      const bill = billOf(lane, tiers, prices, true);
      auto += bill.usd;
      sums.handed += bill.handed;
    }
    expect(auto / off).toBeLessThan(1 + MARGIN);
    sums.off += 1;
    sums.auto += auto / off;
  }
  expect(sums.auto / sums.off).toBeLessThan(0.97);
  expect(sums.handed).toBeGreaterThan(100);
});
