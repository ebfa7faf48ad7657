import fc from 'fast-check';
import { expect, test } from 'vitest';
import { usageOf } from '../../src/core/accounting/usage.ts';
import type { AnswerEvent } from '../../src/core/answer.ts';
import { createEventReader as readMessages } from '../../src/core/dialects/anthropic-messages/events.ts';
import * as anthropic from '../../src/core/dialects/anthropic-messages/request.ts';
import { createEventReader as readChat } from '../../src/core/dialects/openai-chat/events.ts';
import { readChatRequest } from '../../src/core/dialects/openai-chat/read.ts';
import * as chat from '../../src/core/dialects/openai-chat/request.ts';
import { createEventReader as readResponses } from '../../src/core/dialects/openai-responses/events.ts';
import * as responses from '../../src/core/dialects/openai-responses/request.ts';
import { replyTo } from '../../src/local/simulated/reply.ts';
import { prepare } from '../../src/pipeline/prepare.ts';
import { FrameReader } from '../../src/providers/frames.ts';
import { conversationOf, LOOK_UP, model, say } from '../core/dialects/conversations.ts';
import { accepted } from '../core/dialects/simulators.ts';

const WIRES = [
  { target: model('anthropic', 'claude-haiku-5-5'), write: anthropic.writeRequest, read: readMessages },
  { target: model('openai', 'gpt-6-luna'), write: responses.writeRequest, read: readResponses },
  { target: model('openai', 'gpt-4o'), write: chat.writeRequest, read: readChat },
];

/** The text of a simulated provider's stream, with more bytes than characters in it. */
function streamOf({ target, write }: (typeof WIRES)[number]): string {
  const asked = conversationOf([say('user', 'Hi')], { tools: [LOOK_UP] });
  const { conversation } = prepare(asked, target, { defaultMaxTokens: 16_384 });
  const exchange = accepted(target, write(conversation, target, { stream: true, modelId: target.id }));
  const reply = replyTo(exchange.ask, {
    text: 'Grüße an alle 🤖, und\n\nnoch etwas.',
    calls: [{ name: 'look_up', arguments: '{"key":"日本語 🗾"}' }],
    thinking: 12,
  });
  return [...exchange.answer(reply, null).frames]
    .map(({ event, data }) => {
      const text = typeof data === 'string' ? data : JSON.stringify(data);
      return `${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`;
    })
    .join('');
}

/** What comes of the bytes in pieces: the events, and what a Chat client would be sent. */
async function readPieces(
  { read }: (typeof WIRES)[number],
  pieces: readonly Uint8Array[],
): Promise<{ events: AnswerEvent[]; text: string }> {
  const body = new ReadableStream({
    type: 'bytes',
    start(controller) {
      // The stream takes the buffer of a piece over, and no empty piece.
      for (const piece of pieces) if (piece.length > 0) controller.enqueue(piece.slice());
      controller.close();
    },
  });
  const reader = read();
  const client = readChatRequest({
    model: 'auto',
    messages: [{ role: 'user', content: 'Hi' }],
    stream: true,
  });
  const writer = client.answerWriter({ requestId: 'r', created: 1 }).stream();
  const events: AnswerEvent[] = [];
  let text = '';
  const frames = new FrameReader(body, () => 5_000, new AbortController().signal);
  for (let batch = await frames.next(); batch; batch = await frames.next()) {
    for (const frame of batch) {
      const meant = reader(frame);
      events.push(...meant);
      text += writer.write({ raw: frame.data, events: meant });
    }
  }
  // The metadata only rides on it.
  text += writer.finish(usageOf({}), JSON.parse('{}'));
  return { events, text };
}

test.each(WIRES)('$target.wire: a stream cut at any bytes says the same', async (wire) => {
  const bytes = new TextEncoder().encode(streamOf(wire));
  const whole = await readPieces(wire, [bytes]);
  expect(whole.events.at(-1)).toEqual({ type: 'end' });
  expect(whole.text).toContain('🗾');
  const cuts = fc.array(fc.nat({ max: bytes.length }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(cuts, async (places) => {
      const at = [0, ...places.toSorted((a, b) => a - b), bytes.length];
      const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      expect(await readPieces(wire, pieces)).toEqual(whole);
    }),
  );
  // And one byte at a time.
  expect(
    await readPieces(
      wire,
      Array.from(bytes, (byte) => Uint8Array.of(byte)),
    ),
  ).toEqual(whole);
});
