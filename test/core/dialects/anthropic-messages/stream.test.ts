import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { usageOf } from '../../../../src/core/accounting/usage.ts';
import type { Answer, AnswerEvent } from '../../../../src/core/answer.ts';
import { createEventReader } from '../../../../src/core/dialects/anthropic-messages/events.ts';
import {
  createStreamRelay,
  createStreamWriter,
  KEEP_ALIVE,
} from '../../../../src/core/dialects/anthropic-messages/stream.ts';
import { writeMessage } from '../../../../src/core/dialects/anthropic-messages/write.ts';
import { FluxError } from '../../../../src/core/errors.ts';
import type { FluxMetadata } from '../../../../src/core/metadata.ts';
import { assemble } from '../assembly.ts';

const HEAD = { requestId: '881f0884-d174-495e-884b-be8993df7247', created: 0 };
// Only its place matters here.
const METADATA = { request_id: HEAD.requestId } as FluxMetadata;
const USAGE = usageOf({
  fresh: 10,
  read: 5,
  write_5m: 1,
  write_1h: 2,
  write_30m: 3,
  write_12h: 4,
  output: 20,
  thinking: 7,
});

/** Frames of a stream, each held to `event:` = `type`. */
function framesOf(text: string): Record<string, unknown>[] {
  return text
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => {
      const [, event, data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(frame) ?? [];
      const parsed = JSON.parse(data);
      expect(parsed.type).toBe(event);
      return parsed;
    });
}

/** What a writer makes of events, to the end. */
function written(events: readonly AnswerEvent[]): Record<string, unknown>[] {
  const writer = createStreamWriter(HEAD);
  const text = events.map((event) => writer.write({ raw: '', events: [event] })).join('');
  return framesOf(text + writer.finish(USAGE, METADATA));
}

const start: AnswerEvent = { type: 'start', id: 'x', model: 'gpt-6-luna' };
const text = (words: string): AnswerEvent => ({ type: 'text', text: words });
const call = (index: number, name = 'f'): AnswerEvent => ({
  type: 'tool_call',
  index,
  id: `call_${index}`,
  name,
});
const args = (index: number, delta: string): AnswerEvent => ({ type: 'tool_arguments', index, delta });
const stop = (reason: 'stop' | 'length' | 'tool_calls' | 'refusal'): AnswerEvent => ({
  type: 'stop',
  reason,
});

