import type { TokenClass } from '../accounting/usage.ts';
import type { CatalogModel } from '../routing/catalog-model.ts';
import { gptGeneration } from '../routing/catalog-openai.ts';
import type { CachePart, CacheParts } from './cache-parts.ts';

/** A prompt's levels, in the order a model reads them; the last is what followed the user's last ask. */
export const CACHE_LEVELS = ['tools', 'system', 'messages', 'turn'] as const;
export type CacheLevel = (typeof CACHE_LEVELS)[number];

/** For each level, the parts of a request whose change loses it, and with it all that stands after it. */
type LostBy = Readonly<Record<CacheLevel, readonly CachePart[]>>;

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
  /** Which places a request renews: all that it marks of what it reads, or only the one that it is found at. */
  renews: 'marked' | 'found';
  /** Places of one request that may be written: marked ones and the automatic one together (T20). */
  breakpoints: number;
  /** Blocks before a breakpoint, itself the first, in which an earlier entry is found (T53). */
  lookback: number;
  /** What invalidates. A part that is not named loses nothing. */
  lostBy: LostBy;
  /** What a part counts as that is absent: saying a default out loud is no change. */
  defaults: CacheParts;
}

// Anthropic's prompt-caching page (2026-08, 5.5 models 2026-10); fable-5-2 and mythos-5-2 as 5.1, unconfirmed.
const ANTHROPIC_MINIMUM: ReadonlyMap<string, number> = new Map([
  ...ids(512, 'opus-5-5', 'sonnet-5-5', 'haiku-5-5', 'opus-5', 'fable-5', 'fable-5-1', 'fable-5-2'),
  ...ids(512, 'mythos-5', 'mythos-5-1', 'mythos-5-2'),
  ...ids(1_024, 'opus-4-8', 'sonnet-5', 'sonnet-4-6', 'sonnet-4-5'),
  ...ids(2_048, 'opus-4-7', 'mythos-preview'),
  ...ids(4_096, 'opus-4-6', 'opus-4-5', 'haiku-4-5'),
]);

// The same page, "What invalidates the cache". `tools` holds names, descriptions, schemas, order and presence; images
// count as present or absent, and parallel calls as tool choice ("Tool use with prompt caching"). A format brings a
// system text of its own and loses "any prompt cache for that conversation thread" (the structured outputs page).
// Thinking and effort lose the messages always, tools and system "on models that render the configuration ahead of
// them", of which there is no list: the thinking page's advice is to treat a change "as starting the cache over".
const ANTHROPIC_LOST: LostBy = {
  tools: ['tools', 'allowed_tools', 'format', 'thinking', 'effort'],
  system: ['system', 'web_search', 'citations', 'speed'],
  messages: ['tool_choice', 'parallel_tool_calls', 'images', 'left_out'],
  turn: [],
};

// Up to 4.5 tools and system outlive a change of thinking (the page's FAQ of 2025); effort there is Opus 4.5's alone.
const OPUS_45_LOST: LostBy = {
  ...ANTHROPIC_LOST,
  tools: ['tools', 'allowed_tools', 'format'],
  messages: ['tool_choice', 'parallel_tool_calls', 'images', 'thinking', 'effort', 'left_out'],
};

// The others strip the thinking of a turn once the user speaks again: what followed his ask is lost.
const STRIPPING_LOST: LostBy = {
  ...OPUS_45_LOST,
  messages: ['tool_choice', 'parallel_tool_calls', 'images', 'thinking', 'left_out'],
  turn: ['asks'],
};
const STRIPPING = new Set([
  ...['claude-haiku-4-5', 'claude-sonnet-4-5', 'claude-opus-4-1', 'claude-opus-4', 'claude-sonnet-4'],
  ...['claude-3-7-sonnet', 'claude-3-5-haiku', 'claude-3-haiku'],
]);

// The same page: 4 breakpoints, the automatic one included; at most 20 positions looked back from each.
const ANTHROPIC: Omit<CacheRules, 'minimum' | 'lostBy' | 'defaults'> = {
  granularity: 1,
  default: { write: 'write_5m', seconds: 300 },
  long: { write: 'write_1h', seconds: 3_600 },
  renews: 'marked',
  breakpoints: 4,
  lookback: 20,
};

// OpenAI's prompt-caching guide, three versions of 2026, and the reasons its SDK (7.57) gives for a miss. Tool choice
// and the tools allowed are not among them; nor images. No breakpoint can stand between tools and system.
const OPENAI_LOST: LostBy = {
  tools: [
    ...(['tools', 'system', 'parallel_tool_calls', 'format'] as const),
    ...(['effort', 'verbosity', 'service_tier', 'web_search', 'cache_key'] as const),
  ],
  system: [],
  messages: ['left_out'],
  turn: [],
};

// The same guide, autumn 2026: from GPT-5.6 on writes are billed and matches are exact at a breakpoint
// (T55); its SDK says that the latest 80 are looked up.
const OPENAI: Omit<CacheRules, 'defaults'> = {
  minimum: 1_024,
  granularity: 1,
  default: { write: 'write_30m', seconds: 1_800 },
  long: { write: 'write_12h', seconds: 43_200 },
  renews: 'found',
  breakpoints: 4,
  lookback: 80,
  lostBy: OPENAI_LOST,
};

// The same guide: before, 128 tokens at a time, free, found wherever the prefix ends (so that tools outlive a change of
// the system prompt), kept for 24 hours unless the organisation has zero retention.
const OPENAI_BEFORE_56: Omit<CacheRules, 'defaults'> = {
  minimum: 1_024,
  granularity: 128,
  default: { write: 'fresh', seconds: 86_400 },
  long: null,
  renews: 'found',
  breakpoints: 0,
  lookback: Number.POSITIVE_INFINITY,
  lostBy: {
    ...OPENAI_LOST,
    tools: OPENAI_LOST.tools.filter((part) => part !== 'system'),
    system: ['system'],
  },
};

/**
 * The rules of a model's caching. A model we know nothing of gets the rules that make it warm soonest, so that a
 * baseline never flatters the router (T44).
 */
export function cacheRulesOf(model: CatalogModel): CacheRules {
  let rules = known.get(model);
  if (!rules) {
    rules = makeRules(model);
    known.set(model, rules);
  }
  return rules;
}

// Asked several times a step.
const known = new WeakMap<CatalogModel, CacheRules>();

function makeRules(model: CatalogModel): CacheRules {
  const { defaultEffort } = model.capabilities;
  const defaults: CacheParts = defaultEffort === null ? {} : { effort: defaultEffort };
  if (model.kind === 'anthropic') {
    const minimum = ANTHROPIC_MINIMUM.get(model.id) ?? 512;
    return { ...ANTHROPIC, minimum, lostBy: lostByOf(model.id), defaults };
  }
  return { ...((gptGeneration(model.id) ?? 0) >= 506 ? OPENAI : OPENAI_BEFORE_56), defaults };
}

function lostByOf(claude: string): LostBy {
  if (STRIPPING.has(claude)) return STRIPPING_LOST;
  return claude === 'claude-opus-4-5' ? OPUS_45_LOST : ANTHROPIC_LOST;
}

function ids(minimum: number, ...names: string[]): [string, number][] {
  return names.map((name) => [`claude-${name}`, minimum]);
}
