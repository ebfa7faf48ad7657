import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AnswerEvent } from '../../src/core/answer.ts';
import type { Wire } from '../../src/core/routing/catalog.ts';
import { callProvider } from '../../src/providers/attempt.ts';
import {
  ANSWERS,
  callOf,
  chunk,
  json,
  type Reply,
  read,
  sse,
  startUpstream,
  textOf,
  type Upstream,
} from './upstream.ts';

let upstream: Upstream;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.close());

const WIRES: Wire[] = ['anthropic-messages', 'openai-responses', 'openai-chat'];
const streamOf = (wire: Wire, timeouts = {}) => callOf(wire, upstream.url, { stream: true, timeouts });
const whole = (wire: Wire): Reply => {
  const { start, said, end } = ANSWERS[wire];
  return sse([...start, ...said, ...end]);
};

/** The first words of a model that thinks. */
const THOUGHT: Record<Wire, object[]> = {
  'anthropic-messages': [
    {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'thinking', thinking: '', signature: '' },
    },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'France, then.' } },
  ],
  'openai-responses': [
    { type: 'response.reasoning_summary_text.delta', output_index: 0, delta: 'France, then.' },
  ],
  'openai-chat': [chunk({ reasoning_content: 'France, then.' })],
};

describe.each(WIRES)('a stream over %s', (wire) => {
  const { start, said, end } = ANSWERS[wire];

  test('is read frame by frame, each as it came', async () => {
    upstream.replies = [whole(wire)];
    const { outcome, frames, broke } = await read(streamOf(wire));
    expect([outcome.kind, broke, textOf(frames)]).toEqual(['stream', null, 'Paris it is.']);
    expect(frames.map((frame) => JSON.parse(frame.raw))).toEqual([...start, ...said, ...end]);
    expect(frames.flatMap((frame) => frame.events)).toContainEqual({
      type: 'usage',
      usage: expect.objectContaining({ fresh: 10, output: 4 }),
    });
  });

  test('is read to the end of its body, which nobody waits for: the connection can be used again', async () => {
    let open: ServerResponse | undefined;
    upstream.replies = [
      (response, request) => {
        sse([...start, ...said, ...end], 'silence')(response, request);
        if (wire === 'openai-chat') response.write('data: [DONE]\n\n');
        open = response;
      },
    ];
    expect((await read(streamOf(wire))).broke).toBe(null);
    expect(open?.writableEnded).toBe(false);
    open?.end();
    await expect.poll(() => open?.writableFinished).toBe(true);
    expect(upstream.left).toBe(0);
  });

  test('shows thinking as it comes to a client of its wire, and only then is not tried again', async () => {
    const thinking = [...start.slice(0, 1), ...THOUGHT[wire]];
    upstream.replies = [sse(thinking, 'silence'), sse(thinking, 'cut'), whole(wire)];
    const shown = await callProvider({ ...streamOf(wire), showsThinking: true });
    if (shown.kind !== 'stream') throw new Error('no stream');
    const { value } = await shown.stream.frames.next();
    expect(JSON.stringify(value)).toContain('France, then.');
    shown.stream.abort();
    expect((await read(streamOf(wire))).outcome.failures).toMatchObject([{ code: 'stream_cut' }]);
  });

  test('cut before it says anything: tried again', async () => {
    upstream.replies = [sse(start, 'cut'), sse(start), whole(wire)];
    const { outcome, frames } = await read(streamOf(wire));
    expect(outcome.failures).toMatchObject([{ kind: 'unreachable' }, { kind: 'unreachable' }]);
    expect(textOf(frames)).toBe('Paris it is.');
  });

  test.each(['cut', 'end'] as const)('that %ss in the middle is reported, not tried again', async (how) => {
    upstream.replies = [sse([...start, ...said], how), whole(wire)];
    const { outcome, frames, broke } = await read(streamOf(wire));
    expect(outcome.failures).toEqual([]);
    expect(textOf(frames)).toBe('Paris it is.');
    expect(broke).toMatchObject({ kind: 'unreachable', code: 'stream_cut' });
    expect(upstream.requests).toHaveLength(1);
  });

  test('that says nothing for too long is a time-out, before and after its first word', async () => {
    upstream.replies = [sse(start, 'silence'), sse([...start, ...said], 'silence')];
    const before = await read(streamOf(wire, { idle: 200 }));
    expect(before.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'timeout' } });
    const after = await read(streamOf(wire, { idle: 200 }));
    expect(after.broke).toMatchObject({ kind: 'timeout' });
    expect(upstream.requests).toHaveLength(2);
    await expect.poll(() => upstream.left).toBe(2);
  });

  test('traps T28: an error in its first frame is an error, and tried again', async () => {
    const error =
      wire === 'anthropic-messages'
        ? { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }
        : wire === 'openai-responses'
          ? { type: 'error', code: 'slow_down', message: 'Overloaded', param: null }
          : { error: { message: 'Overloaded', type: 'server_error', code: 'slow_down' } };
    upstream.replies = [sse([error]), sse([...start, error]), whole(wire)];
    const { outcome, frames } = await read(streamOf(wire));
    expect(outcome.failures).toMatchObject([{ kind: 'overloaded' }, { kind: 'overloaded' }]);
    expect(textOf(frames)).toBe('Paris it is.');
  });

  test('traps T29: an error after its first word ends it', async () => {
    let open: ServerResponse | undefined;
    upstream.replies = [
      (response, request) => {
        sse([...start, ...said], 'silence')(response, request);
        open = response;
      },
    ];
    const outcome = await callProvider(streamOf(wire));
    if (outcome.kind !== 'stream') throw new Error('no stream');
    open?.end('data: {"type":"error","error":{"type":"api_error","message":"Broken"}}\n\n');
    const events: AnswerEvent[] = [];
    for await (const batch of outcome.stream.frames) {
      events.push(...batch.flatMap((frame) => frame.events));
      if (events.at(-1)?.type === 'error') break;
    }
    expect(events).toContainEqual({ type: 'text', text: 'Paris' });
    expect(events.at(-1)).toMatchObject({ type: 'error', status: 500 });
    expect(upstream.requests).toHaveLength(1);
  });

  test('that is no stream is one all the same: some servers answer whole', async () => {
    upstream.replies = [json(200, ANSWERS[wire].body)];
    const { outcome, frames, broke } = await read(streamOf(wire));
    expect([outcome.kind, textOf(frames), broke]).toEqual(['stream', 'Paris it is.', null]);
    expect(frames.flatMap((frame) => frame.events).map((event) => event.type)).toEqual([
      'start',
      'text',
      'usage',
      'stop',
      'end',
    ]);
    expect(upstream.requests).toHaveLength(1);
  });

  test('that is refused: the status counts', async () => {
    upstream.replies = [json(529, {}), json(400, {})];
    const { outcome } = await read(streamOf(wire));
    expect(outcome).toMatchObject({
      kind: 'failed',
      failures: [{ kind: 'overloaded' }],
      failure: { kind: 'rejected', status: 400 },
    });
  });

  test('traps T31: letting go closes the connection, also while nothing comes', async () => {
    upstream.replies = [sse([...start, ...said], 'silence')];
    const outcome = await callProvider(streamOf(wire));
    if (outcome.kind !== 'stream') throw new Error('no stream');
    const reading = (async () => {
      for await (const _batch of outcome.stream.frames);
    })();
    outcome.stream.abort();
    await reading;
    await expect.poll(() => upstream.left).toBe(1);
  });
});

