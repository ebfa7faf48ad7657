import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pricesFor } from '../../../src/core/accounting/prices.ts';
import { markerPlaces, paysForLong, withMarkers } from '../../../src/core/context/cache-markers.ts';
import { cacheRulesOf } from '../../../src/core/context/cache-rules.ts';
import type { Conversation, Message, TextBlock, Tool } from '../../../src/core/conversation.ts';
import { findModel } from '../../../src/core/routing/catalog.ts';

const text = (text: string): TextBlock => ({ type: 'text', text });
const tool: Tool = { name: 'look_up' };
const opus = findModel('anthropic', 'claude-opus-5-5');
if (!opus) throw new Error('no opus');
const rules = cacheRulesOf(opus);
const SPARE = rules.breakpoints - 1;

/** A turn of `calls` parallel calls and their results, or of an answer and the next ask. */
function turn(calls: number, n: number): Message[] {
  if (calls === 0) return [{ role: 'assistant', content: [text(`answer ${n}`)] }, ask(n)];
  const ids = Array.from({ length: calls }, (_, i) => `${n}_${i}`);
  return [
    {
      role: 'assistant',
      content: ids.map((id) => ({ type: 'tool_call' as const, id, name: 'look_up', arguments: '{}' })),
    },
    {
      role: 'tool',
      content: ids.map((id) => ({ type: 'tool_result' as const, callId: id, content: [text('found')] })),
    },
  ];
}

function ask(n: number): Message {
  return { role: 'user', content: [text(`ask ${n}`)] };
}

const SYSTEM: Message = { role: 'system', content: [text('You are an agent.')] };

function conversationOf(messages: Message[], tools: Tool[] = [tool]): Conversation {
  return {
    messages,
    tools,
    output: { stop: [], n: 1, logprobs: false },
    sampling: {},
    reasoning: {},
    hints: {},
  };
}

/** Anthropic's rules: an entry for each marker, found from a marker within 20 blocks, itself the first. */
class Cache {
  readonly #entries = new Set<number>();

  /** @returns the blocks that are read */
  send(marks: readonly number[]): number {
    let read = 0;
    for (const mark of marks) {
      for (let back = mark; back > mark - rules.lookback && back > 0; back -= 1) {
        if (!this.#entries.has(back)) continue;
        read = Math.max(read, back);
        break;
      }
    }
    for (const mark of marks) this.#entries.add(mark);
    return read;
  }
}

/** The blocks before each marker of a request, the wire's own at the tail included. */
function marksOf(conversation: Conversation, ...known: number[]): number[] {
  const { head, blocks } = markerPlaces(conversation, known, SPARE);
  const starts = conversation.messages.map((_, index) =>
    conversation.messages.slice(0, index).reduce((sum, { content }) => sum + content.length, 0),
  );
  const total = conversation.messages.reduce((sum, { content }) => sum + content.length, 0);
  const marks = [
    ...(head ? [1] : []),
    ...blocks.map((at) => (starts[at.message] ?? 0) + at.block + 1),
    total,
  ];
  expect(new Set(marks).size).toBe(marks.length);
  expect(marks.length).toBeLessThanOrEqual(rules.breakpoints);
  return marks;
}

describe('markers', () => {
  test('traps T53, T21: whatever a turn adds, the next request of the lane reads all that this one sent', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 1, 3, 11, 25, 60), { minLength: 2, maxLength: 12 }),
        (turns) => {
          const messages = [SYSTEM, ask(0)];
          const cache = new Cache();
          cache.send(marksOf(conversationOf(messages)));
          let sent = 2;
          for (const [n, calls] of turns.entries()) {
            messages.push(...turn(calls, n + 1));
            const marks = marksOf(conversationOf(messages));
            expect(cache.send(marks)).toBe(sent);
            sent = marks.at(-1) ?? 0;
          }
        },
      ),
    );
  });

  test('a model that comes back after others finds its own last prefix, where that is known', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 1, 25), { minLength: 3, maxLength: 10 }), (turns) => {
        const messages = [SYSTEM, ask(0)];
        const cache = new Cache();
        const [known = 0] = cache.send(marksOf(conversationOf(messages))) === 0 ? [2] : [];
        // The others answer all but the last.
        for (const [n, calls] of turns.entries()) messages.push(...turn(calls, n + 1));
        expect(cache.send(marksOf(conversationOf(messages), known))).toBe(known);
      }),
    );
  });

  test('stand after the head: the last leading system block, else the last tool', () => {
    const mark = {};
    const both = conversationOf([SYSTEM, ask(0)]);
    const marked = withMarkers(both, markerPlaces(both, [], SPARE), mark);
    expect(marked.messages[0]?.content[0]).toEqual({ ...SYSTEM.content[0], cache: mark });
    expect(marked.tools).toBe(both.tools);
    const bare = conversationOf([ask(0)]);
    expect(withMarkers(bare, markerPlaces(bare, [], SPARE), mark).tools).toEqual([{ ...tool, cache: mark }]);
    expect(markerPlaces(conversationOf([ask(0)], []), [], SPARE)).toEqual({ head: false, blocks: [] });
  });

  test('never stand on thinking, empty text, or a call of which the wire knows no marker', () => {
    const thinking = { type: 'thinking' as const, wire: 'anthropic-messages' as const, raw: {} };
    const messages: Message[] = [
      SYSTEM,
      { role: 'user', content: [text('ask'), text(' ')] },
      { role: 'assistant', content: [thinking, text('answer')] },
      ask(1),
    ];
    expect(markerPlaces(conversationOf(messages), [], SPARE).blocks).toEqual([{ message: 1, block: 0 }]);
    expect(markerPlaces(conversationOf(messages), [4], SPARE).blocks).toEqual([{ message: 1, block: 0 }]);
  });
});