describe("another provider's stream in this wire", () => {
  test('opens, says, ends: cumulative usage in disjoint classes, metadata on message_delta', () => {
    const frames = written([
      start,
      text('Pa'),
      { type: 'progress' },
      text('ris.'),
      stop('stop'),
      { type: 'end' },
    ]);
    expect(frames.map(({ type }) => type)).toEqual([
      ...['message_start', 'content_block_start', 'content_block_delta', 'content_block_delta'],
      ...['content_block_stop', 'message_delta', 'message_stop'],
    ]);
    expect(frames[0]?.message).toMatchObject({
      id: 'msg_881f0884d174495e884bbe8993df7247',
      type: 'message',
      role: 'assistant',
      model: 'gpt-6-luna',
      content: [],
      stop_reason: null,
      stop_details: null,
      container: null,
      diagnostics: null,
    });
    expect(frames.at(-2)).toEqual({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null, stop_details: null, container: null },
      usage: {
        input_tokens: 10,
        cache_creation_input_tokens: 10,
        cache_read_input_tokens: 5,
        output_tokens: 20,
        output_tokens_details: { thinking_tokens: 7 },
        server_tool_use: null,
      },
      fluxcompute: METADATA,
    });
    expect(framesOf(KEEP_ALIVE)).toEqual([{ type: 'ping' }]);
  });

  test('every way an answer can end', () => {
    const end = (...events: AnswerEvent[]) => written([start, ...events]).at(-2)?.delta;
    expect(end(stop('length'))).toMatchObject({ stop_reason: 'max_tokens' });
    expect(end(call(0), stop('tool_calls'))).toMatchObject({ stop_reason: 'tool_use' });
    expect(end({ type: 'stop', reason: 'stop', stopSequence: 'END' })).toMatchObject({
      stop_reason: 'stop_sequence',
      stop_sequence: 'END',
    });
    const refused = {
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: null, explanation: 'No.' },
    };
    expect(end({ type: 'refusal', text: 'No.' }, stop('stop'))).toMatchObject(refused);
    expect(end(stop('refusal'))).toMatchObject({
      stop_reason: 'refusal',
      stop_details: { explanation: null },
    });
  });

  test('traps T32: calls that come mixed with each other and with text stay whole, in their order', () => {
    const frames = written([
      start,
      text('Let me '),
      call(0, 'a'),
      args(0, '{"x":'),
      call(1, 'b'),
      args(1, '{"y":'),
      text('look.'),
      args(0, '1}'),
      args(1, '2}'),
      call(2, 'c'),
      stop('tool_calls'),
    ]);
    let open: number | null = null;
    const blocks: { start: unknown; said: string }[] = [];
    for (const frame of frames) {
      // One block at a time, and none out of turn.
      if (frame.type === 'content_block_start') {
        expect([open, frame.index]).toEqual([null, blocks.length]);
        open = blocks.length;
        blocks.push({ start: frame.content_block, said: '' });
      } else if (frame.type === 'content_block_delta') {
        expect(frame.index).toBe(open);
        const { text: words = '', partial_json = '' } = frame.delta as Record<string, string>;
        const block = blocks.at(-1);
        if (block) block.said += words + partial_json;
      } else if (frame.type === 'content_block_stop') {
        expect(frame.index).toBe(open);
        open = null;
      }
    }
    const tool = (id: string, name: string) => ({
      type: 'tool_use',
      id,
      name,
      input: {},
      caller: { type: 'direct' },
    });
    expect(blocks).toEqual([
      { start: { type: 'text', text: '', citations: null }, said: 'Let me ' },
      { start: tool('call_0', 'a'), said: '{"x":1}' },
      { start: tool('call_1', 'b'), said: '{"y":2}' },
      { start: { type: 'text', text: '', citations: null }, said: 'look.' },
      { start: tool('call_2', 'c'), said: '' },
    ]);
  });

  test('the first call streams as it comes, the others as soon as it is whole', () => {
    const writer = createStreamWriter(HEAD);
    const write = (event: AnswerEvent) => writer.write({ raw: '', events: [event] });
    write(start);
    expect(write(call(0))).toContain('content_block_start');
    expect(write(args(0, '{"x":'))).toContain('{\\"x\\":');
    expect(write(call(1))).toBe('');
    expect(write(args(1, '{}'))).toBe('');
    const released = write(args(0, '1}'));
    expect(released).toContain('1}');
    expect(released).toContain('call_1');
  });

  test('an id that this wire refuses is escaped', () => {
    const [, opened] = written([start, { type: 'tool_call', index: 0, id: 'functions.f:0', name: 'f' }]);
    expect(opened?.content_block).toMatchObject({ id: expect.stringMatching(/^[a-zA-Z0-9_-]+$/) });
  });

  test('thinking of this wire is shown whole, and of another not at all', () => {
    const thinking = { type: 'thinking', thinking: 'Hm.', signature: 'sig' };
    const frames = written([
      start,
      { type: 'block', block: { type: 'thinking', wire: 'anthropic-messages', raw: thinking } },
      { type: 'block', block: { type: 'thinking', wire: 'openai-responses', raw: { type: 'reasoning' } } },
      text('Yes.'),
    ]);
    const deltas = frames.filter(({ type }) => type === 'content_block_delta').map(({ delta }) => delta);
    expect(deltas).toEqual([
      { type: 'thinking_delta', thinking: 'Hm.' },
      { type: 'signature_delta', signature: 'sig' },
      { type: 'text_delta', text: 'Yes.' },
    ]);
  });

  test('what is written adds up to what was said, however the events are mixed', () => {
    const json = fc.json({ maxDepth: 1 });
    const events = fc
      .tuple(
        fc.array(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 4 }),
        fc.array(json, { maxLength: 3 }),
        fc.infiniteStream(fc.nat({ max: 9 })),
      )
      .map(([texts, calls, picks]) => {
        const queues: AnswerEvent[][] = [
          texts.map(text),
          ...calls.map((whole, index) => [
            call(index),
            ...(whole.match(/.{1,3}/gs) ?? []).map((part) => args(index, part)),
          ]),
        ];
        const mixed: AnswerEvent[] = [];
        let begun = 0;
        while (queues.some((queue) => queue.length > 0)) {
          const at = (picks.next().value ?? 0) % queues.length;
          // Calls begin in their order, whatever comes between.
          const queue = queues[at];
          if (at > begun + 1 || !queue?.length) continue;
          if (at === begun + 1) begun += 1;
          const event = queue.shift();
          if (event) mixed.push(event);
        }
        return mixed;
      });
    fc.assert(
      fc.property(events, (mixed) => {
        const all = [start, ...mixed, stop('stop')];
        const read = createEventReader();
        const again = written(all).flatMap((frame) => read({ data: JSON.stringify(frame) }));
        const { blocks } = assemble(again);
        const given = assemble(all).blocks.map((block) =>
          block.type === 'tool_call' && block.arguments === '' ? { ...block, arguments: '{}' } : block,
        );
        expect(blocks).toEqual(given);
      }),
    );
  });

  test('traps T30: an error ends it, and no message_stop follows', () => {
    const writer = createStreamWriter(HEAD);
    writer.write({ raw: '', events: [start, text('Pa')] });
    const error = new FluxError('Cut off.', { status: 502, code: 'stream_cut' });
    expect(framesOf(writer.fail(error))).toEqual([
      {
        type: 'error',
        error: { type: 'api_error', message: 'Cut off.', details: { error_code: 'stream_cut' } },
        request_id: null,
      },
    ]);
  });
});

