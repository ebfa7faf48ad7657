import { type InputSize, levelStarts, tokensOn } from '../accounting/estimate.ts';
import { type PricedProvider, priceListOf } from '../accounting/price-book.ts';
import { stepFor } from '../accounting/prices.ts';
import { tokenFactor } from '../accounting/tokenizers.ts';
import { type Usage, usageOf } from '../accounting/usage.ts';
import type { CacheParts } from '../context/cache-parts.ts';
import { cacheRulesOf } from '../context/cache-rules.ts';
import { assume, type PrefixState, survivingPlaces, warmTokens } from '../context/prefix-state.ts';
import { type Candidate, keyOf } from '../routing/candidate.ts';
import { expectedUsage, requestCost } from '../routing/economics.ts';

/** What a model's provider would report and bill for a request. */
export interface Charge {
  candidate: Candidate;
  usage: Usage;
  /** Null: the model has no price. */
  usd: number | null;
}

export interface ChargedRequest {
  input: InputSize;
  parts: CacheParts;
  /** Start of the request, in milliseconds since the epoch. */
  at: number;
  /** Tokens of the answer on the reference tokenizer. */
  output: number;
}

/**
 * A request answered by a simulated provider: its usage and price by the cache rules of providers.md, and what its
 * caches hold afterwards. A marker stays at the end of tools and of the system prompt, and others trail the lane, so that
 * look-back finds every prefix that is alive.
 * @param warmAtMost tokens of the prompt that an earlier one began with; absent: all of it that is cached
 */
export function charge(
  candidate: Candidate,
  request: ChargedRequest,
  caches: PrefixState,
  providers: ReadonlyMap<string, PricedProvider>,
  warmAtMost = Number.POSITIVE_INFINITY,
): Charge & { caches: PrefixState } {
  const rules = cacheRulesOf(candidate.model);
  const key = keyOf(candidate);
  const { tokens, output } = tokensFor(candidate, request);
  const prompt = { tokens, blocks: request.input.blocks, at: request.at / 1_000, trailing: true };
  const places = survivingPlaces(caches[key], rules, request.parts);
  const warm = Math.min(warmTokens(places, rules, prompt), warmAtMost);
  const usage = expectedUsage({ rules }, tokens, warm, output);
  const prices = pricesFor(candidate, request, providers);
  return {
    candidate,
    usage,
    usd: prices && requestCost({ prices, rules }, tokens, warm, output),
    caches: assume(caches, key, rules, {
      ...prompt,
      parts: request.parts,
      before: levelStarts(candidate.model, request.input),
    }),
  };
}

/** The same without any cache: all input is billed as such. */
export function chargeUncached(
  candidate: Candidate,
  request: ChargedRequest,
  providers: ReadonlyMap<string, PricedProvider>,
): Charge {
  const { tokens, output } = tokensFor(candidate, request);
  const prices = pricesFor(candidate, request, providers);
  const price = prices && stepFor(prices, tokens).prices;
  return {
    candidate,
    usage: usageOf({ fresh: tokens, output }),
    usd: price && (tokens * (price.fresh ?? 0) + output * (price.output ?? 0)) / 1e6,
  };
}

function tokensFor(candidate: Candidate, { input, output }: ChargedRequest) {
  return {
    tokens: tokensOn(candidate.model, input).total,
    output: Math.round(output * tokenFactor(candidate.model)),
  };
}

function pricesFor(
  candidate: Candidate,
  { at }: ChargedRequest,
  providers: ReadonlyMap<string, PricedProvider>,
) {
  const provider = providers.get(candidate.provider);
  return provider ? priceListOf(provider, candidate.name, new Date(at).toISOString()) : null;
}
