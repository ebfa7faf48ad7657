import type { PromptCache } from '../prompt-cache.ts';
import type { TokenUsage } from '../usage.ts';
import { tokenUsage } from '../usage.ts';
import type { AnthropicRequest } from './accepted.ts';
import { effortInEffect, thinkingMode } from './accepted.ts';
import type { Level, Position, Prompt } from './prompt.ts';

// providers.md §1, Anthropic: TTL 5m (default) or 1h.
const LIFETIMES = { '5m': 5 * 60_000, '1h': 60 * 60_000 } as const;

/** From each breakpoint at most 20 positions, itself the first (providers.md §1, "look-back"). */
const LOOK_BACK = 20;

/** Places of the prompt that are breakpoints, in order: the marked ones and the automatic one. */
export function breakpointsOf(request: AnthropicRequest, prompt: Prompt): { at: number; ttl: '5m' | '1h' }[] {
  const found = prompt.positions.flatMap((position, at) =>
    position.ttl === undefined ? [] : [{ at, ttl: position.ttl }],
  );
  const automatic = automaticBreakpoint(request, prompt);
  return automatic === undefined || found.some((one) => one.at === automatic.at)
    ? found
    : [...found, automatic];
}

/** Top-level `cache_control` marks the last block that may be marked; none: it is skipped. */
export function automaticBreakpoint(
  { body }: AnthropicRequest,
  prompt: Prompt,
): { at: number; ttl: '5m' | '1h' } | undefined {
  if (body.cache_control == null) return undefined;
  const at = prompt.positions.findLastIndex((position) => position.markable);
  return at < 0 ? undefined : { at, ttl: body.cache_control.ttl ?? '5m' };
}

/**
 * What a request reads and writes, by providers.md §1: A = longest hit, B = last 1h marker after A, C = last marker;
 * read A, write-1h B−A, write-5m C−max(A, B), the rest is plain input. `begun` does the writing: entries are readable
 * only once the response has begun.
 */
export function planCache(
  request: AnthropicRequest,
  prompt: Prompt,
  cache: PromptCache,
  start: number,
): { input: TokenUsage; begun: () => void } {
  const { positions } = prompt;
  const upTo = prefixTokens(positions);
  const keys = keysOf(request, prompt);
  const key = (at: number) => keys[at] ?? '';
  const tokensAt = (at: number) => upTo[at] ?? 0;
  // A prefix under the minimum is neither written nor an error: plain input.
  const breakpoints = breakpointsOf(request, prompt).filter(
    ({ at }) => tokensAt(at) >= request.model.minimumCached,
  );

  const hit = longestHit(
    breakpoints.map(({ at }) => at),
    (at) => cache.holds(key(at), start),
  );
  const a = hit === undefined ? 0 : tokensAt(hit);
  const after = breakpoints.filter(({ at }) => hit === undefined || at > hit);
  const lastHour = after.findLast(({ ttl }) => ttl === '1h');
  const b = lastHour === undefined ? a : tokensAt(lastHour.at);
  const last = after.at(-1);
  const c = last === undefined ? a : tokensAt(last.at);

  if (hit !== undefined) {
    cache.refresh(key(hit), start);
    for (const { at } of breakpoints) if (at < hit) cache.refresh(key(at), start);
  }
  const begun = () => {
    for (const { at, ttl } of after) cache.write(key(at), start, LIFETIMES[ttl]);
    // A breakpoint inside what was read stores nothing new: its entry lives as long as what it is part of.
    const kept = hit === undefined ? undefined : cache.expiry(key(hit));
    if (hit === undefined || kept === undefined) return;
    for (const { at } of breakpoints) if (at < hit) cache.write(key(at), start, kept - start);
  };
  return {
    input: tokenUsage({ read: a, write_1h: b - a, write_5m: c - b, fresh: prompt.tokens - c }),
    begun,
  };
}

/** Backwards from the last breakpoint, then on from the one before it. */
function longestHit(breakpoints: readonly number[], holds: (at: number) => boolean): number | undefined {
  for (const breakpoint of breakpoints.toReversed()) {
    for (let at = breakpoint; at > breakpoint - LOOK_BACK && at >= 0; at--) if (holds(at)) return at;
  }
  return undefined;
}

function prefixTokens(positions: readonly Position[]): number[] {
  let sum = 0;
  return positions.map((position) => {
    sum += position.tokens;
    return sum;
  });
}

/**
 * The table "Invalidation" of providers.md §1: what else must be equal for an entry to be found, level by level.
 * Model, account and the answer's format (which loses "any prompt cache", aDoc:structured-outputs) count everywhere;
 * `speed` and citations from the system on (web search is a part of it); tool choice and whether there are images in the messages;
 * thinking and effort there too, or everywhere, by model.
 */
function keysOf(request: AnthropicRequest, prompt: Prompt): string[] {
  const { body, model, organisation } = request;
  const budget = body.thinking?.type === 'enabled' ? body.thinking.budget_tokens : '';
  const settings = `${thinkingMode(request)} ${budget} ${effortInEffect(request)}`;
  const format = JSON.stringify(body.output_config?.format ?? null);
  const tools = `${organisation} ${model.id} ${format} ${model.settingsFirst ? settings : ''}`;
  const system = `${tools} ${body.speed ?? 'standard'} ${prompt.hasCitations}`;
  const messages = `${system} ${choiceOf(request)} ${prompt.images > 0} ${settings}`;
  const context: Record<Level, string> = { tools, system, messages };
  return prompt.positions.map((position) => `${context[position.level]} ${position.chain}`);
}

/** The tool choice in effect: `auto`, and parallel calls, need not be said. */
function choiceOf({ body: { tool_choice: choice } }: AnthropicRequest): string {
  if (choice === undefined) return 'auto';
  const isSequential = choice.type !== 'none' && choice.disable_parallel_tool_use === true;
  const name = choice.type === 'tool' ? choice.name : '';
  return [choice.type, ...(name || isSequential ? [name, isSequential] : [])].join(' ');
}
