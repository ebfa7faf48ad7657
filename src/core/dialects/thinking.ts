import type { AssistantBlock, Message, ThinkingBlock } from '../conversation.ts';

/**
 * Whether the turn can be sent upstream as it is: reasoning of the Responses API is stored nowhere, so that only an
 * item that carries its own content is worth sending.
 */
export function isWhole({ wire, raw }: ThinkingBlock): boolean {
  return wire !== 'openai-responses' || typeof raw.encrypted_content === 'string';
}

/** The messages with only those thinking blocks that `keeps` says; null where that is all of them. */
export function keepThinking(
  messages: readonly Message[],
  keeps: (block: ThinkingBlock) => boolean,
): Message[] | null {
  const goes = (block: AssistantBlock): boolean => block.type === 'thinking' && !keeps(block);
  if (!messages.some((message) => message.role === 'assistant' && message.content.some(goes))) return null;
  return messages.map((message) =>
    message.role === 'assistant' && message.content.some(goes)
      ? { ...message, content: message.content.filter((block) => !goes(block)) }
      : message,
  );
}
