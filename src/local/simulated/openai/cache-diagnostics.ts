import { digest } from '../digest.ts';
import type { Layout } from './layout.ts';

/** What a prompt cache comparison looks at, in the order of what it names first (oSDK `prompt_cache_diagnostics`). */
export interface ComparedRequest {
  model_changed: string;
  prompt_cache_key_changed: string;
  tools_changed: string;
  text_format_changed: string;
  reasoning_effort_changed: string;
  verbosity_changed: string;
  service_tier_changed: string;
}

export type CacheDiagnosis =
  | { type: 'cache_hit' }
  | { type: 'cache_miss'; reason: string; cache_missed_tokens: number }
  | { type: 'comparison_response_not_found' };

/** Kept at most; the oldest go first. */
const MAX_KEPT = 2_000;

/** Fingerprints of the requests behind responses, for `prompt_cache_options.comparison_response_id`. */
export class CacheComparisons {
  readonly #kept = new Map<string, { request: ComparedRequest; chain: string }>();

  /** Keeps the request a response answered. */
  keep(organisation: string, responseId: string, request: ComparedRequest, layout: Layout): void {
    this.#kept.set(digest(organisation, responseId), { request, chain: layout.places.at(-1)?.chain ?? '' });
    for (const key of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(key);
    }
  }

  /** What the cache did, compared with the request behind another response. */
  compare(
    organisation: string,
    responseId: string,
    request: ComparedRequest,
    layout: Layout,
    read: number,
  ): CacheDiagnosis {
    const before = this.#kept.get(digest(organisation, responseId));
    if (before === undefined) return { type: 'comparison_response_not_found' };
    const miss = (reason: string): CacheDiagnosis => ({
      type: 'cache_miss',
      reason,
      cache_missed_tokens: layout.tokens - read,
    });
    const changed = Object.entries(request).find(
      ([name, value]) => !Object.entries(before.request).some(([old, was]) => old === name && was === value),
    );
    if (changed !== undefined) return miss(changed[0]);
    if (!layout.places.some((place) => place.chain === before.chain)) return miss('input_changed');
    return { type: 'cache_hit' };
  }

  clear(): void {
    this.#kept.clear();
  }
}
