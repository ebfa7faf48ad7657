import type { TokenClass } from '../accounting/usage.ts';
import type { CatalogModel } from '../routing/catalog-model.ts';
import { gptGeneration } from '../routing/catalog-openai.ts';

/** How a provider's automatic prompt cache treats one model. */
export interface CacheRules {
  /** Tokens a prefix must have to be cached at all; below it a marker is ignored in silence (T54). */
  minimum: number;
  /** Tokens read are a multiple of it, rounded down. */
  granularity: number;
  /** The class a new prefix is billed as; `fresh` where writing is free. */
  write: Extract<TokenClass, 'write_5m' | 'write_30m' | 'fresh'>;
  /** How long a prefix lives when nothing reads it, in seconds. */
  ttlSeconds: number;
}

// Anthropic's prompt-caching page (2026-08, 5.5 models 2026-10); fable-5-2 and mythos-5-2 as 5.1, unconfirmed.
const ANTHROPIC_MINIMUM: ReadonlyMap<string, number> = new Map([
  ...ids(512, 'opus-5-5', 'sonnet-5-5', 'haiku-5-5', 'opus-5', 'fable-5', 'fable-5-1', 'fable-5-2'),
  ...ids(512, 'mythos-5', 'mythos-5-1', 'mythos-5-2'),
  ...ids(1_024, 'opus-4-8', 'sonnet-5', 'sonnet-4-6', 'sonnet-4-5'),
  ...ids(2_048, 'opus-4-7', 'mythos-preview'),
  ...ids(4_096, 'opus-4-6', 'opus-4-5', 'haiku-4-5'),
]);

/**
 * The rules of a model's automatic caching: Anthropic's top-level `cache_control` with its default lifetime,
 * OpenAI's implicit breakpoints. A model we know nothing of gets the rules that make it warm soonest, so that a
 * baseline never flatters the router (T44).
 */
export function cacheRulesOf(model: CatalogModel): CacheRules {
  if (model.kind === 'anthropic') {
    return {
      minimum: ANTHROPIC_MINIMUM.get(model.id) ?? 512,
      granularity: 1,
      write: 'write_5m',
      ttlSeconds: 300,
    };
  }
  // From GPT-5.6 on writes are billed and matches are exact (T55); before, 128 tokens at a time and free,
  // kept for 24 hours unless the organisation has zero retention (OpenAI's prompt-caching guide, autumn 2026).
  return (gptGeneration(model.id) ?? 0) >= 506
    ? { minimum: 1_024, granularity: 1, write: 'write_30m', ttlSeconds: 1_800 }
    : { minimum: 1_024, granularity: 128, write: 'fresh', ttlSeconds: 86_400 };
}

function ids(minimum: number, ...names: string[]): [string, number][] {
  return names.map((name) => [`claude-${name}`, minimum]);
}
