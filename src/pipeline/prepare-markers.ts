import { type MarkerWish, markerPlaces, withMarkers } from '../core/context/cache-markers.ts';
import { cacheRulesOf } from '../core/context/cache-rules.ts';
import type { CacheMark, Conversation } from '../core/conversation.ts';
import { hasCacheMarks } from '../core/dialects/cache-marks.ts';
import type { CatalogModel } from '../core/routing/catalog.ts';

/**
 * The conversation with the gateway's own cache markers, where the client set none (T20): on Anthropic after the head
 * and where earlier requests ended, beside the tail's own; on OpenAI from GPT-5.6 on after the head alone, for there
 * the ends of messages are looked up unasked (T55).
 */
export function withOwnMarkers(
  conversation: Conversation,
  target: CatalogModel,
  wish: MarkerWish | undefined,
): Conversation {
  const { breakpoints } = cacheRulesOf(target);
  const { promptCacheOptions } = conversation.hints;
  if (wish && breakpoints === 0) return withCacheKey(conversation, target, wish);
  if (!wish || promptCacheOptions !== undefined || hasCacheMarks(conversation)) {
    return conversation;
  }
  if (target.wire !== 'anthropic-messages') {
    if (target.wire !== 'openai-responses') return conversation;
    const { head } = markerPlaces(conversation, [], 1);
    const mark: CacheMark = { breakpoint: true, ...(wish.long ? { ttl: '1h' as const } : {}) };
    // A tool can carry none there.
    const hasLead =
      conversation.messages[0]?.role === 'system' || conversation.messages[0]?.role === 'developer';
    return head && hasLead ? withMarkers(conversation, { head, blocks: [] }, mark) : conversation;
  }
  const mark: CacheMark = wish.long ? { ttl: '1h' } : {};
  const places = markerPlaces(conversation, wish.known, breakpoints - 1);
  const marked = withMarkers(conversation, places, mark);
  return { ...marked, hints: { ...marked.hints, cacheTail: mark } };
}

/** Before GPT-5.6 a key is what leads requests of one prefix to the machine that has it (T55); the client's own wins. */
function withCacheKey(conversation: Conversation, target: CatalogModel, { key }: MarkerWish): Conversation {
  const { hints } = conversation;
  // A server that is only compatible may not know the field.
  if (key === undefined || target.assumed === true || hints.promptCacheKey !== undefined) return conversation;
  return { ...conversation, hints: { ...hints, promptCacheKey: key } };
}
