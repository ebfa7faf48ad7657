import { cacheRulesOf } from '../context/cache-rules.ts';
import type { CatalogModel } from '../routing/catalog.ts';
import { costOf } from './cost.ts';
import { type InputSplit, splitObserved } from './estimate.ts';
import { type PricedProvider, pricesOf } from './price-book.ts';
import type { Prices } from './prices.ts';
import { tokenRatio } from './tokenizers.ts';
import { inputTokens, type TokenClass, type Usage, usageOf } from './usage.ts';

/** A model as one provider offers it. */
export interface OfferedModel {
  provider: PricedProvider;
  /** As configured: what is shown and priced. */
  name: string;
  model: CatalogModel;
}

/** What the baseline of a step is made from, before lanes exist to say what is warm. */
export interface BaselineInput {
  /** The model that answered, and the tokens of its answer. */
  served: OfferedModel & { usage: Usage };
  /** What the step cost, all attempts. */
  costUsd: number | null;
  /** The input's estimated split on the model that answered (`estimateTokens`). */
  split: InputSplit;
  /** Share of the input that the served model was not handed: the top would have been. Absent: none. */
  leftOut?: number;
  /** The setting `baseline_model`, by default the first of `hard`. */
  top: OfferedModel;
  /** ISO date or time of the request, UTC. */
  at: string;
  /** The client named its model: that model is its own baseline. */
  pinned: boolean;
}

export interface Baseline {
  model: string;
  cost_usd: number | null;
  /** What of it was not observed. */
  estimated: ('baseline' | 'warm')[];
}

// An estimated split is good to some 20 %: reads above this share of it are what a warm cache looks like.
const WARM_SHARE = 0.8;

/**
 * What the same step would have cost on the top model with a warm prompt cache (T44; economics.md, "Ledger of a
 * step"): all before the last answer is read, the rest written, and the output is the served one, both counted by
 * the top's tokenizer. Where the top itself answered from a warm cache, that answer is the baseline.
 */
export function baselineOf(input: BaselineInput): Baseline {
  const { served, top } = input;
  if (input.pinned) return { model: served.name, cost_usd: input.costUsd, estimated: [] };
  const ratio = tokenRatio(served.model, top.model);
  const { leftOut = 0 } = input;
  const tokens = Math.round((inputTokens(served.usage) / (1 - leftOut)) * ratio);
  const split = splitObserved(tokens, input.split);
  const prices = pricesOf(top.provider, top.name, input.at, tokens);
  const isTop = served.model.id === top.model.id && served.provider.id === top.provider.id;
  if (isTop && leftOut === 0 && served.usage.read >= WARM_SHARE * warmTokens(top.model, split)) {
    return { model: top.name, cost_usd: costOf(served.usage, prices), estimated: [] };
  }
  const usage = warmUsage(top.model, split, Math.round(served.usage.output * ratio), prices);
  return {
    model: top.name,
    cost_usd: costOf(usage, prices),
    estimated: split.beforeLastAssistant > 0 ? ['baseline', 'warm'] : ['baseline'],
  };
}

/** The usage a model with a warm cache would report: a class it has no price for is billed as plain input. */
function warmUsage(model: CatalogModel, split: InputSplit, output: number, prices: Prices | null): Usage {
  const {
    minimum,
    default: { write },
  } = cacheRulesOf(model);
  const usage = usageOf({ output });
  const add = (name: TokenClass, tokens: number) => {
    usage[prices?.[name] === null ? 'fresh' : name] += tokens;
  };
  const warm = warmTokens(model, split);
  add('read', warm);
  add(split.total < minimum ? 'fresh' : write, split.total - warm);
  return usage;
}

/** Tokens the request before this one left in the model's cache. */
function warmTokens(model: CatalogModel, { beforeLastAssistant }: InputSplit): number {
  const { minimum, granularity } = cacheRulesOf(model);
  return beforeLastAssistant < minimum ? 0 : beforeLastAssistant - (beforeLastAssistant % granularity);
}
