import { type InputSize, tokensOn } from '../accounting/estimate.ts';
import { type PricedProvider, priceListOf } from '../accounting/price-book.ts';
import { tokenFactor } from '../accounting/tokenizers.ts';
import type { Usage } from '../accounting/usage.ts';
import { cacheRulesOf } from '../context/cache-rules.ts';
import { type PromptShape, warmTokens } from '../context/prefix-state.ts';
import { type Candidate, keyOf } from './candidate.ts';
import { aheadModel, costOfStaying, expectedUsage, type PricedModel, requestCost } from './economics.ts';
import { rankOf } from './floor.ts';
import type { Forecast } from './forecast.ts';
import type { LaneView } from './lane-view.ts';
import { type AheadModel, lookAhead } from './lookahead.ts';
import { TIERS, type Tier } from './tier.ts';

/** What a model would cost: this step, and the lane's further steps once it took this one. */
export interface Quote {
  candidate: Candidate;
  /** Expected tokens of this step, as the model counts them. */
  usage: Usage;
  /** USD. */
  now: number;
  ahead: number;
  total: number;
}

/** What a step's quotes are made from. */
export interface QuoteInput {
  /** As configured: their own prices count before the book's. */
  providers: ReadonlyMap<string, PricedProvider>;
  input: InputSize;
  lane: LaneView;
  forecast: Forecast;
  /** Start of the request, in milliseconds since the epoch. */
  at: number;
  floor: Tier;
}

interface Priced extends Omit<Quote, 'ahead' | 'total'> {
  ahead: AheadModel;
  staying: number;
}

/**
 * Prices models for a step (economics.md): now, and from there on. The look-ahead goes over one model a tier, the one
 * that would cost least to stay with; another one is taken to serve this step only. Linear in the number of models.
 * A model without a price has no quote.
 *
 * @param candidates what may take this step
 * @param others what only this step's floor excludes, so that further steps may take it
 */
export function quote(
  candidates: readonly Candidate[],
  others: readonly Candidate[],
  input: QuoteInput,
): Quote[] {
  const priced = new Map<Candidate, Priced>();
  for (const candidate of [...candidates, ...others]) {
    const one = price(candidate, input);
    if (one) priced.set(candidate, one);
  }
  const staying = TIERS.map((tier) =>
    least([...priced.values()].filter(({ candidate }) => candidate.tier === tier)),
  );
  const ahead = lookAhead(
    staying.map((one) => one?.ahead ?? null),
    input.forecast,
    rankOf(input.floor),
  );
  return candidates.flatMap((candidate) => {
    const one = priced.get(candidate);
    if (!one) return [];
    const tier = staying.indexOf(one);
    const after = tier === -1 ? ahead.afterOther : (ahead.after[tier] ?? 0);
    return [{ candidate, usage: one.usage, now: one.now, ahead: after, total: one.now + after }];
  });
}

function price(candidate: Candidate, input: QuoteInput): Priced | null {
  const { lane, forecast } = input;
  const provider = input.providers.get(candidate.provider);
  const prices = provider && priceListOf(provider, candidate.name, new Date(input.at).toISOString());
  if (!prices) return null;
  const factor = tokenFactor(candidate.model);
  const model: PricedModel = {
    prices,
    rules: cacheRulesOf(candidate.model),
    warm: lane.prefixes[keyOf(candidate)],
    factor,
  };
  const prompt: PromptShape = {
    tokens: tokensOn(candidate.model, input.input).total,
    blocks: input.input.blocks,
    at: input.at / 1_000,
    trailing: lane.trailing,
  };
  const output = forecast.output * factor;
  const warm = warmTokens(model.warm, model.rules, prompt);
  const ahead = aheadModel(model, prompt, forecast);
  const now = requestCost(model, prompt.tokens, warm, output);
  return {
    candidate,
    usage: expectedUsage(model, prompt.tokens, warm, output),
    now,
    ahead,
    staying: costOfStaying(now, ahead, forecast),
  };
}

function least(models: readonly Priced[]): Priced | undefined {
  return models.reduce<Priced | undefined>(
    (best, one) => (best === undefined || one.staying < best.staying ? one : best),
    undefined,
  );
}
