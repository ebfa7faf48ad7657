import type { LaterLevel } from '../accounting/estimate.ts';
import { inputTokens, type Usage } from '../accounting/usage.ts';
import type { CachePart, CacheParts } from './cache-parts.ts';
import { CACHE_LEVELS, type CacheLevel, type CacheRules } from './cache-rules.ts';

/** A place of a prompt that a model's cache holds all up to. */
export interface WarmPlace {
  /** Tokens as this model counts them. */
  tokens: number;
  /** Blocks (text, image, tool call, tool result) up to it: look-back counts them. Infinity: a marker ends there. */
  blocks: number;
  /** Start of the request that wrote or last read it, in seconds; a lifetime runs from there. */
  at: number;
  /** How long it lives when nothing reads it. */
  lifetimeSeconds: number;
}

/** What one model's prompt cache holds of a lane: its longest written prefix. Plain data: a store can keep it as JSON. */
export interface WarmPrefix extends WarmPlace {
  /** The parts of the request that wrote it: for another's it may be lost, or but a part of it be left. */
  parts: CacheParts;
  /** Tokens of it before each level, which are left where that level is lost; 0 where no marker ended there. */
  before: Readonly<Record<LaterLevel, number>>;
  /** Nobody reported it: it is what the rules say of an estimated input. */
  estimated: boolean;
}

/**
 * What is warm for a lane, by `provider/model`: where, and until when. A model has several prefixes where requests
 * differed in what loses its cache, the latest first: who goes back to the parts of an earlier one finds its own.
 */
export type PrefixState = Readonly<Record<string, readonly WarmPrefix[]>>;

export const COLD: PrefixState = {};

/** Prefixes kept of one model. */
const KEPT = 4;

/** A request as a prompt cache sees it. */
export interface PromptShape {
  /** Input tokens as the model counts them. */
  tokens: number;
  blocks: number;
  /** Start of the request, in seconds. */
  at: number;
  /** The end of the model's last prefix carries a marker of its own, so that no look-back has to find it. */
  trailing: boolean;
}

/** A request that was sent: what it leaves warm depends on its parts and markers too. */
export type SentPrompt = Pick<PromptShape, 'tokens' | 'blocks' | 'at'> & Pick<WarmPrefix, 'parts' | 'before'>;

/** What a request's parts leave of a model's prefixes: the places it may be read up to. */
export function survivingPlaces(
  prefixes: readonly WarmPrefix[] | undefined,
  rules: CacheRules,
  parts: CacheParts,
): WarmPlace[] {
  return (prefixes ?? []).flatMap((prefix) => {
    const lost = firstLost(prefix.parts, parts, rules);
    const head = headOf(prefix, lost ?? 'messages', rules);
    const left = head.tokens > 0 ? [head] : [];
    return lost === null ? [prefix, ...left] : left;
  });
}

/** The first level that one request's cache does not hold for another; null: it holds all. */
function firstLost(one: CacheParts, other: CacheParts, rules: CacheRules): CacheLevel | null {
  const isLost = (level: CacheLevel) => rules.lostBy[level].some((part) => differs(one, other, part, rules));
  return CACHE_LEVELS.find(isLost) ?? null;
}

/** The parts in which a request differs from another so that what one left is lost for the other, or some of it. */
export function losingParts(one: CacheParts, other: CacheParts, rules: CacheRules): CachePart[] {
  const losing = CACHE_LEVELS.flatMap((level) => rules.lostBy[level]);
  return losing.filter((part) => differs(one, other, part, rules));
}

function differs(one: CacheParts, other: CacheParts, part: CachePart, { defaults }: CacheRules): boolean {
  return (one[part] ?? defaults[part]) !== (other[part] ?? defaults[part]);
}

/** A prefix up to where a level begins. */
function headOf(prefix: WarmPrefix, level: CacheLevel, rules: CacheRules): WarmPlace {
  const { at, lifetimeSeconds, before } = prefix;
  const tokens = level === 'tools' ? 0 : cacheable(rules, Math.min(before[level], prefix.tokens));
  return { tokens, blocks: Number.POSITIVE_INFINITY, at, lifetimeSeconds };
}