describe('traps T27: usage that does not come', () => {
  test('an answer that is whole waits two seconds for it, whatever keeps the connection warm', async () => {
    const { start, said } = ANSWERS['openai-chat'];
    upstream.replies = [
      (response, request) => {
        sse([...start, ...said, chunk({}, 'stop')], 'silence')(response, request);
        const comments = setInterval(() => response.write(': still here\n\n'), 100);
        response.once('close', () => clearInterval(comments));
      },
    ];
    const begun = performance.now();
    const { frames, broke } = await read(streamOf('openai-chat'));
    expect([textOf(frames), broke]).toEqual(['Paris it is.', null]);
    expect(performance.now() - begun).toBeGreaterThan(1_900);
    await expect.poll(() => upstream.left).toBe(1);
  });

  test('the end of the wire is the end, with the connection open and no usage', async () => {
    const { start, said } = ANSWERS['openai-chat'];
    upstream.replies = [
      (response, request) => {
        sse([...start, ...said, chunk({}, 'stop')], 'silence')(response, request);
        response.write('data: [DONE]\n\n');
      },
    ];
    const { frames, broke } = await read(streamOf('openai-chat'));
    expect([frames.at(-1)?.events, broke]).toEqual([[{ type: 'end' }], null]);
  });

  test('of several choices the slowest is waited for', async () => {
    upstream.replies = [
      (response, request) => {
        const first = [chunk({ content: 'One.' }), chunk({ content: 'T' }, null, 1), chunk({}, 'stop')];
        sse(first, 'silence')(response, request);
        setTimeout(
          () => sse([chunk({ content: 'wo.' }, null, 1), chunk({}, 'stop', 1)])(response, request),
          2_300,
        );
      },
    ];
    const { frames, broke } = await read(streamOf('openai-chat'));
    expect(broke).toBeNull();
    expect(frames.map((frame) => frame.raw).join('')).toContain('wo.');
  });
});
