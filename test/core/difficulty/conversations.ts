import type { Conversation, Message } from '../../../src/core/conversation.ts';

/** A conversation of these messages, with nothing else asked for. */
export function conversation(messages: Message[], more: Partial<Conversation> = {}): Conversation {
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

/** A user who says this, to an assistant that has heard nothing else. */
export function asking(text: string): Conversation {
  return conversation([user(text)]);
}

export function system(text: string): Message {
  return { role: 'system', content: [{ type: 'text', text }] };
}

export function user(...texts: string[]): Message {
  return { role: 'user', content: texts.map((text) => ({ type: 'text', text })) };
}

export function assistant(text: string): Message {
  return { role: 'assistant', content: [{ type: 'text', text }] };
}

/** An assistant's tool call and what came back. */
export function toolRound(id: number, result: string, call = 'read {"path":"src/a.ts"}'): Message[] {
  const [name = '', ...rest] = call.split(' ');
  return [
    {
      role: 'assistant',
      content: [{ type: 'tool_call', id: `call_${id}`, name, arguments: rest.join(' ') }],
    },
    {
      role: 'tool',
      content: [{ type: 'tool_result', callId: `call_${id}`, content: [{ type: 'text', text: result }] }],
    },
  ];
}

/** Asks that are hard, easy and neither by any standard; none of them is among bench/anchors.jsonl. */
export const HARD =
  'Prove that if a graph has chromatic number k then it has at least k(k-1)/2 edges, and characterise the graphs for which equality holds.';
export const HARD_CODE =
  'Debug this race condition in our Go worker pool: goroutines sometimes deadlock when the channel closes while another goroutine is still sending, and only under load.';
export const EASY = 'What time is it in Madrid?';
