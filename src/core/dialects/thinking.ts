import type { AssistantBlock, Message, ThinkingBlock } from '../conversation.ts';

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

export function isThinking(block: AssistantBlock): block is ThinkingBlock {
  return block.type === 'thinking';
}
