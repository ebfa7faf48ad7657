import type { Conversation, Message } from '../conversation.ts';

/** True where the client marked a block or a tool for caching itself. */
export function hasCacheMarks(conversation: Conversation): boolean {
  return countCacheMarks(conversation) > 0;
}

/** The client's own cache markers, in tools, messages and the parts of tool results. */
export function countCacheMarks({ tools, messages }: Conversation): number {
  let marks = tools.filter(isMarked).length;
  for (const message of messages) {
    for (const block of message.content) {
      if (isMarked(block)) marks += 1;
      if (block.type === 'tool_result') marks += block.content.filter(isMarked).length;
    }
  }
  return marks;
}

/** The message without markers; itself where it has none. */
export function withoutCacheMarks(message: Message): Message {
  switch (message.role) {
    case 'user':
      return message.content.some(isMarked)
        ? { ...message, content: message.content.map(unmarked) }
        : message;
    case 'assistant':
      return message.content.some(isMarked)
        ? { ...message, content: message.content.map(unmarked) }
        : message;
    case 'tool':
      return {
        ...message,
        content: message.content.map((result) => ({
          ...unmarked(result),
          content: result.content.map(unmarked),
        })),
      };
    default:
      return message.content.some(isMarked)
        ? { ...message, content: message.content.map(unmarked) }
        : message;
  }
}

function isMarked(holder: object): boolean {
  return 'cache' in holder && holder.cache !== undefined;
}

function unmarked<B extends object>(block: B): B {
  if (!isMarked(block)) return block;
  const copy = { ...block };
  if ('cache' in copy) delete copy.cache;
  return copy;
}
