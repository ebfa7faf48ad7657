import { cacheRulesOf } from '../context/cache-rules.ts';
import type { CacheMark, Conversation, Hints, Message } from '../conversation.ts';
import { invalidRequest } from '../errors.ts';
import type { Report } from '../routing/adaptation.ts';
import type { CatalogModel } from '../routing/catalog.ts';
import { cacheMarks, hasCacheMarks, mapCacheMarks } from './cache-marks.ts';
import type { JsonObject } from './provider-json.ts';

/** Markers of one request on Anthropic's wire; a fifth is a 400 (T20). */
const ANTHROPIC_MARKS = 4;

/**
 * A client's markers for Anthropic. Its own are never moved, changed or dropped (T20); of OpenAI's breakpoints, of
 * which there may be any number, the latest stay: 30 minutes become 5, and 12 hours one where the order allows it
 * (every `1h` marker stands before every `5m` one).
 * @throws FluxError 400 where the client's own are more than four
 */
export function marksForAnthropic(conversation: Conversation, report: Report): Conversation {
  if (conversation.hints.promptCacheOptions !== undefined)
    report({ field: 'prompt_cache_options', action: 'translated' });
  const marks = cacheMarks(conversation);
  const own = marks.filter(({ breakpoint }) => breakpoint !== true).length;
  if (own > ANTHROPIC_MARKS) {
    throw invalidRequest(
      `The request has ${own} cache_control markers, and Anthropic's models take 4. Remove ${own - ANTHROPIC_MARKS}, or all of them: then the gateway places them.`,
      'messages',
      'too_many_cache_markers',
    );
  }
  if (own === marks.length) return conversation;
  let surplus = marks.length - ANTHROPIC_MARKS;
  report({ field: 'prompt_cache_breakpoint', action: surplus > 0 ? 'dropped' : 'translated' });
  let isShort = false;
  return mapCacheMarks(conversation, (mark) => {
    if (mark.breakpoint === true && surplus-- > 0) return undefined;
    const ttl = isShort && mark.breakpoint === true ? undefined : mark.ttl;
    isShort ||= ttl !== '1h';
    return mark.breakpoint === true ? (ttl === undefined ? {} : { ttl }) : mark;
  });
}

/**
 * A client's markers for OpenAI: breakpoints from GPT-5.6 on, which stand on what users, instructions and tool
 * results say; 5 minutes become 30, an hour becomes twelve. Earlier models refuse them (T55).
 */
export function marksForOpenAi(
  conversation: Conversation,
  model: CatalogModel,
  report: Report,
): Conversation {
  const { breakpoints, long } = cacheRulesOf(model);
  if (breakpoints === 0) return withoutMarks(conversation, report);
  const marks = cacheMarks(conversation);
  const [own] = marks.filter(({ breakpoint }) => breakpoint !== true);
  if (own === undefined) return conversation;
  report({
    field: 'cache_control',
    action: 'translated',
    from: own.ttl ?? '5m',
    to: own.ttl === '1h' && long !== null ? '12h' : '30m',
  });
  if (conversation.tools.some((tool) => tool.cache) || conversation.messages.some(isMarkedAnswer))
    report({ field: 'tools.cache_control', action: 'dropped' });
  return mapCacheMarks(conversation, (mark) =>
    mark.breakpoint === true ? mark : { ...mark, breakpoint: true },
  );
}

function isMarkedAnswer({ role, content }: Message): boolean {
  return role === 'assistant' && content.some((block) => 'cache' in block && block.cache !== undefined);
}

function withoutMarks(conversation: Conversation, report: Report): Conversation {
  const { promptCacheOptions, ...hints } = conversation.hints;
  let adapted = conversation;
  if (promptCacheOptions !== undefined) {
    report({ field: 'prompt_cache_options', action: 'dropped' });
    adapted = { ...adapted, hints };
  }
  if (!hasCacheMarks(adapted)) return adapted;
  const isOpenAi = cacheMarks(adapted).some(({ breakpoint }) => breakpoint === true);
  report({ field: isOpenAi ? 'prompt_cache_breakpoint' : 'cache_control', action: 'dropped' });
  return mapCacheMarks(adapted, () => undefined);
}

/**
 * What the automatic marker of a whole request (Anthropic's top-level `cache_control`) is to other wires, which mark
 * the end of a request anyway: its lifetime, where that is the longer one.
 */
export function automaticMarker(
  control: { ttl?: '5m' | '1h' | null | undefined } | null | undefined,
): Pick<Hints, 'promptCacheOptions'> {
  return control?.ttl === '1h' ? { promptCacheOptions: { ttl: '12h' } } : {};
}

/** A marker on OpenAI's wires. @param long its lifetime of twelve hours can be said there */
export function writeBreakpoint(mark: CacheMark | undefined, long: boolean): JsonObject | undefined {
  return mark && { mode: 'explicit', ttl: long && mark.ttl === '1h' ? '12h' : undefined };
}
