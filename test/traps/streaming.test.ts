import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { gatewayOf } from '../http/gateway.ts';
import { framesOf, metadataOf } from '../journeys/frames.ts';
import { ANSWERS, chunk, json, sse, startUpstream, type Upstream } from '../providers/upstream.ts';

let upstream: Upstream;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.close());

const { start, said, end } = ANSWERS['anthropic-messages'];
const ask = { model: 'auto', messages: [{ role: 'user', content: 'Hi' }], stream: true };
const gateway = (variables: Record<string, string> = {}) =>
  gatewayOf({ ANTHROPIC_BASE_URL: upstream.url, ...variables });

type Chunk = { choices: { delta: { role?: string; content?: string } }[]; error?: { code: string } };
// The wire's own chunks.
const chunksOf = (text: string) => framesOf(text).filter((frame) => frame !== '[DONE]') as Chunk[];
const textOf = (chunks: Chunk[]) => chunks.map(({ choices }) => choices?.[0]?.delta.content ?? '').join('');

test('traps T28: what breaks before the first word goes to the next tier, and the client sees one answer', async () => {
  const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
  upstream.replies = [
    sse([error]),
    sse([...start, error]),
    sse(start, 'cut'),
    sse([...start, ...said, ...end]),
  ];
  const { chat, rows, settled } = gateway();
  const chunks = chunksOf(await (await chat(ask)).text());
  expect(textOf(chunks)).toBe('Paris it is.');
  expect(chunks.filter(({ choices }) => choices[0]?.delta.role)).toHaveLength(1);
  expect(metadataOf(chunks)).toMatchObject({ reason: 'escalated', escalations: [{ why: 'unreachable' }] });
  await settled();
  expect(rows).toMatchObject([
    {
      state: 'ok',
      attempts: [
        { model: 'claude-haiku-5-5', why: 'overloaded' },
        { model: 'claude-haiku-5-5', why: 'overloaded' },
        { model: 'claude-haiku-5-5', why: 'unreachable' },
        { tier: 'medium', why: null },
      ],
    },
  ]);
});

test('traps T29, T30: after the first word it is the dialect’s error, no second answer and no [DONE]', async () => {
  let open: ServerResponse | undefined;
  upstream.replies = [
    (response, request) => {
      sse([...start, ...said], 'silence')(response, request);
      open = response;
    },
  ];
  const { chat, rows, settled } = gateway();
  const response = await chat(ask);
  open?.destroy();
  const text = await response.text();
  const chunks = chunksOf(text);
  expect(chunks.at(-1)?.error?.code).toBe('stream_cut');
  expect(text).not.toContain('[DONE]');
  expect(upstream.requests).toHaveLength(1);
  await settled();
  expect(rows).toMatchObject([
    { state: 'failed', status: 502, error_code: 'stream_cut', estimated: ['cost', 'baseline'] },
  ]);
});

test('traps T27: an answer without usage ends all the same, its cost estimated', async () => {
  const wire = ANSWERS['openai-chat'];
  upstream.replies = [sse([...wire.start, ...wire.said, chunk({}, 'stop')], 'silence')];
  const { chat } = gateway({
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: upstream.url,
    FLUX_TIERS: '{"easy":["gpt-4.1"],"medium":["gpt-4.1"],"hard":["gpt-4.1"]}',
  });
  const chunks = chunksOf(await (await chat({ ...ask, stream_options: { include_usage: true } })).text());
  expect(textOf(chunks)).toBe('Paris it is.');
  expect(metadataOf(chunks).estimated).toContain('cost');
  expect(metadataOf(chunks).cost_usd).toBeGreaterThan(0);
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } });
});

test('traps T69: a silent provider: the stream begins with comments, and goes on with the answer', async () => {
  upstream.replies = [
    (response, request) => {
      setTimeout(() => sse([...start, ...said, ...end])(response, request), 300);
    },
  ];
  const { chat } = gateway({ FLUX_KEEP_ALIVE_MS: '50' });
  const response = await chat(ask);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  expect(response.headers.get('x-fluxcompute-request-id')).toBeTruthy();
  const text = await response.text();
  expect(text).toMatch(/^(: keep-alive\n\n)+data: /);
  expect(textOf(chunksOf(text))).toBe('Paris it is.');
});

test('traps T69: an error that comes after the comments is an error event', async () => {
  upstream.replies = [
    (response, request) => {
      const body = { type: 'error', error: { type: 'invalid_request_error', message: 'too odd' } };
      setTimeout(() => json(400, body)(response, request), 300);
    },
  ];
  const { chat, rows, settled } = gateway({ FLUX_KEEP_ALIVE_MS: '50' });
  const response = await chat(ask);
  expect(response.status).toBe(200);
  const text = await response.text();
  expect(text).toMatch(/^(: keep-alive\n\n)+data: \{"error":\{"message":"too odd"/);
  expect(text).not.toContain('[DONE]');
  await settled();
  expect(rows).toMatchObject([{ state: 'failed', status: 400 }]);
});
