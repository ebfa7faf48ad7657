import { type InputSize, levelStarts, tokensOn } from '../accounting/estimate.ts';
import { type PricedProvider, priceListOf } from '../accounting/price-book.ts';
import { tokenFactor } from '../accounting/tokenizers.ts';
import { inputTokens, type Usage } from '../accounting/usage.ts';
import { cacheRulesOf } from '../context/cache-rules.ts';
import type { HandedContext } from '../context/handed-context.ts';
import { type PromptShape, survivingPlaces, warmTokens } from '../context/prefix-state.ts';
import { type Candidate, keyOf } from './candidate.ts';
import {
  aheadModel,
  type CutCourse,
  costOfStaying,
  expectedUsage,
  type PricedModel,
  requestCost,
} from './economics.ts';
import { rankOf } from './floor.ts';
import { type Forecast, forecast, LAST_STEP } from './forecast.ts';
import type { LaneView } from './lane-view.ts';
import { type Ahead, type AheadModel, lookAhead } from './lookahead.ts';
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
  /** The same where the model is handed less; absent where there is nothing to leave out, or all of it is warm. */
  handed?: HandedQuote;
}

export interface HandedQuote extends Pick<Quote, 'usage' | 'now' | 'ahead' | 'total'> {
  context: HandedContext;
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
  /** What a model of a tier would be handed, where it may be less than all; null: all of it. Absent: always all. */
  handed?: ((tier: Tier) => HandedContext | null) | undefined;
}

/** Makes the quotes of a step from its lane; `isLast`: nothing follows it. */
export type Quoting = (
  candidates: readonly Candidate[],
  others: readonly Candidate[],
  input: Omit<QuoteInput, 'forecast'>,
  isLast: boolean,
) => Quote[];

interface Priced extends Omit<Quote, 'ahead' | 'total' | 'handed'> {
  ahead: AheadModel;
  staying: number;
  /** What it is handed; absent: the whole. */
  context?: HandedContext;
}

/** Models of a tier that a look-ahead is made for: with each of them three tiers are looked ahead from eight times at most. */
const CONTENDERS = 2;

/** {@link quote} by the forecast for the lane. */
export const quoteStep: Quoting = (candidates, others, input, isLast) =>
  quote(candidates, others, {
    ...input,
    forecast: { ...forecast(input.lane), ...(isLast ? LAST_STEP : {}) },
  });

/**
 * Prices models for a step (economics.md): now, and from there on. The look-ahead goes over one model a tier, once for
 * every choice of such models that may be the best; a further model costs what staying with it costs more, at most what
 * it costs to serve this step only. Where the best is cold, and a tier may be handed less than the whole, its best model
 * stands beside itself once more: so whatever is compared has the same ways to go on. Linear in the number of models. A
 * model without a price has no quote.
 *
 * @param candidates what may take this step
 * @param others what only this step's floor excludes, so that further steps may take it
 */
export function quote(
  candidates: readonly Candidate[],
  others: readonly Candidate[],
  input: QuoteInput,
): Quote[] {
  const whole = [...candidates, ...others].flatMap((candidate) => price(candidate, input) ?? []);
  const contenders = TIERS.map((tier) => contendersOf(tier, whole));
  const after = new Map<Priced, number>();
  /** Some ways for the lane to go on, for those who may take the step. */
  const goOn = (ways: readonly (Priced | undefined)[][], offers: readonly Priced[]): void => {
    for (const chosen of ways) {
      const models = chosen.map((one) => one?.ahead ?? null);
      const ahead = lookAhead(models, input.forecast, rankOf(input.floor));
      for (const one of offers) {
        const least = after.get(one) ?? Number.POSITIVE_INFINITY;
        after.set(one, Math.min(least, afterTaking(one, chosen, ahead)));
      }
    }
  };
  goOn(choices(contenders), whole);
  const totalOf = (one: Priced) => one.now + (after.get(one) ?? 0);
  const [best] = whole
    .filter(({ candidate }) => candidates.includes(candidate))
    .sort((one, other) => totalOf(one) - totalOf(other));
  // Lossless where the whole is warm: and then nothing has to be thought about it.
  const less = best && isWarm(best) ? [] : whole.flatMap((one) => priceHanded(one, input) ?? []);
  if (less.length > 0) goOn(waysWithLess(contenders, less), [...whole, ...less]);
  const costs = (one: Priced) => {
    const ahead = after.get(one) ?? 0;
    return { usage: one.usage, now: one.now, ahead, total: one.now + ahead };
  };
  return candidates.flatMap((candidate) => {
    const one = whole.find((priced) => priced.candidate === candidate);
    const cut = less.find((priced) => priced.candidate === candidate);
    if (!one) return [];
    const handed = cut?.context && { context: cut.context, ...costs(cut) };
    return [{ candidate, ...costs(one), ...(handed ? { handed } : {}) }];
  });
}

