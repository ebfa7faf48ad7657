import type { Message, TextBlock } from '../../conversation.ts';
import type { Report } from '../../routing/adaptation.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { speakInText } from '../speaker.ts';
import { leadWithThinking } from '../thinking.ts';

type UserMessage = Extract<Message, { role: 'user' }>;

/** Stands where a user message had no text: left out, two answers would merge, or the last one be a prefill. */
const EMPTY_MESSAGE: TextBlock = { type: 'text', text: '(empty message)' };
const OPENING: UserMessage = {
  role: 'user',
  content: [{ type: 'text', text: '(The assistant opens the conversation.)' }],
};

/** Messages by Anthropic's rules for roles, places and empty blocks (providers.md §3). */
export function adaptMessages(messages: readonly Message[], model: CatalogModel, report: Report): Message[] {
  const cleaned = messages.map((message) => clean(speakInText(message, report), report)).filter(hasContent);
  const leading = cleaned.findIndex((message) => !isSystem(message));
  // A conversation of system messages alone: one has to be what the model answers to.
  const first = leading === -1 ? cleaned.length - 1 : leading;
  const adapted = cleaned.slice(0, first);
  if (cleaned[first]?.role === 'assistant') {
    report({ field: 'messages', action: 'translated' });
    adapted.push(OPENING);
  }
  adaptSystem(cleaned.slice(first), model, report, adapted);
  return withoutTrailingSpace(adapted);
}

/**
 * System messages after the first turn stay where they are (T22): as system messages where the model takes them
 * and the place allows (after a user turn, and before an answer or last), else as marked user text.
 */
function adaptSystem(
  messages: readonly Message[],
  model: CatalogModel,
  report: Report,
  out: Message[],
): void {
  for (let i = 0; i < messages.length; i += 1) {
    const message = messages[i];
    if (message === undefined || !isSystem(message)) {
      if (message !== undefined) out.push(message);
      continue;
    }
    const blocks = [...message.content];
    for (let next = messages[i + 1]; next !== undefined && isSystem(next); next = messages[i + 1]) {
      blocks.push(...next.content);
      i += 1;
    }
    const before = out.at(-1)?.role;
    const after = messages[i + 1]?.role;
    const placed = (before === 'user' || before === 'tool') && (after === undefined || after === 'assistant');
    if (placed && model.capabilities.midSystem) {
      out.push({ role: 'system', content: blocks });
    } else {
      report({ field: 'messages.role', action: 'translated', from: 'system', to: 'user' });
      out.push({ role: 'user', content: blocks.map(marked) });
    }
  }
}

function marked(block: TextBlock): TextBlock {
  return { ...block, text: systemAsUser(block.text) };
}

/** A system message's text where only a user's message can stand. */
export function systemAsUser(text: string): string {
  return `<system-message>\n${text}\n</system-message>`;
}

function isSystem(message: Message): message is Extract<Message, { role: 'system' | 'developer' }> {
  return message.role === 'system' || message.role === 'developer';
}

/** Empty and blank text is a 400 in any role (T34); an empty tool result stays one, without content. */
function clean(message: Message, report: Report): Message {
  switch (message.role) {
    case 'system':
    case 'developer':
      return message.content.some(isBlank)
        ? { ...message, content: message.content.filter(isFull) }
        : message;
    case 'user': {
      if (message.content.length > 0 && message.content.every(isFull)) return message;
      const content = message.content.filter(isFull);
      if (content.length === 0) report({ field: 'messages.content', action: 'translated' });
      return { ...message, content: content.length > 0 ? content : [EMPTY_MESSAGE] };
    }
    case 'assistant': {
      const refused = message.content.some((block) => block.type === 'refusal');
      if (refused) report({ field: 'messages.refusal', action: 'translated' });
      if (!refused && message.content.every(isFull)) return leadWithThinking(message);
      const content = message.content
        .map((block) => (block.type === 'refusal' ? { type: 'text' as const, text: block.text } : block))
        .filter(isFull);
      // What is left may end in thinking, which is refused.
      const isCut = content.at(-1)?.type === 'thinking';
      return leadWithThinking({
        ...message,
        content: isCut ? content.filter((block) => block.type !== 'thinking') : content,
      });
    }
    case 'tool':
      if (!message.content.some((result) => result.content.some(isBlank))) return message;
      return {
        ...message,
        content: message.content.map((result) =>
          result.content.some(isBlank) ? { ...result, content: result.content.filter(isFull) } : result,
        ),
      };
  }
}

function isBlank(block: { type: string; text?: string }): boolean {
  return block.type === 'text' && (block.text ?? '').trim() === '';
}

function isFull(block: { type: string; text?: string }): boolean {
  return !isBlank(block);
}

function hasContent(message: Message): boolean {
  return message.content.length > 0;
}

/** Models that take a prefill refuse one that ends in white space. */
function withoutTrailingSpace(messages: Message[]): Message[] {
  const last = messages.at(-1);
  const block = last?.content.at(-1);
  if (last?.role !== 'assistant' || block?.type !== 'text') return messages;
  if (!/\s$/.test(block.text)) return messages;
  const trimmed = { ...block, text: block.text.trimEnd() };
  return [...messages.slice(0, -1), { ...last, content: [...last.content.slice(0, -1), trimmed] }];
}
