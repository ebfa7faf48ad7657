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
  const [first, ...rest] = unnamed.content;
  const speaker: TextBlock = { type: 'text', text: `${name}: ` };
  // Spreads lose the pairing of role and content, hence the two returns.
  if (unnamed.role === 'user') {
    const content =
      first?.type === 'text'
        ? [{ ...first, text: speaker.text + first.text }, ...rest]
        : [speaker, ...unnamed.content];
    return { ...unnamed, content };
  }
  const [head, ...tail] = unnamed.content;
  return { ...unnamed, content: head ? [{ ...head, text: speaker.text + head.text }, ...tail] : [speaker] };
}