/** Of a whole input, what is enough to be warm for nothing of it to be left out. */
const WARM_SHARE = 0.5;

function isWarm({ usage }: Pick<Priced, 'usage'>): boolean {
  return usage.read >= WARM_SHARE * inputTokens(usage);
}

/** What a model costs that is handed less than the whole; null where it is not, for all is as good as warm. */
function priceHanded({ candidate, usage }: Priced, input: QuoteInput): Priced | null {
  const { tier } = candidate;
  if (tier === null || !input.handed || isWarm({ usage })) return null;
  const context = input.handed(tier);
  return context && price(candidate, input, context);
}

/** One model a tier, in every way there is in which some tier is handed less. */
function waysWithLess(
  contenders: readonly (readonly Priced[])[],
  less: readonly Priced[],
): (Priced | undefined)[][] {
  const both = TIERS.map((tier, rank) => [
    ...(contenders[rank] ?? []).slice(0, 1),
    ...contendersOf(tier, less).slice(0, 1),
  ]);
  return choices(both).filter((chosen) => chosen.some((one) => one?.context));
}

/** USD of all further steps once a model has taken this one, where a tier's model is the chosen one from then on. */
function afterTaking(one: Priced, chosen: readonly (Priced | undefined)[], ahead: Ahead): number {
  const tier = one.candidate.tier === null ? -1 : rankOf(one.candidate.tier);
  const stayed = chosen[tier];
  // What is handed less has no use for a cache of the whole, nor the other way round.
  if (!stayed || (stayed.context === undefined) !== (one.context === undefined)) return ahead.afterOther;
  const dearer = one.staying - one.now - (stayed.staying - stayed.now);
  return Math.min(ahead.afterOther, (ahead.after[tier] ?? 0) + Math.max(0, dearer));
}

/** A tier's models that may be the best to have: those no other beats in everything, cheapest to stay with first. */
function contendersOf(tier: Tier, models: readonly Priced[]): Priced[] {
  const own = models.filter(({ candidate }) => candidate.tier === tier).sort((a, b) => a.staying - b.staying);
  return own
    .filter((one, index) => !own.slice(0, index).some((other) => beats(other, one)))
    .slice(0, CONTENDERS);
}

/** Costs no more in any step, whatever its cache then holds, and keeps it as long. */
function beats(other: Priced, one: Priced): boolean {
  return (
    other.now <= one.now &&
    other.ahead.lifetimeSeconds >= one.ahead.lifetimeSeconds &&
    other.ahead.costs.every((cost, at) => cost <= (one.ahead.costs[at] ?? 0))
  );
}

/** One model a tier, in every way there is. */
function choices(contenders: readonly (readonly Priced[])[]): (Priced | undefined)[][] {
  return contenders.reduce<(Priced | undefined)[][]>(
    (chosen, tier) =>
      chosen.flatMap((before) => (tier.length ? tier : [undefined]).map((one) => [...before, one])),
    [[]],
  );
}

/** @param handed what the model gets in place of the whole */
function price(candidate: Candidate, given: QuoteInput, handed?: HandedContext): Priced | null {
  const { lane, forecast } = given;
  const { input, parts } = handed ?? { input: given.input, parts: lane.parts };
  const provider = given.providers.get(candidate.provider);
  const prices = provider && priceListOf(provider, candidate.name, new Date(given.at).toISOString());
  if (!prices) return null;
  const factor = tokenFactor(candidate.model);
  const rules = cacheRulesOf(candidate.model);
  const places = survivingPlaces(lane.prefixes[keyOf(candidate)], rules, parts);
  const model: PricedModel = { prices, rules, warm: places, factor };
  // What was thought is given back with the whole alone.
  const thinking = handed ? 0 : (lane.thinking?.[keyOf(candidate)] ?? 0);
  const prompt: PromptShape = {
    tokens: tokensOn(candidate.model, input).total + thinking,
    blocks: input.blocks,
    at: given.at / 1_000,
    trailing: lane.trailing,
    ...(lane.marks ? { marks: lane.marks } : {}),
  };
  const output = forecast.output * factor;
  const warm = warmTokens(places, rules, prompt);
  const ahead = aheadModel(model, prompt, forecast, handed && courseOf(candidate, handed));
  const now = requestCost(model, prompt.tokens, warm, output) + (handed?.summaryUsd ?? 0);
  return {
    candidate,
    usage: expectedUsage(model, prompt.tokens, warm, output),
    now,
    ahead,
    staying: costOfStaying(now, ahead, forecast),
    ...(handed ? { context: handed } : {}),
  };
}

function courseOf({ model }: Candidate, { cut, input, pinned, turnsAStep }: HandedContext): CutCourse {
  const { turns, moves } = cut;
  const head = levelStarts(model, input).messages;
  return { turns, moves, turnsAStep, head, pinned: tokensOn(model, pinned).total };
}
