import type { Conversation, Message } from '../../conversation.ts';
import type { Report } from '../../routing/adaptation.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { offerAllowedOnly } from '../allowed-tools.ts';
import { marksForAnthropic } from '../cache-breakpoints.ts';
import { documentsForAnthropic } from '../documents.ts';
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
  const marked = documentsForAnthropic(marksForAnthropic(conversation, report));
  if (marked.messages.some(hasBrokenArguments)) {
    report({ field: 'messages.tool_calls.function.arguments', action: 'translated' });
  }
  if (marked.messages.some(hasDetail))
    report({ field: 'messages.content.image_url.detail', action: 'dropped' });
  const messages = adaptMessages(marked.messages, model, report);
  return adaptSchemas(offerAllowedOnly({ ...marked, messages }, report), report);
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
