import { levelStarts } from '../../../src/core/accounting/estimate.ts';
import type { ConfiguredPrice } from '../../../src/core/accounting/prices.ts';
import { inputTokens } from '../../../src/core/accounting/usage.ts';
import { cacheRulesOf } from '../../../src/core/context/cache-rules.ts';
import { handedContext } from '../../../src/core/context/handed-context.ts';
import { COLD, observe } from '../../../src/core/context/prefix-state.ts';
import type { Conversation, Message, TextBlock } from '../../../src/core/conversation.ts';
import { charge } from '../../../src/core/replay/charge.ts';
import { type Candidate, keyOf } from '../../../src/core/routing/candidate.ts';
import { needsOf } from '../../../src/core/routing/capability.ts';
import {
  type Experience,
  type LivedStep,
  NO_EXPERIENCE,
  withEnd,
  withStep,
} from '../../../src/core/routing/experience.ts';
import { planStep } from '../../../src/core/routing/plan.ts';
import { TIERS, type Tier } from '../../../src/core/routing/tier.ts';
import { difficultyOf, NOW, planInput, providersWith } from './scenarios.ts';

/** A made-up lane: what each step sends, when, and what it needs. */
export interface MadeLane {
  messages: Message[];
  steps: { count: number; at: number; floor: Tier; output: number }[];
}

export interface LaneBill {
  usd: number;
  /** Steps that were handed less than the whole. */
  handed: number;
  switches: number;
  /** What it adds to what its customer's lanes have shown. */
  experience: Experience;
}

/** Sends a lane through the planner, with hand-over or without, against caches of its own. */
export function billOf(
  lane: MadeLane,
  tiers: Record<Tier, readonly Candidate[]>,
  prices: Record<string, ConfiguredPrice>,
  handover: boolean,
  customers: Experience = NO_EXPERIENCE,
): LaneBill {
  const providers = providersWith(prices);
  let caches = COLD;
  let prefixes = COLD;
  let experience = NO_EXPERIENCE;
  let before: LivedStep | null = null;
  let served: Candidate | null = null;
  const bill: LaneBill = { usd: 0, handed: 0, switches: 0, experience };
  for (const [index, { count, at, floor, output }] of lane.steps.entries()) {
    const conversation: Conversation = {
      messages: lane.messages.slice(0, count),
      ...{ tools: [], sampling: {}, reasoning: {}, hints: {} },
      output: { stop: [], n: 1, logprobs: false },
    };
    const needs = needsOf(conversation);
    const whole = { input: needs.input, parts: {} };
    const plan = planStep(
      planInput({
        ...{ tiers, providers, needs, at, difficulty: difficultyOf(floor) },
        lane: {
          ...{ number: index + 1, prefixes, parts: {}, served, experience },
          ...{ customers, trailing: true },
        },
        ...(handover ? { handed: (tier: Tier) => handedContext(conversation, whole, tier) } : {}),
      }),
    );
    const [candidate] = plan.candidates;
    const handed = plan.handed.get(candidate);
    const { input, parts } = handed ?? whole;
    const paid = charge(candidate, { input, parts, at, output }, caches, providers);
    caches = paid.caches;
    bill.usd += paid.usd ?? 0;
    if (handed) bill.handed += 1;
    if (served && keyOf(served) !== keyOf(candidate)) bill.switches += 1;
    prefixes = observe(
      prefixes,
      keyOf(candidate),
      cacheRulesOf(candidate.model),
      {
        ...{ tokens: inputTokens(paid.usage), blocks: input.blocks, at: at / 1_000, parts, trailing: true },
        before: levelStarts(candidate.model, input),
      },
      paid.usage,
    );
    const lived: LivedStep = {
      ...{ floor, output, number: index + 1, blocks: needs.input.blocks, at: at / 1_000 },
      tokens: needs.input.total.text,
    };
    experience = withStep(experience, lived, before);
    before = lived;
    served = candidate;
  }
  return { ...bill, experience: withEnd(experience, lane.steps.length) };
}

/** Numbers between 0 and 1, the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

/** What a made-up lane is like. */
export interface LaneShape {
  turns: number;
  /** Steps of a turn, at most. */
  steps: number;
  /** Length of what is said, over that of a short one. */
  size: number;
  /** The chance that every cache expires before a turn. */
  gap: number;
  /** The chance that a step's floor is that of the step before it. */
  rho: number;
}

const MIX = [0.5, 0.3, 0.2];

export function madeLane(random: () => number, { turns, steps, size, gap, rho }: LaneShape): MadeLane {
  const text = (tokens: number) => ({ type: 'text' as const, text: 'x'.repeat(Math.round(tokens * 4)) });
  const drawn = () => {
    const at = random();
    return TIERS[MIX.findIndex((_, i) => at < MIX.slice(0, i + 1).reduce((a, b) => a + b))] ?? 'hard';
  };
  const lane: MadeLane = { messages: [{ role: 'system', content: [text(2_000)] }], steps: [] };
  let at = NOW;
  let floor = drawn();
  for (let turn = 0; turn < turns; turn += 1) {
    lane.messages.push({ role: 'user', content: [text(60 * size)] });
    if (turn > 0 && random() < gap) at += 1_900_000;
    const count = 1 + Math.floor(random() * steps);
    for (let step = 1; step <= count; step += 1) {
      if (random() > rho) floor = drawn();
      lane.steps.push({ count: lane.messages.length, at, floor, output: 150 });
      at += 15_000;
      if (step === count) lane.messages.push({ role: 'assistant', content: [text(100)] });
      else lane.messages.push(...looksUp(`${turn}-${step}`, text(200 * size)));
    }
  }
  return lane;
}

function looksUp(id: string, found: TextBlock): Message[] {
  return [
    { role: 'assistant', content: [{ type: 'tool_call', id, name: 'look_up', arguments: '{}' }] },
    { role: 'tool', content: [{ type: 'tool_result', callId: id, content: [found] }] },
  ];
}
