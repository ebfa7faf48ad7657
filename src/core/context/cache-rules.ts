import type { TokenClass } from '../accounting/usage.ts';
import type { CatalogModel } from '../routing/catalog-model.ts';
import { gptGeneration } from '../routing/catalog-openai.ts';

/** How long a written prefix lives when nothing reads it, and the class its writing is billed as. */
export interface CacheLifetime {
  /** `fresh` where writing is free. */
  write: Exclude<TokenClass, 'read' | 'output'>;
  seconds: number;
}

/** How a provider's prompt cache treats one model. */
export interface CacheRules {
  /** Tokens a prefix must have to be cached at all; below it a marker is ignored in silence (T54). */
  minimum: number;
  /** Tokens read are a multiple of it, rounded down. */
  granularity: number;
  /** What a request gets without asking. A read renews it for free. */
  default: CacheLifetime;
  /** What a request may ask for in its place; null: there is none. */
  long: CacheLifetime | null;
  /** Places of one request that may be written: marked ones and the automatic one together (T20). */
  breakpoints: number;
  /** Blocks before a breakpoint, itself the first, in which an earlier entry is found (T53). */
  lookback: number;
}

// Anthropic's prompt-caching page (2026-08, 5.5 models 2026-10); fable-5-2 and mythos-5-2 as 5.1, unconfirmed.
const ANTHROPIC_MINIMUM: ReadonlyMap<string, number> = new Map([
  ...ids(512, 'opus-5-5', 'sonnet-5-5', 'haiku-5-5', 'opus-5', 'fable-5', 'fable-5-1', 'fable-5-2'),
  ...ids(512, 'mythos-5', 'mythos-5-1', 'mythos-5-2'),
  ...ids(1_024, 'opus-4-8', 'sonnet-5', 'sonnet-4-6', 'sonnet-4-5'),
  ...ids(2_048, 'opus-4-7', 'mythos-preview'),
  ...ids(4_096, 'opus-4-6', 'opus-4-5', 'haiku-4-5'),
]);

// The same page: 4 breakpoints, the automatic one included; at most 20 positions looked back from each.
const ANTHROPIC: Omit<CacheRules, 'minimum'> = {
  granularity: 1,
  default: { write: 'write_5m', seconds: 300 },
  long: { write: 'write_1h', seconds: 3_600 },
  breakpoints: 4,
  lookback: 20,
};

// OpenAI's prompt-caching guide, autumn 2026: from GPT-5.6 on writes are billed and matches are exact at a breakpoint
// (T55); its SDK (7.57) says that the latest 80 are looked up.
const OPENAI: CacheRules = {
  minimum: 1_024,
  granularity: 1,
  default: { write: 'write_30m', seconds: 1_800 },
  long: { write: 'write_12h', seconds: 43_200 },
  breakpoints: 4,
  lookback: 80,
};

// The same guide: before, 128 tokens at a time, free, found wherever the prefix ends, kept for 24 hours unless the
// organisation has zero retention.
const OPENAI_BEFORE_56: CacheRules = {
  minimum: 1_024,
  granularity: 128,
  default: { write: 'fresh', seconds: 86_400 },
  long: null,
  breakpoints: 0,
  lookback: Number.POSITIVE_INFINITY,
};

/**
 * The rules of a model's caching. A model we know nothing of gets the rules that make it warm soonest, so that a
 * baseline never flatters the router (T44).
 */
export function cacheRulesOf(model: CatalogModel): CacheRules {
  if (model.kind === 'anthropic') return { ...ANTHROPIC, minimum: ANTHROPIC_MINIMUM.get(model.id) ?? 512 };
  return (gptGeneration(model.id) ?? 0) >= 506 ? OPENAI : OPENAI_BEFORE_56;
}

function ids(minimum: number, ...names: string[]): [string, number][] {
  return names.map((name) => [`claude-${name}`, minimum]);
}
