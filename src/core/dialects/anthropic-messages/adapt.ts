import type { Conversation, Message } from '../../conversation.ts';
import { invalidRequest } from '../../errors.ts';
import type { Report } from '../../routing/adaptation.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { offerAllowedOnly } from '../allowed-tools.ts';
import { countCacheMarks } from '../cache-marks.ts';
import { callInput } from './arguments.ts';
import { adaptMessages } from './messages.ts';
import { adaptSchemas } from './strictness.ts';

/**
 * A conversation as Anthropic's Messages API takes it: afterwards it can be written one to one. What changes its
 * meaning is reported (providers.md §5).
 */
export function adaptToMessagesApi(
  conversation: Conversation,
  model: CatalogModel,
  report: Report,
): Conversation {
  checkCacheMarks(conversation);
  if (conversation.messages.some(hasBrokenArguments)) {
    report({ field: 'messages.tool_calls.function.arguments', action: 'translated' });
  }
  if (conversation.messages.some(hasDetail))
    report({ field: 'messages.content.image_url.detail', action: 'dropped' });
  const tier = conversation.hints.serviceTier;
  if (tier !== undefined && tier !== 'auto' && tier !== 'default')
    report({ field: 'service_tier', action: 'dropped' });
  const messages = adaptMessages(conversation.messages, model, report);
  return adaptSchemas(offerAllowedOnly({ ...conversation, messages }, report), report);
}

/** More than four is a 400 there, and a client's own markers are never moved or dropped (T20). */
function checkCacheMarks(conversation: Conversation): void {
  const marks = countCacheMarks(conversation);
  if (marks > 4) {
    throw invalidRequest(
      `The request has ${marks} cache_control markers, and Anthropic's models take 4. Remove ${marks - 4}, or all of them: then the gateway places them.`,
      'messages',
      'too_many_cache_markers',
    );
  }
}

function hasBrokenArguments(message: Message): boolean {
  return (
    message.role === 'assistant' &&
    message.content.some((block) => block.type === 'tool_call' && callInput(block).wrapped === true)
  );
}

function hasDetail(message: Message): boolean {
  return (
    message.role === 'user' &&
    message.content.some(
      (block) => block.type === 'image' && block.detail !== undefined && block.detail !== 'auto',
    )
  );
}
