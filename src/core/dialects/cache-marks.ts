import { leadingSystem } from '../accounting/estimate.ts';
import { MARKED } from '../context/prefix-state.ts';
import type { CacheMark, Conversation, Message } from '../conversation.ts';

/** True where the client marked a block or a tool for caching itself. */
export function hasCacheMarks(conversation: Conversation): boolean {
  return cacheMarks(conversation).length > 0;
}

/** The client's own cache markers in their order: in tools, messages and the parts of tool results. */
export function cacheMarks({ tools, messages }: Conversation): CacheMark[] {
  const marks: CacheMark[] = [];
  for (const tool of tools) note(tool, marks);
  for (const message of messages) {
    for (const block of message.content) {
      if (block.type === 'tool_result') for (const part of block.content) note(part, marks);
      note(block, marks);
    }
  }
  return marks;
}

/** Where a marker of the client's stands. */
export interface MarkEnd {
  /** Blocks up to it; {@link MARKED} in the head, which a client marks in every request. */
  end: number;
  /** It asks for the longer lifetime. */
  long: boolean;
}

/** The places of the client's own markers, in their order. */
export function markEnds({ tools, messages }: Conversation): MarkEnd[] {
  const ends: MarkEnd[] = [];
  const add = (holder: { cache?: CacheMark } | object, end: number) => {
    if ('cache' in holder && holder.cache !== undefined) ends.push({ end, long: holder.cache.ttl === '1h' });
  };
  for (const tool of tools) add(tool, MARKED);
  const lead = leadingSystem(messages);
  let blocks = 0;
  for (const [index, { content }] of messages.entries()) {
    for (const block of content) {
      blocks += 1;
      const end = index < lead ? MARKED : blocks;
      if (block.type === 'tool_result') for (const part of block.content) add(part, end);
      add(block, end);
    }
  }
  return ends;
}

/** The conversation with each marker as `change` makes it, or without it; what has none stays the same object. */
export function mapCacheMarks(
  conversation: Conversation,
  change: (mark: CacheMark) => CacheMark | undefined,
): Conversation {
  if (!hasCacheMarks(conversation)) return conversation;
  const marked = <B extends object>(holder: B): B => remarked(holder, change);
  const tools = conversation.tools.some(isMarked) ? conversation.tools.map(marked) : conversation.tools;
  const messages = conversation.messages.map((message): Message => {
    switch (message.role) {
      case 'user':
        return message.content.some(isMarked)
          ? { ...message, content: message.content.map(marked) }
          : message;
      case 'assistant':
        return message.content.some(isMarked)
          ? { ...message, content: message.content.map(marked) }
          : message;
      case 'tool':
        return message.content.some((result) => isMarked(result) || result.content.some(isMarked))
          ? {
              ...message,
              content: message.content.map((result) => {
                const content = result.content.map(marked);
                return marked({ ...result, content });
              }),
            }
          : message;
      default:
        return message.content.some(isMarked)
          ? { ...message, content: message.content.map(marked) }
          : message;
    }
  });
  return { ...conversation, tools, messages };
}

function note(holder: { cache?: CacheMark } | object, marks: CacheMark[]): void {
  if ('cache' in holder && holder.cache !== undefined) marks.push(holder.cache);
}

function isMarked(holder: object): boolean {
  return 'cache' in holder && holder.cache !== undefined;
}

function remarked<B extends object>(holder: B, change: (mark: CacheMark) => CacheMark | undefined): B {
  const { cache }: { cache?: CacheMark } = holder;
  if (cache === undefined) return holder;
  const next = change(cache);
  if (next === cache) return holder;
  const copy: B & { cache?: CacheMark } = { ...holder };
  if (next === undefined) delete copy.cache;
  else copy.cache = next;
  return copy;
}
