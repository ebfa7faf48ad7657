import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalText, chainOf, firstAnswer } from '../../../src/core/context/lane-chain.ts';
import type { Message } from '../../../src/core/conversation.ts';

const sha = (text: string) => createHash('sha256').update(text).digest('base64url');
const user = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] });
const says = (text: string): Message => ({ role: 'assistant', content: [{ type: 'text', text }] });
const system = (text: string): Message => ({ role: 'system', content: [{ type: 'text', text }] });
const calls = (id: string, json: string): Message => ({
  role: 'assistant',
  content: [{ type: 'tool_call', id, name: 'look_up', arguments: json }],
});

describe('the chain of a conversation', () => {
  test('grows with it: what was sent before keeps its hashes', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), fc.string(), (texts, more) => {
        const messages = texts.map((text, i) => (i % 2 === 0 ? user(text) : says(text)));
        const before = chainOf(messages, sha);
        expect(chainOf([...messages, user(more)], sha).slice(0, -1)).toEqual(before);
        expect(chainOf([says(more)], sha, before.at(-1))).toEqual(
          chainOf([...messages, says(more)], sha).slice(-1),
        );
      }),
    );
  });

  test('is the same however a client wraps what was said', () => {
    const plain = [user('Caf\u00e9?'), says('Yes.'), calls('a', '{"a":1,"b":[2]}')];
    const wrapped: Message[] = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Cafe' },
          { type: 'text', text: '\u0301? \n' },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', wire: 'anthropic-messages', raw: { type: 'thinking', thinking: 'hm' } },
          { type: 'text', text: 'Yes.' },
          { type: 'text', text: '' },
        ],
      },
      calls('another_id', '{ "b": [2], "a": 1 }'),
    ];
    expect(chainOf(wrapped, sha)).toEqual(chainOf(plain, sha));
  });

  test('does not hear what the system says before all else: a clock there would be a new lane each step', () => {
    expect(chainOf([system('It is 12:01.'), user('Hi')], sha)).toEqual(
      chainOf([system('It is 12:02.'), user('Hi')], sha),
    );
    expect(chainOf([user('Hi'), system('Be brief.')], sha)).not.toEqual(chainOf([user('Hi')], sha));
  });

  test('tells apart what was said by whom, and text from a call', () => {
    const texts = [user('a'), says('a'), calls('a', 'a'), user('call look_up 1 a')].map((message) =>
      canonicalText(message, sha),
    );
    expect(new Set(texts).size).toBe(4);
  });

  test('finds the first answer to a user, which one-shot requests do not have', () => {
    expect(firstAnswer([system('s'), user('a')])).toBeUndefined();
    expect(firstAnswer([says('Welcome'), user('a')])).toBeUndefined();
    expect(firstAnswer([system('s'), says('Welcome'), user('a'), says('b'), user('c')])).toBe(2);
  });
});