describe('the longer lifetime', () => {
  const prices = pricesFor({ fresh: 4, write_5m: 5, write_1h: 8, read: 0.2, output: 20 });
  const often = { goesOn: [0.95], pauses: [0.1, 0.05, 0, 0, 0] };

  test('pays where pauses outlive the short one often enough for what would be written anew', () => {
    // 0.1425 × 5.6 × 50,000 > 3 × 2,000
    expect(paysForLong(rules, prices, { tokens: 50_000, warm: 48_000, kept: 0 }, often)).toBe(true);
  });

  test('does not while hardly anything would be lost that is not kept for so long anyway', () => {
    // 0.1425 × 5.6 (4.8, and again where that is lost too) × 10,000 > 3 × 2,000 > 0.1425 × 5.6 × 7,000
    expect(paysForLong(rules, prices, { tokens: 50_000, warm: 48_000, kept: 40_000 }, often)).toBe(true);
    expect(paysForLong(rules, prices, { tokens: 50_000, warm: 48_000, kept: 43_000 }, often)).toBe(false);
  });

  test('pays on a cold start where two gaps of five are such pauses, and no sooner', () => {
    // 0.38 × 7.8 < 3 < 0.39 × 7.8: written for the short one now, it would be for the long one after the pause.
    const cold = { tokens: 50_000, warm: 0, kept: 0 };
    expect(paysForLong(rules, prices, cold, { goesOn: [1], pauses: [0.38, 0, 0, 0, 0] })).toBe(false);
    expect(paysForLong(rules, prices, cold, { goesOn: [1], pauses: [0.39, 0, 0, 0, 0] })).toBe(true);
  });

  test('does not on a cold start, nor where nobody pauses, nor where there is none', () => {
    expect(paysForLong(rules, prices, { tokens: 50_000, warm: 0, kept: 0 }, often)).toBe(false);
    const never = { goesOn: [0.95], pauses: [0, 0, 0.2, 0, 0] };
    expect(paysForLong(rules, prices, { tokens: 50_000, warm: 48_000, kept: 0 }, never)).toBe(false);
    const unpriced = pricesFor({ fresh: 4, write_5m: 5, output: 20 });
    expect(paysForLong(rules, unpriced, { tokens: 50_000, warm: 48_000, kept: 0 }, often)).toBe(false);
  });
});