/** Input tokens a request will read instead of paying for them, as far as the lane knows. */
export function warmTokens(places: readonly WarmPlace[], rules: CacheRules, prompt: PromptShape): number {
  let most = 0;
  for (const place of places) {
    const isFound = isAlive(place, prompt.at) && isReachable(place.blocks, rules, prompt);
    if (isFound && place.tokens > most) most = place.tokens;
  }
  return Math.min(most, cacheable(rules, prompt.tokens));
}

/** Warmth expires (T14): at its lifetime after the request that last used it began. */
function isAlive(prefix: WarmPlace, at: number): boolean {
  return at - prefix.at < prefix.lifetimeSeconds;
}

/** Whether the provider finds a prefix that ended after so many blocks: from the last one it looks back, itself included (T53). */
export function isReachable(blocks: number, rules: CacheRules, prompt: PromptShape): boolean {
  return prompt.trailing || prompt.blocks - blocks < rules.lookback;
}

/** Tokens of a prefix of this length that a cache takes: none under the minimum (T54). */
export function cacheable(rules: CacheRules, tokens: number): number {
  return tokens < rules.minimum ? 0 : tokens - (tokens % rules.granularity);
}

/**
 * The state after an answer, from the usage that came with it (T13): what was read or written is warm from the
 * start of that request on. A usage that shows neither leaves nothing warm, whatever was planned.
 */
export function observe(
  state: PrefixState,
  key: string,
  rules: CacheRules,
  prompt: SentPrompt,
  usage: Usage,
): PrefixState {
  const written = rules.default.write === 'fresh' ? 0 : usage[rules.default.write];
  const long = rules.long ? usage[rules.long.write] : 0;
  const input = inputTokens(usage);
  // Where writing is free it is not reported: all input that is long enough was written.
  const tokens = rules.default.write === 'fresh' ? cacheable(rules, input) : usage.read + written + long;
  // Where levels begin is known by estimate only: as much off as the whole was.
  const ratio = prompt.tokens > 0 ? input / prompt.tokens : 0;
  const { system, messages, turn } = prompt.before;
  const known = state[key] ?? [];
  const renewed = known.find((one) => firstLost(one.parts, prompt.parts, rules) === null);
  return remember(state, key, rules, {
    ...{ tokens, blocks: prompt.blocks, at: prompt.at, parts: prompt.parts },
    before: { system: system * ratio, messages: messages * ratio, turn: turn * ratio },
    lifetimeSeconds: lifetimeOf(rules, renewed ?? known[0], written, long),
    estimated: false,
  });
}

/** As {@link observe} where no usage came: what the rules say such a request leaves behind, marked as estimated. */
export function assume(state: PrefixState, key: string, rules: CacheRules, prompt: SentPrompt): PrefixState {
  return remember(state, key, rules, {
    ...{ tokens: cacheable(rules, prompt.tokens), blocks: prompt.blocks, at: prompt.at },
    ...{ parts: prompt.parts, before: prompt.before },
    lifetimeSeconds: rules.default.seconds,
    estimated: true,
  });
}

function lifetimeOf(
  rules: CacheRules,
  before: WarmPrefix | undefined,
  written: number,
  long: number,
): number {
  // A tail of the short lifetime ends before the long part under it.
  if (written > 0) return rules.default.seconds;
  if (long > 0 && rules.long) return rules.long.seconds;
  // Only read: a read renews the lifetime there was.
  return before?.lifetimeSeconds ?? rules.default.seconds;
}

/** With a prefix in the place of what the same parts wrote before it. */
function remember(state: PrefixState, key: string, rules: CacheRules, prefix: WarmPrefix): PrefixState {
  const others = (state[key] ?? []).filter(
    (one) => isAlive(one, prefix.at) && firstLost(one.parts, prefix.parts, rules) !== null,
  );
  const kept = prefix.tokens > 0 ? [prefix, ...others].slice(0, KEPT) : others;
  if (kept.length > 0) return { ...state, [key]: kept };
  const { [key]: _cold, ...rest } = state;
  return rest;
}
