import type { InputSize } from '../../../src/core/accounting/estimate.ts';
import type { PricedProvider } from '../../../src/core/accounting/price-book.ts';
import type { ConfiguredPrice } from '../../../src/core/accounting/prices.ts';
import type { WarmPrefix } from '../../../src/core/context/prefix-state.ts';
import type { Difficulty } from '../../../src/core/difficulty/scorer.ts';
import { type Candidate, keyOf } from '../../../src/core/routing/candidate.ts';
import { modelOrAssumed } from '../../../src/core/routing/catalog.ts';
import { type LaneView, unknownLane } from '../../../src/core/routing/lane-view.ts';
import type { PlanInput } from '../../../src/core/routing/plan.ts';
import type { Tier } from '../../../src/core/routing/tier.ts';

/** The day of all scenarios. */
export const NOW = Date.parse('2026-11-23T12:00:00Z');

/** @example candidate('anthropic/claude-opus-5-5', 'hard') */
export function candidate(name: string, tier: Tier | null): Candidate {
  const [kind, id = ''] = name.split('/');
  if (kind !== 'anthropic' && kind !== 'openai') throw new Error(`${name}: no such provider`);
  return { provider: kind, name: id, model: modelOrAssumed(kind, id), tier };
}

export const HAIKU = candidate('anthropic/claude-haiku-5-5', 'easy');
export const SONNET = candidate('anthropic/claude-sonnet-5-5', 'medium');
export const OPUS = candidate('anthropic/claude-opus-5-5', 'hard');
export const LUNA = candidate('openai/gpt-6-luna', 'easy');
export const TERRA = candidate('openai/gpt-6.1-terra', 'medium');
export const SOL = candidate('openai/gpt-6.2-sol', 'hard');
export const CLAUDE = { easy: [HAIKU], medium: [SONNET], hard: [OPUS] };
export const BOTH = { easy: [HAIKU, LUNA], medium: [SONNET, TERRA], hard: [OPUS, SOL] };

/** Both providers, with prices over the book's by model name. */
export function providersWith(prices: Record<string, ConfiguredPrice> = {}): Map<string, PricedProvider> {
  const kinds = ['anthropic', 'openai'] as const;
  return new Map(kinds.map((kind) => [kind, { id: kind, kind, prices }]));
}

/** Text of so many tokens on the reference tokenizer. */
export function inputOf(tokens: number, blocks = 9): InputSize {
  const size = (text: number) => ({ text, images: 0, smallImages: 0 });
  const before = { system: size(0), messages: size(0), turn: size(0) };
  return { total: size(tokens), beforeLastAssistant: size(tokens * 0.9), before, blocks, asks: 1 };
}

export function difficultyOf(label: Tier, housekeeping: Difficulty['housekeeping'] = null): Difficulty {
  const signals = { length: 0, reasoning: 0, math: 0, code: 0, lookup: 0, constraints: 0, loop: 0 };
  return { score: 0.5, label, unknown: false, signals, housekeeping };
}

/** Some tokens of a prompt in a model's cache, written ten seconds ago; nothing else of it has a marker. */
export function warmPrefix(tokens: number, part: Partial<WarmPrefix> = {}): WarmPrefix {
  return {
    ...{ tokens, blocks: 7, at: NOW / 1_000 - 10, lifetimeSeconds: 300, estimated: false },
    ...{ parts: {}, before: { system: 0, messages: 0, turn: 0 } },
    ...part,
  };
}

/** A lane whose last answer, ten seconds ago, came from this model, which has so many tokens of it in its cache. */
export function warmLane(served: Candidate, tokens: number, part: Partial<LaneView> = {}): LaneView {
  return {
    ...unknownLane([]),
    ...{ number: 4, served, prefixes: { [keyOf(served)]: [warmPrefix(tokens)] }, trailing: true },
    ...part,
  };
}

/** An easy step of 8,000 tokens on Claude's three models, nothing warm. */
export function planInput(part: Partial<PlanInput> = {}): PlanInput {
  return {
    ...{ wish: { kind: 'auto' }, mode: 'route', difficulty: difficultyOf('easy') },
    ...{
      tiers: CLAUDE,
      needs: { capabilities: [], input: inputOf(8_000) },
      wire: 'openai-chat',
      ownFields: [],
      carries: [],
    },
    ...{ providers: providersWith(), lane: unknownLane([]), at: NOW },
    ...part,
  };
}
