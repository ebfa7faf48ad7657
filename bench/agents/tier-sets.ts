import { type PricedProvider, priceListOf } from '../../src/core/accounting/price-book.ts';
import type { Candidate } from '../../src/core/routing/candidate.ts';
import { modelOrAssumed, type ProviderKind } from '../../src/core/routing/catalog.ts';
import type { Tier } from '../../src/core/routing/tier.ts';

/** The sets of tiers of economics.md, easy, medium, hard. */
const SETS: Readonly<Record<string, readonly [string, string, string]>> = {
  'Claude 5.5': ['anthropic/claude-haiku-5-5', 'anthropic/claude-sonnet-5-5', 'anthropic/claude-opus-5-5'],
  'Claude 2025': ['anthropic/claude-haiku-4-5', 'anthropic/claude-sonnet-5', 'anthropic/claude-opus-5-5'],
  'GPT-6': ['openai/gpt-6-luna', 'openai/gpt-6.1-terra', 'openai/gpt-6.2-sol'],
  'luna, sol, astra': ['openai/gpt-6-luna', 'openai/gpt-6-sol', 'openai/gpt-6-astra'],
  mixed: ['anthropic/claude-haiku-5-5', 'openai/gpt-6.1-terra', 'anthropic/claude-opus-5-5'],
};

export const SET_NAMES = Object.keys(SETS);

export interface TierSet {
  name: string;
  tiers: Record<Tier, readonly Candidate[]>;
  providers: ReadonlyMap<string, PricedProvider>;
  baseline: Candidate;
}

type Names = Readonly<Record<Tier, readonly string[]>>;

/** @param at ISO time @throws where a model of the set has no price then */
export function requirePrices({ tiers, providers }: TierSet, at: string): void {
  for (const { provider, name } of Object.values(tiers).flat()) {
    const priced = providers.get(provider);
    if (!priced || !priceListOf(priced, name, at)) {
      throw new Error(`${provider}/${name} has no price: give one with --prices`);
    }
  }
}

/**
 * A set by its name here, or as JSON like FLUX_TIERS: `{"easy":["openai/gpt-6-luna"],"medium":[…],"hard":[…]}`.
 * @param prices USD per million tokens by model, over the price book
 */
export function tierSet(text: string, prices: NonNullable<PricedProvider['prices']>): TierSet {
  const known = SETS[text];
  const names: Names = known ? { easy: [known[0]], medium: [known[1]], hard: [known[2]] } : namesIn(text);
  const candidates = (tier: Tier) => (names[tier] ?? []).map((name) => candidate(name, tier));
  const tiers = { easy: candidates('easy'), medium: candidates('medium'), hard: candidates('hard') };
  const baseline = tiers.hard[0];
  if (!baseline)
    throw new Error('--tiers: "hard" needs a model, e.g. {"hard":["anthropic/claude-opus-5-5"]}');
  const kinds = ['anthropic', 'openai'] as const;
  return {
    ...{ name: text, tiers, baseline },
    providers: new Map(kinds.map((kind) => [kind, { id: kind, kind, prices }])),
  };
}

function namesIn(text: string): Names {
  try {
    return JSON.parse(text) as Names; // the option's own format; what it lacks fails where it is used
  } catch {
    throw new Error(`--tiers: ${text} is neither JSON nor one of ${SET_NAMES.join(' | ')}`);
  }
}

function candidate(name: string, tier: Tier): Candidate {
  const [kind, id] = name.split('/');
  if ((kind !== 'anthropic' && kind !== 'openai') || !id) {
    throw new Error(`--tiers: ${name} is no provider/model, e.g. openai/gpt-6-luna`);
  }
  return { provider: kind, name: id, model: modelOrAssumed(kind satisfies ProviderKind, id), tier };
}
