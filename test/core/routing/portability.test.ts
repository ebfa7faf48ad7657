import { expect, test } from 'vitest';
import type { Message, ThinkingBlock } from '../../../src/core/conversation.ts';
import type { Wire } from '../../../src/core/routing/catalog.ts';
import {
  type Carried,
  carriedBy,
  type Destination,
  fateOf,
  isPortable,
} from '../../../src/core/routing/portability.ts';

const to = (provider: string, name: string, wire: Wire = 'openai-responses'): Destination => ({
  provider,
  name,
  model: { wire },
});
const DESTINATIONS = [to('a', 'one'), to('a', 'two'), to('b', 'one'), to('a', 'one', 'anthropic-messages')];
const carried = (kind: Carried['kind']): Carried => ({
  kind,
  wire: 'openai-responses',
  producer: { provider: 'a', name: 'one' },
});

// T15–T18, providers.md §3: what made it, another model of the account, another account, another wire.
test.each([
  ['thinking', 'kept', 'stripped', 'stripped', 'stripped'],
  ['encrypted_reasoning', 'kept', 'kept', 'stripped', 'stripped'],
  ['open_loop', 'kept', 'kept', 'kept', 'kept'],
  ['stored_object', 'kept', 'kept', 'lost', 'lost'],
] as const)(
  'traps T15: %s on its own model is %s, on its account %s, on another %s, on another wire %s',
  (kind, ...fates) => {
    expect(DESTINATIONS.map((destination) => fateOf(carried(kind), destination))).toEqual(fates);
  },
);

test('traps T15: a turn goes anywhere unless something of it would be lost', () => {
  const harmless = [carried('thinking'), carried('encrypted_reasoning'), carried('open_loop')];
  expect(DESTINATIONS.map((one) => isPortable(harmless, one))).toEqual([true, true, true, true]);
  const stored = [...harmless, carried('stored_object')];
  expect(DESTINATIONS.map((one) => isPortable(stored, one))).toEqual([true, true, false, false]);
  expect(isPortable([], to('b', 'one'))).toBe(true);
});

test('traps T16, T18: what a conversation carries: each thinker once, and an open loop', () => {
  const thought = (wire: ThinkingBlock['wire'], name?: string): ThinkingBlock => ({
    type: 'thinking',
    wire,
    raw: {},
    ...(name === undefined ? {} : { producer: { provider: 'a', name } }),
  });
  const turn = (...content: ThinkingBlock[]): Message => ({
    role: 'assistant',
    content: [...content, { type: 'text', text: 'x' }],
  });
  const messages = [
    turn(thought('anthropic-messages', 'one'), thought('anthropic-messages', 'one')),
    turn(thought('anthropic-messages', 'two')),
    turn(thought('openai-responses')),
  ];
  expect(carriedBy(messages, 'openai-chat')).toEqual([
    { kind: 'thinking', wire: 'anthropic-messages', producer: { provider: 'a', name: 'one' } },
    { kind: 'thinking', wire: 'anthropic-messages', producer: { provider: 'a', name: 'two' } },
    { kind: 'encrypted_reasoning', wire: 'openai-responses' },
  ]);
  const open: Message = { role: 'tool', content: [{ type: 'tool_result', callId: 'c', content: [] }] };
  expect(carriedBy([open], 'openai-chat')).toEqual([{ kind: 'open_loop', wire: 'openai-chat' }]);
  // Of an unknown producer only the wire is known.
  expect(DESTINATIONS.map((one) => fateOf({ kind: 'thinking', wire: 'openai-responses' }, one))).toEqual([
    'kept',
    'kept',
    'kept',
    'stripped',
  ]);
});
