import type { Message, TextBlock } from '../conversation.ts';
import type { Report } from '../routing/adaptation.ts';

/**
 * A message's `name` for wires without one. Who speaks is meaning (T35), so it goes before the text; not on an
 * assistant's message, where the model would learn to begin its answers that way.
 */
export function speakInText(message: Message, report: Report): Message {
  if (message.role === 'tool' || message.name === undefined) return message;
  const { name, ...unnamed } = message;
  if (unnamed.role === 'assistant') {
    report({ field: 'messages.name', action: 'dropped' });
    return unnamed;
  }
  report({ field: 'messages.name', action: 'translated' });
  // A spread loses the pairing of role and content, hence one return for each.
  if (unnamed.role === 'user') {
    const [first, ...rest] = unnamed.content;
    const isText = first?.type === 'text';
    return {
      ...unnamed,
      content: isText ? [prefixed(name, first), ...rest] : [prefixed(name), ...unnamed.content],
    };
  }
  const [first, ...rest] = unnamed.content;
  return { ...unnamed, content: [prefixed(name, first), ...rest] };
}

function prefixed(name: string, block?: TextBlock): TextBlock {
  return { type: 'text', ...block, text: `${name}: ${block?.text ?? ''}` };
}
