import type { LaterLevel } from '../accounting/estimate.ts';
import { inputTokens, type Usage } from '../accounting/usage.ts';
import type { CachePart, CacheParts } from './cache-parts.ts';
import { CACHE_LEVELS, type CacheLevel, type CacheRules } from './cache-rules.ts';

/** A place of a prompt that a model's cache holds all up to. */
export interface WarmPlace {
  /** Tokens as this model counts them. */
  tokens: number;
  /** Blocks (text, image, tool call, tool result) up to it: look-back counts them; {@link MARKED}. */
  blocks: number;
  /** Start of the request that wrote or last read it, in seconds; a lifetime runs from there. */
  at: number;
  /** How long it lives when nothing reads it. */
  lifetimeSeconds: number;
}

/** More blocks than any prompt has: every request of the lane marks the place, so nobody has to look back for it. */
export const MARKED = Number.MAX_SAFE_INTEGER;

/** What one model's prompt cache holds of a lane: its longest written prefix. Plain data: a store can keep it as JSON. */
export interface WarmPrefix extends WarmPlace {
  /** The parts of the request that wrote it: for another's it may be lost, or but a part of it be left. */
  parts: CacheParts;
  /** Tokens of it before each level, which are left where that level is lost; 0 where no marker ended there. */
  before: Readonly<Record<LaterLevel, number>>;
  /** Nobody reported it: it is what the rules say of an estimated input. */
  estimated: boolean;
  /** Shorter places that outlive it, longest first: what was written for longer, under a short-lived tail. */
  inner?: readonly WarmPlace[];
}

/**
 * What is warm for a lane, by `provider/model`: where, and until when. A model has several prefixes where requests
 * differed in what loses its cache, the latest first: who goes back to the parts of an earlier one finds its own.
 */
export type PrefixState = Readonly<Record<string, readonly WarmPrefix[]>>;

export const COLD: PrefixState = {};

/** Prefixes kept of one model, and places inside one that outlive it: a part of the messages, and the head. */
const KEPT = 4;
const KEPT_INSIDE = 2;

/** A request as a prompt cache sees it. */
export interface PromptShape {
  /** Input tokens as the model counts them. */
  tokens: number;
  blocks: number;
  /** Start of the request, in seconds. */
  at: number;
  /** The ends of what the model's cache holds carry markers of their own, so that no look-back has to find them. */
  trailing: boolean;
  /** Blocks up to each marker of the client's; absent: there is one, at the end. */
  marks?: readonly number[];
}

/** A request that was sent: what it leaves warm depends on its parts and markers too. */
export interface SentPrompt
  extends Pick<PromptShape, 'tokens' | 'blocks' | 'at' | 'trailing' | 'marks'>,
    Pick<WarmPrefix, 'parts' | 'before'> {
  /** Blocks up to its last marker of the longer lifetime; absent: there is none, or it is the last of all. */
  longEnd?: number;
}

