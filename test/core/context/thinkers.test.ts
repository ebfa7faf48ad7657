import { expect, test } from 'vitest';
import { type Thinkers, thinkersOf, withProducers, withThinker } from '../../../src/core/context/thinkers.ts';
import type { Message, ThinkingBlock } from '../../../src/core/conversation.ts';

const OPUS = { provider: 'anthropic', name: 'claude-opus-5-5' };
const LOCAL = { provider: 'local', name: 'meta/llama' };
const thought: ThinkingBlock = { type: 'thinking', wire: 'anthropic-messages', raw: { signature: 'x' } };
const said: Message = { role: 'assistant', content: [thought, { type: 'text', text: 'Hi.' }] };
const ask: Message = { role: 'user', content: [{ type: 'text', text: 'Hi?' }] };

function grown(count: number, model = OPUS, from: Thinkers = []): Thinkers {
  return Array.from({ length: count }).reduce<Thinkers>(
    (thinkers, _, index) => withThinker(thinkers, model, `${model.name} ${index}`),
    from,
  );
}

test('answers of one model in a row stand together, and the oldest go', () => {
  const thinkers = withThinker(grown(600), LOCAL, 'last');
  expect(thinkers.map(({ by, at }) => [by, at.length])).toEqual([
    ['anthropic/claude-opus-5-5', 511],
    ['local/meta/llama', 1],
  ]);
  expect(thinkers[0]?.at.at(-1)).toBe('claude-opus-5-5 599');
  expect(JSON.stringify(thinkers).length).toBeLessThan(16_000);
});

test('the same answer once more is known by whoever gave it last', () => {
  const thinkers = withThinker(withThinker([], OPUS, 'one'), LOCAL, 'one');
  expect(thinkers).toEqual([{ by: 'local/meta/llama', at: ['one'] }]);
});

test('an edited history keeps what stands before the edit, in its order, whichever lane knew it', () => {
  const one = withThinker(withThinker([], OPUS, 'a'), OPUS, 'c');
  const other = withThinker(withThinker([], LOCAL, 'b'), LOCAL, 'x');
  const chain = new Map(['ask', 'a', 'r', 'b', 'r2', 'c'].map((hash, place) => [hash, place]));
  expect(thinkersOf([one, other], chain)).toEqual([
    { by: 'anthropic/claude-opus-5-5', at: ['a'] },
    { by: 'local/meta/llama', at: ['b'] },
    { by: 'anthropic/claude-opus-5-5', at: ['c'] },
  ]);
});

test('traps T16: a thinking block is told its producer where the lane knows it, and left alone where it does not', () => {
  const messages: Message[] = [{ role: 'system', content: [] }, ask, said, ask, said];
  const told = withProducers(messages, {
    lead: 1,
    chain: ['1', '2', '3', '4'],
    thinkers: withThinker([], LOCAL, '2'),
  });
  const blocks = told?.flatMap(({ content }) => content.filter((block) => block.type === 'thinking')) ?? [];
  expect(blocks).toEqual([{ ...thought, producer: LOCAL }, thought]);
  // The block's own object is the one the client sent: it goes back byte for byte.
  expect(blocks[0]?.raw).toBe(thought.raw);
  expect(withProducers(messages, { lead: 1, chain: ['1', '2'], thinkers: grown(3) })).toBeNull();
});
