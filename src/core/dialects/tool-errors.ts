import type { Message, TextBlock } from '../conversation.ts';
import type { Report } from '../routing/adaptation.ts';

const MARK: TextBlock = { type: 'text', text: '[The tool reported an error]' };

/** Failed tool results for wires that can't say so: a mark before the result's text. */
export function markErrors(messages: Message[], report: Report): Message[] {
  return messages.map((message) => {
    if (message.role !== 'tool' || !message.content.some((result) => result.isError === true)) return message;
    report({ field: 'messages.is_error', action: 'translated' });
    const content = message.content.map((result) =>
      result.isError === true ? { ...result, content: [MARK, ...result.content] } : result,
    );
    return { ...message, content };
  });
}
