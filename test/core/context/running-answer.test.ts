import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AnswerEvent } from '../../../src/core/answer.ts';
import { knownAnswer, RunningAnswer } from '../../../src/core/context/running-answer.ts';
import { RunningText } from '../../../src/core/context/running-hash.ts';
import type { AssistantBlock } from '../../../src/core/conversation.ts';

const sha = (text: string) => createHash('sha256').update(text).digest('base64url');

/** What normalisation joins and reorders, what takes two units, space of all kinds; long enough to be hashed. */
const letter = fc.constantFrom(
  ...['a', 'e', 'q', '\u0301', '\u0323', '\u0308', '\u1100', '\u1161', '\u11a8', '\uac00', '\u0915\u093c'],
  ...['\u304b', '\u3099', '\u2126', '\u{1f916}', '\u{1d15f}', ' ', '\n', '\u00a0', '\u2000', '\t', '0'],
);
const text = fc
  .tuple(fc.array(letter, { maxLength: 40 }), fc.constantFrom(1, 1, 1, 700))
  .map(([letters, times]) => letters.join('').repeat(times));

/** A text in pieces, cut anywhere: inside a letter too. */
function cutUp(whole: string, places: readonly number[]): string[] {
  const cuts = [...places.map((place) => Math.floor(place * whole.length)), 0, whole.length];
  const sorted = [...new Set(cuts)].sort((a, b) => a - b);
  return sorted.slice(1).map((to, i) => whole.slice(sorted[i], to));
}

const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

describe('what was said', () => {
  test('is known as NFC without the space at its end, however it is cut', () => {
    fc.assert(
      fc.property(text, places, (whole, cuts) => {
        const known = (pieces: readonly string[]) => {
          const running = new RunningText(sha);
          for (const piece of pieces) running.add(piece);
          return running.known();
        };
        const all = whole.normalize('NFC');
        const trimmed = all.trimEnd();
        // A kilobyte of white space is no end (below).
        const normal = all.length - trimmed.length > 1_024 ? all : trimmed;
        const told = known(cutUp(whole, cuts));
        expect(told).toBe(known([normal]));
        if (normal.length <= 8_192) expect(told).toBe(normal === '' ? '' : `${normal.length} ${normal}`);
        else expect(told.length).toBeLessThan(60);
      }),
      { numRuns: 300 },
    );
  });

  test('a kilobyte of white space is no end of a text, however it is cut', () => {
    const known = (...pieces: string[]) => {
      const running = new RunningText(sha);
      for (const piece of pieces) running.add(piece);
      return running.known();
    };
    const spaces = ' '.repeat(3_000);
    expect(known('a', spaces.slice(1_500), spaces.slice(1_500))).toBe(known(`a${spaces}`));
    expect(known(`a${spaces}`)).not.toBe(known('a'));
    expect(known(`a${spaces.slice(2_000)}`)).toBe(known('a'));
  });

  test('long texts are told apart by their last letter, and by half an emoji', () => {
    const long = 'x'.repeat(8_191);
    const ends = ['\u{1f916}', '\u{1f917}', 'ab', 'ac', 'a'].map((end) => {
      const running = new RunningText(sha);
      running.add(`${long}${end}${long}`);
      return running.known();
    });
    expect(new Set(ends).size).toBe(ends.length);
  });
});

describe('an answer', () => {
  const block = fc.oneof(
    text.map((value): AssistantBlock => ({ type: 'text', text: value })),
    text.map((value): AssistantBlock => ({ type: 'refusal', text: value })),
    fc
      .tuple(
        fc.oneof(fc.json(), text, fc.constantFrom('', '{"b":1,"a":[2.0]}', `"${'y'.repeat(60_000)}"`)),
        fc.boolean(),
      )
      .map(
        ([value, custom]): AssistantBlock => ({
          ...{ type: 'tool_call', id: 'c', name: 'look_up', arguments: value },
          ...(custom ? { custom: true } : {}),
        }),
      ),
    fc.constant<AssistantBlock>({ type: 'foreign', kind: 'server_tool_use', raw: { b: 1, a: 2 } }),
    fc.constant<AssistantBlock>({ type: 'thinking', wire: 'anthropic-messages', raw: { thinking: 'hm' } }),
  );

  test('is known the same streamed, its calls in turns, and whole', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 8 }), places, (blocks, cuts) => {
        const streamed = new RunningAnswer(sha);
        for (const event of eventsOf(blocks, cuts)) streamed.take(event);
        expect(streamed.known()).toBe(knownAnswer(blocks, sha));
      }),
      { numRuns: 300 },
    );
  });

  test('arguments are known by what they say, until they are more than 128 Ki characters', () => {
    const known = (...texts: string[]) =>
      knownAnswer(
        texts.map((value) => ({ type: 'tool_call', id: 'c', name: 'f', arguments: value })),
        sha,
      );
    expect(known('{ "b": 1.0, "a": 2 }')).toBe(known('{"a":2,"b":1}'));
    const long = `{"a":"${'y'.repeat(140_000)}"}`;
    expect(known(long, '{}')).not.toBe(known(` ${long}`, '{}'));
    expect(known('{ }', long)).toBe(known('{}', long));
    expect(known(long, '{ }')).not.toBe(known(long, '{}'));
  });

  test('of one of ten megabytes hashes are kept, and a bounded end', () => {
    const digested: number[] = [];
    const answer = new RunningAnswer((value) => {
      digested.push(value.length);
      return sha(value);
    });
    const piece = 'z'.repeat(200);
    answer.take({ type: 'tool_call', index: 0, id: 'c', name: 'f' });
    for (let i = 0; i < 26_000; i++) {
      answer.take({ type: 'text', text: piece });
      answer.take({ type: 'tool_arguments', index: 0, delta: piece });
    }
    // All but the last piece of either has been hashed by now.
    expect(digested.reduce((sum, length) => sum + length, 0)).toBeGreaterThan(2 * 26_000 * 200 - 2 * 8_192);
    expect(Math.max(...digested)).toBeLessThan(8_300);
    expect(answer.known().length).toBeLessThan(200);
  });
});

/** The events of a stream that says these blocks: texts where they stand, the arguments of all calls in turns at the end. */
function eventsOf(blocks: readonly AssistantBlock[], cuts: readonly number[]): AnswerEvent[] {
  const pieces: { index: number; rest: string[] }[] = [];
  const begun = blocks.flatMap((one): AnswerEvent[] => {
    if (one.type === 'thinking' || one.type === 'foreign') return [{ type: 'block', block: one }];
    if (one.type !== 'tool_call')
      return cutUp(one.text, cuts).map((part) => ({ type: one.type, text: part }));
    const index = pieces.length;
    pieces.push({ index, rest: cutUp(one.arguments, cuts) });
    const { id, name, custom } = one;
    return [{ type: 'tool_call', index, id, name, ...(custom ? { custom } : {}) }];
  });
  const turns: AnswerEvent[] = [];
  while (pieces.some(({ rest }) => rest.length > 0)) {
    for (const { index, rest } of pieces) {
      const delta = rest.shift();
      if (delta !== undefined) turns.push({ type: 'tool_arguments', index, delta });
    }
  }
  return [...begun, ...turns];
}
