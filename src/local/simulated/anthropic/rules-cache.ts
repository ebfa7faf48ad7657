import type { AnthropicRequest } from './accepted.ts';
import { automaticBreakpoint, breakpointsOf } from './cache.ts';
import type { Prompt } from './prompt.ts';

/** Cache markers: providers.md §1, Anthropic. These rules need the prompt laid out. */
type CacheRule = (request: AnthropicRequest, prompt: Prompt) => string | undefined;

/** In tools + system + messages together, the automatic one included (T20). */
const MAX_BREAKPOINTS = 4;

const atMostFour: CacheRule = (request, prompt) => {
  const automatic = automaticBreakpoint(request, prompt);
  const isExtra = automatic !== undefined && prompt.positions[automatic.at]?.ttl === undefined;
  const found = prompt.positions.reduce((sum, { marks }) => sum + marks, isExtra ? 1 : 0);
  return found > MAX_BREAKPOINTS
    ? `A maximum of ${MAX_BREAKPOINTS} blocks with cache_control may be provided. Found ${found}.`
    : undefined;
};

// Last block already marked with the same TTL: no-op; with another one: 400.
const automaticAgreesWithExplicit: CacheRule = (request, prompt) => {
  const automatic = automaticBreakpoint(request, prompt);
  if (automatic === undefined) return undefined;
  const explicit = prompt.positions[automatic.at]?.ttl;
  return explicit !== undefined && explicit !== automatic.ttl
    ? `cache_control: the last block is already marked with ttl '${explicit}', which differs from the automatic ttl '${automatic.ttl}'`
    : undefined;
};

const longBeforeShort: CacheRule = (request, prompt) => {
  const order = breakpointsOf(request, prompt).map(({ ttl }) => ttl);
  const firstShort = order.indexOf('5m');
  return firstShort >= 0 && order.lastIndexOf('1h') > firstShort
    ? "cache_control: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. Note that blocks are processed in the following order: `tools`, `system`, `messages`."
    : undefined;
};

export const CACHE_RULES: readonly CacheRule[] = [atMostFour, automaticAgreesWithExplicit, longBeforeShort];
