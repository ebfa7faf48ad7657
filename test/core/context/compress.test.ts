import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cut, cutFor, cutMessages, noteOf } from '../../../src/core/context/compress.ts';
import { turnsOf } from '../../../src/core/context/turns.ts';
import type { Message, TextBlock } from '../../../src/core/conversation.ts';

function handOver(messages: readonly Message[], tier: 'easy' | 'medium' | 'hard') {
  const cut: Cut | null = cutFor(messages, tier);
  return cut && { messages: cutMessages(messages, cut, noteOf(cut)), leftOut: cut.leftOut };
}

const text = (text: string): TextBlock => ({ type: 'text', text });
const user = (words: string): Message => ({ role: 'user', content: [text(words)] });
const says = (words: string): Message => ({ role: 'assistant', content: [text(words)] });
const SYSTEM: Message = { role: 'system', content: [text('You are an agent.')] };
const looksUp = (file: string, id: string): Message[] => [
  {
    role: 'assistant',
    content: [{ type: 'tool_call', id, name: 'read', arguments: JSON.stringify({ file }) }],
  },
  { role: 'tool', content: [{ type: 'tool_result', callId: id, content: [text(`contents of ${file}`)] }] },
];

/** A conversation of so many turns; every second one uses a tool. */
function talk(turns: number, ask = 'and now?'): Message[] {
  const messages: Message[] = [SYSTEM];
  for (let n = 0; n < turns; n += 1) {
    messages.push(user(n === turns - 1 ? ask : `ask ${n}`));
    if (n % 2 === 1) messages.push(...looksUp(`src/file${n}.ts`, `call_${n}`));
    if (n < turns - 1) messages.push(says(`answer ${n}`));
  }
  return messages;
}

const wordsOf = (messages: readonly Message[]) =>
  messages.flatMap(({ content }) =>
    content.map((block) => (block.type === 'text' ? block.text : block.type)),
  );

describe('what a tier is handed of a conversation', () => {
  test('easy: what the system says, the first ask, the latest turns; the model is told of the gap', () => {
    const handed = handOver(talk(9), 'easy');
    expect(wordsOf(handed?.messages ?? [])).toEqual([
      'You are an agent.',
      'ask 0',
      '[17 earlier messages of this conversation were left out here.]',
      'ask 6',
      'answer 6',
      ...['ask 7', 'tool_call', 'tool_result', 'answer 7'],
      'and now?',
    ]);
    expect(handed?.leftOut).toBe(17);
  });

  test('medium is handed more, hard all; short conversations go as they are', () => {
    const messages = talk(20);
    const easy = handOver(messages, 'easy')?.leftOut ?? 0;
    const medium = handOver(messages, 'medium')?.leftOut ?? 0;
    expect(easy).toBeGreaterThan(medium);
    expect(medium).toBeGreaterThan(0);
    expect(handOver(messages, 'hard')).toBeNull();
    expect(handOver(talk(5), 'easy')).toBeNull();
  });

  test('a turn that touched a file the current ask names goes along, whole', () => {
    const words = wordsOf(handOver(talk(12, 'What did src/file3.ts say?'), 'easy')?.messages ?? []);
    expect(words).toContain('answer 3');
    expect(words.filter((word) => word === 'tool_call')).toHaveLength(3);
    expect(words).not.toContain('answer 5');
  });

  test('traps T24: calls keep their results, the last turn is whole, and what stays is in order', () => {
    const kinds = fc.array(fc.constantFrom('ask', 'tool', 'twice'), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(kinds, fc.constantFrom('easy' as const, 'medium' as const), (shape, tier) => {
        const messages: Message[] = [SYSTEM];
        for (const [n, kind] of shape.entries()) {
          messages.push(user(`ask ${n}`), ...(kind === 'twice' ? [user(`also ${n}`)] : []));
          if (kind === 'tool') messages.push(...looksUp(`f${n}.ts`, `call_${n}`));
          messages.push(says(`answer ${n}`));
        }
        messages.push(user('now'), ...looksUp('last.ts', 'last'));
        const handed = handOver(messages, tier);
        if (!handed) return;
        const open = new Set<string>();
        for (const { content } of handed.messages) {
          for (const block of content) {
            if (block.type === 'tool_call') open.add(block.id);
            if (block.type === 'tool_result') expect(open.delete(block.callId)).toBe(true);
          }
        }
        expect(open.size).toBe(0);
        expect(handed.messages.slice(-2)).toEqual(messages.slice(-2));
        expect(handed.messages.length - 1 + handed.leftOut).toBe(messages.length);
        expect(wordsOf(handed.messages).slice(0, 2)).toEqual(['You are an agent.', 'ask 0']);
      }),
    );
  });

  test('what is handed over grows like any conversation for several turns, then the cut moves', () => {
    const heads = Array.from({ length: 9 }, (_, n) =>
      wordsOf(handOver(talk(9 + n), 'easy')?.messages ?? []).find((word) => /^ask [1-9]/.test(word)),
    );
    expect(heads).toEqual([
      'ask 6',
      'ask 6',
      'ask 6',
      'ask 9',
      'ask 9',
      'ask 9',
      'ask 12',
      'ask 12',
      'ask 12',
    ]);
  });

  test('a turn in which a developer speaks goes along, and so does what came before the first ask', () => {
    const messages = talk(12);
    const at = messages.findIndex(({ content }) =>
      content.some((one) => wordsOf([{ role: 'user', content: [one as TextBlock] }])[0] === 'ask 4'),
    );
    messages.splice(at + 1, 0, { role: 'developer', content: [text('From now on in French.')] });
    messages.splice(1, 0, says('Welcome'));
    const words = wordsOf(handOver(messages, 'easy')?.messages ?? []);
    expect(words.slice(0, 3)).toEqual(['You are an agent.', 'Welcome', 'ask 0']);
    expect(words).toContain('From now on in French.');
    expect(words).toContain('answer 4');
    expect(words).not.toContain('answer 3');
  });

  test('traps T24: a user who speaks beside the results of tools begins no turn to cut at', () => {
    const messages: Message[] = [SYSTEM, user('go')];
    for (let n = 0; n < 20; n += 1) messages.push(...looksUp('a.ts', `call_${n}`), user(`<reminder ${n}>`));
    expect(handOver(messages, 'easy')).toBeNull();
  });

  test('who speaks takes turns, also where the middle is missing', () => {
    const roles = (handOver(talk(9), 'easy')?.messages ?? []).map(({ role }) => role);
    expect(roles.slice(0, 5)).toEqual(['system', 'user', 'assistant', 'user', 'assistant']);
  });

  test('turns begin with the user, and the system belongs to none', () => {
    expect(turnsOf([SYSTEM, user('a'), user('b'), says('c'), user('d')])).toEqual([
      { start: 1, end: 4 },
      { start: 4, end: 5 },
    ]);
    expect(turnsOf([SYSTEM])).toEqual([]);
    expect(turnsOf([says('Welcome'), user('a')])).toEqual([
      { start: 0, end: 1 },
      { start: 1, end: 2 },
    ]);
  });
});
