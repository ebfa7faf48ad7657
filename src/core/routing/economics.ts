import type { PriceList } from '../accounting/prices.ts';
import { stepFor } from '../accounting/prices.ts';
import { type Usage, usageOf } from '../accounting/usage.ts';
import type { CacheRules } from '../context/cache-rules.ts';
import {
  cacheable,
  isReachable,
  type PromptShape,
  type WarmPlace,
  warmTokens,
} from '../context/prefix-state.ts';
import type { Forecast } from './forecast.ts';
import { type AheadModel, BEFORE, COLD, FIRST, GRID, HORIZON, RUNNING, USES } from './lookahead.ts';

/** A model with what it charges and what its cache holds of the lane. */
export interface PricedModel {
  prices: PriceList;
  rules: CacheRules;
  warm: readonly WarmPlace[];
  /** Its tokens for one of the reference tokenizer. */
  factor: number;
}

/** The tokens a request will be billed for: what is warm is read, the rest written, or plain input under the minimum. */
export function expectedUsage(
  { rules }: Pick<PricedModel, 'rules'>,
  tokens: number,
  warm: number,
  output: number,
): Usage {
  const name = tokens < rules.minimum ? 'fresh' : rules.default.write;
  return usageOf({ read: warm, [name]: tokens - warm, output });
}

/** USD of one such request. A class without a price of its own is billed as plain input. */
export function requestCost(
  { prices, rules }: Pick<PricedModel, 'prices' | 'rules'>,
  tokens: number,
  warm: number,
  output: number,
): number {
  const { prices: price } = stepFor(prices, tokens);
  const fresh = price.fresh ?? 0;
  const rest = tokens < rules.minimum ? fresh : (price[rules.default.write] ?? fresh);
  return (warm * (price.read ?? fresh) + (tokens - warm) * rest + output * (price.output ?? 0)) / 1e6;
}

/** How a prompt goes on whose middle is left out: the cut moves now and then, and what it then leaves is shorter. */
export interface CutCourse {
  /** Turns of the conversation, and how many of them the cut moves by, once so many have come. */
  turns: number;
  moves: number;
  /** Turns that a step adds. */
  turnsAStep: number;
  /** Tokens, as the model counts them, before the messages, and before the latest turns. */
  head: number;
  pinned: number;
}

/**
 * A model's costs of the further steps, for the look-ahead. A price step by prompt length (T70), the minimum (T54), the
 * look-back (T53) and the lane's own rhythm are in them.
 * @param cut absent: nothing is left out
 */
export function aheadModel(
  model: PricedModel,
  prompt: PromptShape,
  forecast: Forecast,
  cut?: CutCourse,
): AheadModel {
  const { rules, warm, factor } = model;
  const lifetimeSeconds = rules.default.seconds;
  const output = forecast.output * factor;
  const turnsAt = (step: number) => (cut ? cut.turns + cut.turnsAStep * step : 0);
  /** How often a cut has moved by then. */
  const moved = (step: number) => (cut ? Math.floor(turnsAt(step) / cut.moves) : 0);
  const grown = forecast.tokens * factor;
  const tokensAt = (step: number) =>
    cut && moved(step) > moved(0)
      ? cut.pinned + (cut.moves + (turnsAt(step) % cut.moves)) * (grown / cut.turnsAStep)
      : prompt.tokens + step * grown;
  const shapeAt = (step: number): PromptShape => {
    const blocks = prompt.blocks + step * forecast.blocks;
    return {
      tokens: tokensAt(step),
      blocks,
      at: prompt.at + step * forecast.seconds,
      trailing: prompt.trailing,
      // A client that marks its prompts itself marks the end of each.
      ...(prompt.marks ? { marks: [...prompt.marks, blocks] } : {}),
    };
  };
  const costs = new Float64Array(HORIZON * USES);
  for (let k = 0; k < HORIZON; k++) {
    const shape = shapeAt(k + 1);
    const cost = (read: number) => requestCost(model, shape.tokens, read, output);
    /** What a cut that has moved since leaves of a prefix (T24). */
    const left = (used: number, tokens: number) =>
      cut && moved(k + 1) > moved(used) ? Math.min(tokens, cut.head) : tokens;
    const after = (used: number) => {
      const then = shapeAt(used);
      const isThere = shape.at - then.at < lifetimeSeconds && isReachable(then.blocks, rules, shape);
      return cost(isThere ? cacheable(rules, left(used, then.tokens)) : 0);
    };
    costs[k * USES + COLD] = cost(0);
    costs[k * USES + BEFORE] = cost(cacheable(rules, left(0, warmTokens(warm, rules, shape))));
    costs[k * USES + RUNNING] = after(k);
    GRID.forEach((used, index) => {
      if (used < k) costs[k * USES + FIRST + index] = after(used);
    });
  }
  return { lifetimeSeconds, costs };
}

/** Expected USD of the planned step, given as `now`, and of all further ones, with the model to the lane's end. */
export function costOfStaying(now: number, { costs }: AheadModel, { goesOn }: Forecast): number {
  let total = now;
  let chance = 1;
  for (let k = 0; k < HORIZON; k++) {
    chance *= goesOn[k] ?? 0;
    total += chance * (costs[k * USES + RUNNING] ?? 0);
  }
  return total;
}
