import { expect, test } from 'vitest';
import { type KeptThought, thoughtsFor } from '../../../src/core/context/thoughts.ts';
import type { Message } from '../../../src/core/conversation.ts';
import { findModel } from '../../../src/core/routing/catalog.ts';

function candidate(provider: 'anthropic' | 'openai', name: string, account: string = provider) {
  const model = findModel(provider, name);
  if (!model) throw new Error(name);
  return { provider: account, name, model, tier: null };
}
const OPUS = candidate('anthropic', 'claude-opus-5-5');

function thought(by: ReturnType<typeof candidate>, tokens = 100): KeptThought {
  const wire = by.model.wire === 'anthropic-messages' ? by.model.wire : 'openai-responses';
  const { provider, name } = by;
  return {
    producer: { provider, name },
    wire,
    raw: [{ by: name }],
    tokens,
    bound: 'b',
    keptAt: 0,
    madeAt: 0,
  };
}

const says = (role: 'user' | 'assistant', text: string): Message => ({
  role,
  content: [{ type: 'text', text }],
});
const result: Message = {
  role: 'tool',
  content: [{ type: 'tool_result', callId: 'c', content: [] }],
};
/** Two turns; the second has a loop of tools that is still open. */
const messages: Message[] = [
  { role: 'system', content: [{ type: 'text', text: 'Be brief.' }] },
  ...[says('user', 'One?'), says('assistant', 'One.'), says('user', 'Two?')],
  ...[says('assistant', 'Let me look.'), result],
];
const chain = ['ask 1', 'answer 1', 'ask 2', 'answer 2', 'result'];
const chained = { messages, lead: 1, chain };

function back(
  to: ReturnType<typeof candidate>,
  by = to,
  { room = 1_000, bound = 'b' }: { room?: number; bound?: string } = {},
) {
  const thoughts = new Map([
    ['answer 1', thought(by)],
    ['answer 2', thought(by, 50)],
  ]);
  const { blocks, tokens } = thoughtsFor(to, thoughts, chained, bound, room);
  return { at: [...blocks.keys()].map((message) => messages.indexOf(message)), tokens };
}

test('traps T16: its own goes back to a model, and of another one nothing', () => {
  expect(back(OPUS)).toEqual({ at: [2, 4], tokens: 150 });
  expect(back(candidate('anthropic', 'claude-sonnet-5-5'), OPUS).at).toEqual([]);
  expect(back(candidate('anthropic', 'claude-opus-5-5', 'second'), OPUS).at).toEqual([]);
  expect(back(candidate('openai', 'gpt-6.2-sol'), OPUS).at).toEqual([]);
});

test('traps T18: sealed reasoning goes to any model of its account, and to no other account', () => {
  const sol = candidate('openai', 'gpt-6.2-sol');
  expect(back(candidate('openai', 'gpt-6-luna'), sol).at).toEqual([2, 4]);
  expect(back(candidate('openai', 'gpt-6.2-sol', 'second'), sol).at).toEqual([]);
  expect(back(sol, sol, { bound: 'another key' }).at).toEqual([]);
});

test('where all of it has no room, what followed the last ask goes back, and else nothing', () => {
  expect(back(OPUS, OPUS, { room: 149 })).toEqual({ at: [4], tokens: 50 });
  expect(back(OPUS, OPUS, { room: 49 })).toEqual({ at: [], tokens: 0 });
  expect(back(OPUS, OPUS, { room: -1 })).toEqual({ at: [], tokens: 0 });
});

test.each([candidate('anthropic', 'claude-haiku-4-5'), candidate('openai', 'gpt-5.4')])(
  '$name reads no turn but the current one',
  (model) => {
    expect(back(model)).toEqual({ at: [4], tokens: 50 });
  },
);

test('traps T17: thinking goes before nothing that is no answer', () => {
  const empty: Message[] = [says('user', 'One?'), { role: 'assistant', content: [] }];
  const thoughts = new Map([['answer', thought(OPUS)]]);
  const { blocks } = thoughtsFor(
    OPUS,
    thoughts,
    { messages: empty, lead: 0, chain: ['ask', 'answer'] },
    'b',
    1e3,
  );
  expect(blocks.size).toBe(0);
});
