import type { Message, UserBlock } from '../conversation.ts';

/**
 * The messages with what users and tool results show as `change` makes it. It returns null for a block that stays;
 * what holds no other stays the same object, so that an edited body is changed nowhere else.
 */
export function mapShown(
  messages: Message[],
  change: (block: UserBlock) => readonly UserBlock[] | null,
): Message[] {
  const mapped = messages.map((message): Message => {
    if (message.role === 'user') {
      const content = mapBlocks(message.content, change);
      return content === message.content ? message : { ...message, content };
    }
    if (message.role !== 'tool') return message;
    const content = message.content.map((result) => {
      const shown = mapBlocks(result.content, change);
      return shown === result.content ? result : { ...result, content: shown };
    });
    return content.every((result, index) => result === message.content[index])
      ? message
      : { ...message, content };
  });
  return mapped.every((message, index) => message === messages[index]) ? messages : mapped;
}

function mapBlocks(
  blocks: UserBlock[],
  change: (block: UserBlock) => readonly UserBlock[] | null,
): UserBlock[] {
  let mapped: UserBlock[] | null = null;
  for (const [index, block] of blocks.entries()) {
    const changed = change(block);
    if (changed !== null && mapped === null) mapped = blocks.slice(0, index);
    if (mapped !== null) mapped.push(...(changed ?? [block]));
  }
  return mapped ?? blocks;
}