/** What a request's parts leave of a model's prefixes: the places it may be read up to. */
export function survivingPlaces(
  prefixes: readonly WarmPrefix[] | undefined,
  rules: CacheRules,
  parts: CacheParts,
): WarmPlace[] {
  return (prefixes ?? []).flatMap((prefix) => {
    const lost = firstLost(prefix.parts, parts, rules);
    const places = [prefix, ...(prefix.inner ?? [])];
    const heads = places.map((place) => headOf(place, prefix, lost ?? 'messages', rules));
    const left = heads.filter(({ tokens }) => tokens > 0);
    return lost === null ? [...places, ...left] : left;
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

/** A place up to where a level begins. */
function headOf(place: WarmPlace, { before }: WarmPrefix, level: CacheLevel, rules: CacheRules): WarmPlace {
  const { at, lifetimeSeconds } = place;
  const tokens = level === 'tools' ? 0 : cacheable(rules, Math.min(before[level], place.tokens));
  return { tokens, blocks: MARKED, at, lifetimeSeconds };
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
export function isAlive(place: WarmPlace, at: number): boolean {
  return at - place.at < place.lifetimeSeconds;
}

function expiryOf({ at, lifetimeSeconds }: WarmPlace): number {
  return at + lifetimeSeconds;
}

/** Whether the provider finds a prefix that ended after so many blocks: from a marker it looks back, itself included (T53). */
export function isReachable(blocks: number, rules: CacheRules, prompt: PromptShape): boolean {
  if (prompt.trailing || blocks === MARKED) return true;
  if (!prompt.marks) return prompt.blocks - blocks < rules.lookback;
  return prompt.marks.some((mark) => mark >= blocks && mark - blocks < rules.lookback);
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
  const known = survivingPlaces(state[key], rules, prompt.parts);
  const { at, blocks } = prompt;
  const found = foundAt(known, usage.read);
  const prefix: WarmPrefix = {
    ...{ tokens, blocks, at, parts: prompt.parts },
    before: { system: system * ratio, messages: messages * ratio, turn: turn * ratio },
    // Only read: a read renews the lifetime there was.
    lifetimeSeconds:
      written > 0 || !rules.long
        ? rules.default.seconds
        : long > 0
          ? rules.long.seconds
          : ((found ?? known[0])?.lifetimeSeconds ?? rules.default.seconds),
    estimated: false,
  };
  // What it did not read, though longer, is gone.
  const inside = known
    .filter((place) => place === found || (place.tokens <= usage.read && isAlive(place, at)))
    .map((place) => {
      if (place === found) return { ...place, tokens: usage.read, at };
      return isRenewed(place, rules, prompt) ? { ...place, at } : place;
    });
  if (rules.long && long > 0 && written > 0 && prompt.longEnd !== undefined) {
    const end = {
      tokens: usage.read + long,
      blocks: prompt.longEnd,
      at,
      lifetimeSeconds: rules.long.seconds,
    };
    inside.push(end);
  }
  return remember(state, key, rules, withInner(prefix, inside));
}

/** The place that so many tokens were read up to. Where a level begins is known by estimate: the nearest, if it is near. */
function foundAt(places: readonly WarmPlace[], read: number): WarmPlace | undefined {
  if (read === 0) return undefined;
  const off = ({ tokens }: WarmPlace) => Math.abs(tokens - read);
  const [nearest] = [...places].sort((a, b) => off(a) - off(b));
  return nearest && off(nearest) <= read * 0.02 ? nearest : undefined;
}

function isRenewed({ blocks }: WarmPlace, { renews }: CacheRules, { trailing, marks }: SentPrompt): boolean {
  return renews === 'marked' && (trailing || blocks === MARKED || marks?.includes(blocks) === true);
}

/** A prefix with those places inside it that are alive once it and all longer ones are not. */
function withInner(prefix: WarmPrefix, places: readonly WarmPlace[]): WarmPrefix {
  let last = expiryOf(prefix);
  const inner: WarmPlace[] = [];
  for (const { tokens, blocks, at, lifetimeSeconds } of [...places].sort((a, b) => b.tokens - a.tokens)) {
    if (tokens >= prefix.tokens || at + lifetimeSeconds <= last || inner.length === KEPT_INSIDE) continue;
    last = at + lifetimeSeconds;
    inner.push({ tokens, blocks, at, lifetimeSeconds });
  }
  return inner.length > 0 ? { ...prefix, inner } : prefix;
}

/** As {@link observe} where no usage came: what the rules say such a request leaves behind, marked as estimated. */
export function assume(state: PrefixState, key: string, rules: CacheRules, prompt: SentPrompt): PrefixState {
  const prefix: WarmPrefix = {
    ...{ tokens: cacheable(rules, prompt.tokens), blocks: prompt.blocks, at: prompt.at },
    ...{ parts: prompt.parts, before: prompt.before },
    lifetimeSeconds: rules.default.seconds,
    estimated: true,
  };
  return remember(state, key, rules, withInner(prefix, survivingPlaces(state[key], rules, prompt.parts)));
}

/** With a prefix in the place of what the same parts wrote before it. */
function remember(state: PrefixState, key: string, rules: CacheRules, prefix: WarmPrefix): PrefixState {
  const others = (state[key] ?? []).filter(
    (one) =>
      [one, ...(one.inner ?? [])].some((place) => isAlive(place, prefix.at)) &&
      firstLost(one.parts, prefix.parts, rules) !== null,
  );
  const kept = prefix.tokens > 0 ? [prefix, ...others].slice(0, KEPT) : others;
  if (kept.length > 0) return { ...state, [key]: kept };
  const { [key]: _cold, ...rest } = state;
  return rest;
}