test('a whole answer: no member of the message or its usage is absent', () => {
  const answer: Answer = {
    id: 'resp_1',
    model: 'gpt-6-luna',
    blocks: [
      { type: 'text', text: 'So.' },
      { type: 'tool_call', id: 'call_1', name: 'f', arguments: '{"x":1}' },
      { type: 'tool_call', id: 'call_2', name: 'f', arguments: 'broken' },
    ],
    stop: 'tool_calls',
    usage: USAGE,
  };
  expect(writeMessage(answer, HEAD, METADATA)).toEqual({
    id: 'msg_881f0884d174495e884bbe8993df7247',
    type: 'message',
    role: 'assistant',
    model: 'gpt-6-luna',
    content: [
      { type: 'text', text: 'So.', citations: null },
      { type: 'tool_use', id: 'call_1', name: 'f', input: { x: 1 }, caller: { type: 'direct' } },
      { type: 'tool_use', id: 'call_2', name: 'f', input: { _raw: 'broken' }, caller: { type: 'direct' } },
    ],
    stop_reason: 'tool_use',
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
    usage: {
      input_tokens: 10,
      cache_creation_input_tokens: 10,
      cache_read_input_tokens: 5,
      cache_creation: { ephemeral_5m_input_tokens: 4, ephemeral_1h_input_tokens: 6 },
      output_tokens: 20,
      output_tokens_details: { thinking_tokens: 7 },
      service_tier: 'standard',
      speed: 'standard',
      inference_geo: null,
      server_tool_use: null,
    },
    fluxcompute: METADATA,
  });
});

describe("this wire's own stream", () => {
  const RAW: [event: string | undefined, data: string][] = [
    ['message_start', '{"type": "message_start", "message": {"id":"msg_1", "n": 1.0}}'],
    ['ping', '{"type":"ping"}'],
    ['of_next_year', '{"type":"of_next_year",\n"x":1e400}'],
    ['message_delta', '{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":1}}'],
    [
      'message_delta',
      '{"type":"message_delta", "delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2} }',
    ],
    ['ping', '{"type":"ping"}'],
    ['message_stop', '{"type":"message_stop"}'],
  ];

  const relayed = (frames: typeof RAW): string => {
    const relay = createStreamRelay();
    const said = frames.map(([event, raw]) => relay.write({ raw, events: [], ...(event ? { event } : {}) }));
    return said.join('') + relay.finish(USAGE, METADATA);
  };

  test('traps T69: comes byte for byte, unknown events too; metadata rides on the last message_delta', () => {
    const bytes = RAW.map(([event, raw]) => `event: ${event}\ndata: ${raw.replaceAll('\n', '\ndata: ')}\n\n`);
    const told = ',"fluxcompute":{"request_id":"881f0884-d174-495e-884b-be8993df7247"}}';
    expect(relayed(RAW)).toBe(
      bytes.map((one, index) => (index === 4 ? one.replace(' }\n\n', ` ${told}\n\n`) : one)).join(''),
    );
  });

  test('of a server that names no events, and one that is slow with its end', () => {
    const frames = RAW.map(([, raw]): (typeof RAW)[number] => [undefined, raw]);
    expect(relayed(frames).split('"fluxcompute"')).toHaveLength(2);
    expect(relayed(RAW.slice(0, -1)).endsWith('event: message_stop\ndata: {"type":"message_stop"}\n\n')).toBe(
      true,
    );
  });
});
