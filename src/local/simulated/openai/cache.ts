import { createHash } from 'node:crypto';
import type { PromptCache } from '../prompt-cache.ts';
import type { TokenUsage } from '../usage.ts';
import { tokenUsage } from '../usage.ts';
import type { Layout, Place } from './layout.ts';
import type { GptModel } from './models.ts';

/** What of a request decides what its prompt cache does (providers.md §1, OpenAI). */
export interface CacheSettings {
  model: GptModel;
  /** Account, model, and all that loses the prefix when it changes; see `cacheScope`. */
  scope: string;
  mode: 'implicit' | 'explicit';
  ttl: '30m' | '12h';
  retention: 'in_memory' | '24h';
}

export interface CachePlan {
  input: TokenUsage;
  begun: () => void;
}

const MINUTE = 60_000;
const LIFETIMES = { '30m': 30 * MINUTE, '12h': 12 * 60 * MINUTE } as const;
/** `in_memory` is 5–10 minutes of idleness: the short end. */
const RETENTIONS = { in_memory: 5 * MINUTE, '24h': 24 * 60 * MINUTE } as const;

/** Visible tokens a prefix needs. */
const MINIMUM = 1_024;
/** Breakpoints looked up, the latest ones (oSDK). */
const LOOKED_UP = 80;
/** Written a request: four, the implicit one included. */
const WRITTEN = 4;
/** Earlier models report reads in steps of 128 tokens; four characters make a token here. */
const STEP_TOKENS = 128;
const STEP_CHARACTERS = STEP_TOKENS * 4;

/** The list "Lost by" of providers.md §1; `tool_choice` isn't in it, and tools are part of the prompt itself. */
export function cacheScope(parts: {
  organisation: string;
  model: string;
  promptCacheKey: string | null | undefined;
  parallel: boolean;
  format: unknown;
  effort: string | null;
  verbosity: string | null | undefined;
  serviceTier: string | null | undefined;
}): string {
  return JSON.stringify([
    parts.organisation,
    parts.model,
    parts.promptCacheKey ?? '',
    parts.parallel,
    isText(parts.format) ? null : parts.format,
    parts.effort,
    parts.verbosity ?? 'medium',
    parts.serviceTier ?? 'auto',
  ]);
}

/** The default, said or not. */
function isText(format: unknown): boolean {
  if (typeof format !== 'object' || format === null) return true;
  return 'type' in format && format.type === 'text';
}

/** What a request reads and writes. `begun` does the writing: entries are readable once the answer has begun. */
export function planCache(
  settings: CacheSettings,
  layout: Layout,
  cache: PromptCache,
  start: number,
): CachePlan {
  return settings.model.cache.kind === 'breakpoints'
    ? planBreakpoints(settings, layout, cache, start)
    : planIntervals(settings, settings.model.cache.tokens, layout, cache, start);
}

/** GPT-5.6 and later: exact at a breakpoint, longest first; writes are charged and reported. */
function planBreakpoints(
  settings: CacheSettings,
  layout: Layout,
  cache: PromptCache,
  start: number,
): CachePlan {
  const key = (place: Place) => `${settings.scope} ${place.chain}`;
  const isImplicit = settings.mode === 'implicit';
  const candidates = layout.places
    .filter((place) => place.mark !== undefined || (isImplicit && place.eligible))
    .slice(-LOOKED_UP);
  const hit = candidates.findLast((place) => cache.holds(key(place), start));
  const read = hit?.upTo ?? 0;

  const implicit = isImplicit ? layout.places.findLast((place) => place.eligible) : undefined;
  const explicit = layout.places
    .filter((place) => place.mark !== undefined && place !== implicit)
    .slice(implicit === undefined ? -WRITTEN : 1 - WRITTEN);
  const targets = layout.places.filter((place) => place === implicit || explicit.includes(place));
  const writes = targets.filter((place) => place.upTo > read && place.upTo >= MINIMUM);

  const input = tokenUsage({ read });
  let written = read;
  for (const place of writes) {
    const ttl = place.mark?.ttl ?? settings.ttl;
    input[ttl === '12h' ? 'write_12h' : 'write_30m'] += place.upTo - written;
    written = place.upTo;
  }
  input.fresh = layout.tokens - written;
  if (hit !== undefined) cache.refresh(key(hit), start);
  return {
    input,
    begun: () => {
      for (const place of writes) cache.write(key(place), start, LIFETIMES[place.mark?.ttl ?? settings.ttl]);
    },
  };
}

/** Before GPT-5.6: the longest interval seen before; cached tokens rounded down to 128; writing is free. */
function planIntervals(
  settings: CacheSettings,
  interval: number,
  layout: Layout,
  cache: PromptCache,
  start: number,
): CachePlan {
  const keys: { key: string; tokens: number }[] = [];
  let chain = settings.scope;
  const steps = Math.floor(layout.text.length / STEP_CHARACTERS);
  for (let step = 0; step < steps; step++) {
    const text = layout.text.slice(step * STEP_CHARACTERS, (step + 1) * STEP_CHARACTERS);
    chain = createHash('sha256').update(chain).update(text).digest('base64url');
    const tokens = (step + 1) * STEP_TOKENS;
    if (tokens >= MINIMUM && tokens % interval === 0) keys.push({ key: chain, tokens });
  }
  const hit = keys.findLast(({ key }) => cache.holds(key, start));
  const most = Math.floor(layout.tokens / STEP_TOKENS) * STEP_TOKENS;
  const read = Math.min(hit?.tokens ?? 0, most);
  for (const { key, tokens } of keys) if (tokens <= read) cache.refresh(key, start);
  return {
    input: tokenUsage({ read, fresh: layout.tokens - read }),
    begun: () => {
      for (const { key } of keys) cache.write(key, start, RETENTIONS[settings.retention]);
    },
  };
}
