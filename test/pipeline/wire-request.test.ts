import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ANTHROPIC_MESSAGES } from '../../src/core/dialects/anthropic-messages/dialect.ts';
import { OPENAI_CHAT } from '../../src/core/dialects/openai-chat/dialect.ts';
import { OPENAI_RESPONSES } from '../../src/core/dialects/openai-responses/dialect.ts';
import { prepare } from '../../src/pipeline/prepare.ts';
import { writeWireRequest } from '../../src/pipeline/wire-request.ts';
import { model } from '../core/dialects/conversations.ts';
import { textOf } from './in-process.ts';

/** Characters from which on a body goes up as bytes. */
const LONG = 16 * 1024;
const WAYS = [
  {
    dialect: ANTHROPIC_MESSAGES,
    target: model('anthropic', 'claude-haiku-5-5'),
    said: '"max_tokens":1e3,"messages"',
  },
  { dialect: OPENAI_CHAT, target: model('openai', 'gpt-4o'), said: '"messages"' },
  { dialect: OPENAI_RESPONSES, target: model('openai', 'gpt-6-luna'), said: '"input"' },
];
/** Texts inside JSON. What came as UTF-8 has a lone surrogate as an escape only. */
const WORDS = ['a', 'é', '語', '🗾', '\\ud83d', '\\udc00', '\\u00e9', '\\n', '\\\\', 'né 語🗾\\ud83d'];

/** A client's body of so many characters as it goes up: as it is sent, and as text. */
function send(
  { dialect, target, said }: (typeof WAYS)[number],
  words: string,
  length: number,
  name = target.id,
) {
  // What is edited stands before the long text and behind it.
  const around = (text: string) =>
    `{"model":"auto", "n_of_next_year":1.0,${said}:[{"role":"user","content":"${text}"}] ,"mod\\u0065l":"auto"}`;
  const room = length - around('').length;
  const rawBody = around(words.repeat(Math.floor(room / words.length)).padEnd(room, 'x'));
  const body: unknown = JSON.parse(rawBody);
  const read = dialect.read(body, rawBody);
  const candidate = { provider: 'here', name, model: target, tier: null };
  const prepared = prepare(read.conversation, target, {
    defaultMaxTokens: 1_000,
    to: candidate,
    sameWire: true,
  });
  const asked = { ...read, wire: dialect.wire, rawBody, body, userHash: null };
  const rawBytes = new TextEncoder().encode(rawBody).length;
  return {
    rawBody,
    sent: writeWireRequest({ ...asked, rawBytes }, candidate, prepared),
    text: writeWireRequest(asked, candidate, prepared),
  };
}

test.each(WAYS)(
  '$target.wire: a long body is bytes that say what the text would, character by character',
  (way) => {
    const length = fc.oneof(
      fc.integer({ min: LONG - 8, max: LONG + 8 }),
      fc.integer({ min: LONG, max: 5 * LONG }),
    );
    fc.assert(
      fc.property(fc.constantFrom(...WORDS), length, (words, characters) => {
        const { rawBody, sent, text } = send(way, words, characters);
        expect(rawBody.length).toBe(characters);
        expect(typeof sent).toBe(characters < LONG ? 'string' : 'object');
        expect(textOf(sent) === text).toBe(true);
        // All but the two names of the model, and what the model's own limits add at the end, is the client's.
        const model = `"${way.target.id}"`;
        const kept = rawBody.replaceAll('"auto"', model).slice(0, -1);
        expect(textOf(sent).startsWith(kept)).toBe(true);
      }),
    );
  },
);

test.each(WORDS)(
  'where more is put in than there is room for, all of it goes up nonetheless: %s',
  (words) => {
    for (const way of WAYS) {
      for (const length of [400, 500, 512, 1_000, 1_100, 5_000]) {
        const name = 'm'.repeat(length);
        const { sent, text } = send(way, words, 2 * LONG, name);
        expect(textOf(sent) === text).toBe(true);
        expect(JSON.parse(textOf(sent))).toMatchObject({ model: name, n_of_next_year: 1 });
      }
    }
  },
);
