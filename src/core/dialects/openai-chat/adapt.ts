import type { Conversation, Message, TextBlock, UserBlock } from '../../conversation.ts';
import type { Report } from '../../routing/adaptation.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { CHAT_IDS, conforms, wireId } from '../../tool-ids.ts';
import { offerAllowedOnly } from '../allowed-tools.ts';
import { marksForOpenAi } from '../cache-breakpoints.ts';
import { documentsForOpenAi } from '../documents.ts';
import { strictForOpenAi } from '../openai-strictness.ts';
import { markErrors } from '../tool-errors.ts';

/**
 * A conversation as a Chat Completions server takes it. What the server takes stays the same object, so that
 * `requestEdits` leaves its bytes alone. Servers that are only compatible (assumed models) get what all of them know.
 */
export function adaptToChat(conversation: Conversation, model: CatalogModel, report: Report): Conversation {
  const marked = marksForOpenAi(conversation, model, report);
  const settled = strictForOpenAi(documentsForOpenAi(marked, report), report);
  let { messages } = settled;
  if (messages.some(failed)) messages = markErrors(messages, report);
  if (messages.some(showsFile)) {
    report({ field: 'messages.tool.image', action: 'translated' });
    messages = messages.flatMap(filesAfterResults);
  }
  const role = systemRole(messages, model);
  if (role !== null) {
    report({ field: 'messages.role', action: 'translated', to: role });
    messages = messages.map((message) => (isSystem(message) ? { ...message, role } : message));
  }
  if (model.assumed !== true && messages.some(hasLongId)) messages = messages.map(shortenIds);
  const adapted = { ...settled, messages };
  return model.assumed === true ? offerAllowedOnly(adapted, report) : adapted;
}

/**
 * The one role that system and developer messages get; null where each keeps its own. Many compatible servers know
 * no `developer`; reasoning models, to which both mean the same, may refuse the two together (providers.md §4).
 */
function systemRole(messages: readonly Message[], model: CatalogModel): 'system' | 'developer' | null {
  if (!messages.some(({ role }) => role === 'developer')) return null;
  if (model.assumed === true) return 'system';
  const reasons = model.capabilities.defaultEffort !== null;
  return reasons && messages.some(({ role }) => role === 'system') ? 'developer' : null;
}

function isSystem(message: Message): message is Extract<Message, { role: 'system' | 'developer' }> {
  return message.role === 'system' || message.role === 'developer';
}

function failed(message: Message): boolean {
  return message.role === 'tool' && message.content.some((result) => result.isError === true);
}

function showsFile(message: Message): boolean {
  return message.role === 'tool' && message.content.some((result) => result.content.some(isFile));
}

function isFile(block: UserBlock): boolean {
  return block.type === 'image' || block.type === 'document';
}

/** A `tool` message carries text only: its images and files follow in a user message, each under its call's id. */
function filesAfterResults(message: Message): Message[] {
  if (message.role !== 'tool' || !showsFile(message)) return [message];
  const shown = message.content.flatMap((result) => {
    const files = result.content.filter(isFile);
    const kind = files.every(({ type }) => type === 'image') ? 'Images' : 'Files';
    const title: TextBlock = { type: 'text', text: `${kind} of the tool result ${result.callId}:` };
    return files.length > 0 ? [title, ...files] : [];
  });
  const content = message.content.map((result) => ({
    ...result,
    content: result.content.filter((block) => !isFile(block)),
  }));
  return [
    { ...message, content },
    { role: 'user', content: shown },
  ];
}

function hasLongId(message: Message): boolean {
  return (
    message.role === 'assistant' &&
    message.content.some((block) => block.type === 'tool_call' && !conforms(block.id, CHAT_IDS))
  );
}

function shortenIds(message: Message): Message {
  if (message.role === 'assistant') {
    const content = message.content.map((block) =>
      block.type === 'tool_call' ? { ...block, id: wireId(block.id, CHAT_IDS) } : block,
    );
    return { ...message, content };
  }
  if (message.role !== 'tool') return message;
  const content = message.content.map((result) => ({ ...result, callId: wireId(result.callId, CHAT_IDS) }));
  return { ...message, content };
}
