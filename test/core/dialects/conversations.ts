import type { Conversation, Message, ThinkingBlock } from '../../../src/core/conversation.ts';
import type { CatalogModel, ProviderKind } from '../../../src/core/routing/catalog.ts';
import { findModel } from '../../../src/core/routing/catalog.ts';

/** A conversation with nothing but what the test is about. */
export function conversationOf(messages: Message[], more: Partial<Conversation> = {}): Conversation {
  return {
    messages,
    tools: [],
    output: { stop: [], n: 1, logprobs: false },
    sampling: {},
    reasoning: {},
    hints: {},
    ...more,
  };
}

export function say(role: 'system' | 'developer' | 'user', ...texts: string[]): Message {
  return { role, content: texts.map((text) => ({ type: 'text', text })) };
}

export function answer(...texts: string[]): Message {
  return { role: 'assistant', content: texts.map((text) => ({ type: 'text', text })) };
}

export function calls(...made: [id: string, args: string][]): Message {
  return {
    role: 'assistant',
    content: made.map(([id, args]) => ({ type: 'tool_call', id, name: 'look_up', arguments: args })),
  };
}

export function results(...given: [id: string, text: string][]): Message {
  return {
    role: 'tool',
    content: given.map(([callId, text]) => ({
      type: 'tool_result',
      callId,
      content: text === '' ? [] : [{ type: 'text', text }],
    })),
  };
}

export const LOOK_UP = {
  name: 'look_up',
  description: 'Looks a thing up.',
  parameters: { type: 'object', properties: { key: { type: 'string' } }, required: ['key'] },
};

/** A model of the catalogue, which has to be there. */
export function model(kind: ProviderKind, id: string): CatalogModel {
  const found = findModel(kind, id);
  if (found === undefined) throw new Error(`${id} is not in the catalogue`);
  return found;
}

/** With what the gateway may know of a client's conversation: who thought it. */
export function thoughtBy(
  producer: NonNullable<ThinkingBlock['producer']>,
  conversation: Conversation,
): Conversation {
  const messages = conversation.messages.map((message): Message => {
    if (message.role !== 'assistant') return message;
    const content = message.content.map((block) =>
      block.type === 'thinking' ? { ...block, producer } : block,
    );
    return { ...message, content };
  });
  return { ...conversation, messages };
}
