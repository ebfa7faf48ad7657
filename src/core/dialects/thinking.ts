import type { AssistantBlock, Message, ThinkingBlock } from '../conversation.ts';

/**
 * The messages with only those thinking blocks that `keeps` says; null where that is all of them. What a model
 * thought before nothing can't go back either: both providers refuse thinking that ends a turn.
 */
export function keepThinking(
  messages: readonly Message[],
  keeps: (block: ThinkingBlock) => boolean,
): Message[] | null {
  let changed = false;
  const kept = messages.map((message): Message => {
    if (message.role !== 'assistant' || !message.content.some(isThinking)) return message;
    const isCut = message.content.at(-1)?.type === 'thinking';
    const content = message.content.filter((block) => !isThinking(block) || (!isCut && keeps(block)));
    if (content.length === message.content.length) return message;
    changed = true;
    return { ...message, content };
  });
  return changed ? kept : null;
}

/** Thinking leads its turn, in its order (T17); a turn where it does so already stays the same object. */
export function leadWithThinking<M extends Extract<Message, { role: 'assistant' }>>(message: M): M {
  const first = message.content.findIndex((block) => !isThinking(block));
  if (first !== 0 || !message.content.some(isThinking)) return message;
  const thought = message.content.filter(isThinking);
  return { ...message, content: [...thought, ...message.content.filter((block) => !isThinking(block))] };
}

/**
 * Whether the turn can be sent upstream as it is: reasoning of the Responses API is stored nowhere, so that only an
 * item that carries its own content is worth sending.
 */
export function isWhole({ wire, raw }: ThinkingBlock): boolean {
  return wire !== 'openai-responses' || typeof raw.encrypted_content === 'string';
}

/** A block of an answer with who made it, where it is what a model thought. */
export function producedBy<B extends { type: string }>(
  block: B,
  { provider, name }: { provider: string; name: string },
): B {
  return block.type === 'thinking' ? { ...block, producer: { provider, name } } : block;
}

export function isThinking(block: AssistantBlock): block is ThinkingBlock {
  return block.type === 'thinking';
}
