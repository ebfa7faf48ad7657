import { inputTokens, type Usage } from '../accounting/usage.ts';
import type { CacheRules } from './cache-rules.ts';

/** What one model's prompt cache holds of a lane: its longest written prefix. */
export interface WarmPrefix {
  /** Tokens as this model counts them. */
  tokens: number;
  /** Blocks (text, image, tool call, tool result) the prefix has: look-back counts them. */
  blocks: number;
  /** Start of the request that wrote or last read it, in seconds; a lifetime runs from there. */
  at: number;
  /** How long it lives when nothing reads it. */
  lifetimeSeconds: number;
  /** Nobody reported it: it is what the rules say of an estimated input. */
  estimated: boolean;
}

/** What is warm for a lane, by `provider/model`: where, and until when. */
export type PrefixState = Readonly<Record<string, WarmPrefix>>;

export const COLD: PrefixState = {};

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

/** Input tokens a request will read instead of paying for them, as far as the lane knows. */
export function warmTokens(prefix: WarmPrefix | undefined, rules: CacheRules, prompt: PromptShape): number {
  if (!prefix || !isAlive(prefix, prompt.at) || !isReachable(prefix.blocks, rules, prompt)) return 0;
  return Math.min(prefix.tokens, cacheable(rules, prompt.tokens));
}

/** Warmth expires (T14): at its lifetime after the request that last used it began. */
export function isAlive(prefix: WarmPrefix, at: number): boolean {
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
  prompt: Pick<PromptShape, 'blocks' | 'at'>,
  usage: Usage,
): PrefixState {
  const written = rules.default.write === 'fresh' ? 0 : usage[rules.default.write];
  const long = rules.long ? usage[rules.long.write] : 0;
  // Where writing is free it is not reported: all input that is long enough was written.
  const tokens =
    rules.default.write === 'fresh' ? cacheable(rules, inputTokens(usage)) : usage.read + written + long;
  return remember(state, key, tokens, {
    blocks: prompt.blocks,
    at: prompt.at,
    lifetimeSeconds: lifetimeOf(rules, state[key], written, long),
    estimated: false,
  });
}

/** As {@link observe} where no usage came: what the rules say such a request leaves behind, marked as estimated. */
export function assume(
  state: PrefixState,
  key: string,
  rules: CacheRules,
  prompt: Pick<PromptShape, 'tokens' | 'blocks' | 'at'>,
): PrefixState {
  return remember(state, key, cacheable(rules, prompt.tokens), {
    blocks: prompt.blocks,
    at: prompt.at,
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

function remember(
  state: PrefixState,
  key: string,
  tokens: number,
  prefix: Omit<WarmPrefix, 'tokens'>,
): PrefixState {
  if (tokens > 0) return { ...state, [key]: { tokens, ...prefix } };
  const { [key]: _cold, ...others } = state;
  return others;
}
