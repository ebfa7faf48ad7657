import type { Conversation, Message } from '../../../src/core/conversation.ts';

/** A conversation with defaults for what a test does not care about. */
export function conversationOf(messages: Message[], part: Partial<Conversation> = {}): Conversation {
  return {
    messages,
    tools: [],
    output: { stop: [], n: 1, logprobs: false },
    sampling: {},
    reasoning: {},
    hints: {},
    ...part,
  };
}

export function says(role: 'system' | 'user' | 'assistant', text: string): Message {
  return { role, content: [{ type: 'text', text }] };
}
