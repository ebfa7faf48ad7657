import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Wire } from '../../src/core/routing/catalog.ts';
import type { CallOutcome } from '../../src/pipeline/ports.ts';
import { callProvider } from '../../src/providers/attempt.ts';
import { ANSWERS, callOf, json, startUpstream, type Upstream } from './upstream.ts';

let upstream: Upstream;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.close());

const WIRES: Wire[] = ['anthropic-messages', 'openai-responses', 'openai-chat'];
const OK = (wire: Wire) => json(200, ANSWERS[wire].body);
const claude = (type: string, message = 'words of the provider') => ({
  type: 'error',
  error: { type, message },
  request_id: 'req_9',
});
const gpt = (code: string | null, type = 'invalid_request_error', message = 'words of the provider') => ({
  error: { message, type, param: 'messages', code },
});

function failureOf(outcome: CallOutcome) {
  if (outcome.kind !== 'failed') throw new Error(`not failed: ${outcome.kind}`);
  return outcome.failure;
}

describe('what a provider answers', () => {
  test.each(WIRES)('%s: an answer is read, with the key and without a client’s headers', async (wire) => {
    upstream.replies = [json(200, ANSWERS[wire].body, { 'x-simulated-provider': 'yes' })];
    const outcome = await callProvider(callOf(wire, upstream.url));
    expect(outcome).toMatchObject({ kind: 'answer', simulated: true, failures: [] });
    expect(outcome.kind === 'answer' && outcome.answer).toMatchObject({
      blocks: [{ type: 'text', text: 'Paris it is.' }],
      usage: { fresh: 10, output: 4 },
    });
    const [request] = upstream.requests;
    expect(request?.body).toBe('{"model":"any","messages":[]}');
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer sk-test',
      'content-type': 'application/json',
    });
    if (wire === 'anthropic-messages') expect(request?.headers['anthropic-version']).toBe('2026-10-21');
  });

  test.each(WIRES)('%s: each request has its own body, and all have the same head', async (wire) => {
    upstream.replies = [OK(wire), OK(wire), OK(wire)];
    const bodies = ['{"n":1}', '{"n":2}', '{"n":3}'];
    for (const body of bodies) await callProvider({ ...callOf(wire, upstream.url), body });
    expect(upstream.requests.map((request) => request.body)).toEqual(bodies);
    const heads = upstream.requests.map(({ headers: { connection: _, ...rest } }) => rest);
    expect(heads[1]).toEqual(heads[0]);
    expect(heads[2]).toEqual(heads[0]);
  });

  // Status, body, what it is to us, and how often it is tried.
  test.each<[Wire, number, object | string, string, number]>([
    ['anthropic-messages', 400, claude('invalid_request_error'), 'rejected', 1],
    [
      'anthropic-messages',
      400,
      claude('invalid_request_error', 'Your credit balance is too low'),
      'quota',
      1,
    ],
    ['anthropic-messages', 401, claude('authentication_error'), 'auth', 1],
    ['anthropic-messages', 402, claude('billing_error'), 'quota', 1],
    ['anthropic-messages', 403, claude('permission_error'), 'auth', 1],
    ['anthropic-messages', 404, claude('not_found_error', 'model: claude-x'), 'model_unavailable', 1],
    ['anthropic-messages', 408, claude('timeout_error'), 'timeout', 3],
    ['anthropic-messages', 409, claude('conflict_error'), 'server_error', 3],
    ['anthropic-messages', 413, claude('request_too_large'), 'rejected', 1],
    ['anthropic-messages', 429, claude('rate_limit_error'), 'rate_limited', 3],
    ['anthropic-messages', 500, claude('api_error'), 'server_error', 3],
    ['anthropic-messages', 504, claude('timeout_error'), 'timeout', 1],
    ['anthropic-messages', 529, claude('overloaded_error'), 'overloaded', 3],
    ['openai-responses', 400, gpt('unsupported_parameter'), 'rejected', 1],
    ['openai-responses', 401, gpt('invalid_api_key'), 'auth', 1],
    ['openai-responses', 403, gpt('no_access'), 'auth', 1],
    ['openai-responses', 403, gpt('unsupported_country'), 'egress_blocked', 1],
    ['openai-responses', 404, gpt('model_not_found'), 'model_unavailable', 1],
    ['openai-responses', 422, gpt('unprocessable'), 'rejected', 1],
    ['openai-responses', 429, gpt('rate_limit_exceeded', 'requests'), 'rate_limited', 3],
    ['openai-responses', 429, gpt('insufficient_quota', 'insufficient_quota'), 'quota', 1],
    ['openai-responses', 500, gpt(null, 'server_error'), 'server_error', 3],
    ['openai-responses', 503, gpt('slow_down', 'server_error'), 'overloaded', 3],
    ['openai-chat', 400, gpt('context_length_exceeded'), 'rejected', 1],
    ['openai-chat', 502, '<html>Bad Gateway</html>', 'server_error', 3],
  ])('%s %i is tried as often as it may help', async (wire, status, body, kind, tries) => {
    const headers = { 'request-id': 'req_9', 'x-request-id': 'req_9', 'x-simulated-provider': 'yes' };
    upstream.replies = [json(status, body, headers)];
    const outcome = await callProvider(callOf(wire, upstream.url));
    expect(outcome.simulated).toBe(true);
    expect(failureOf(outcome)).toMatchObject({ kind, status, requestId: 'req_9' });
    expect(upstream.requests).toHaveLength(tries);
    expect(outcome.failures).toHaveLength(tries - 1);
    for (const failure of outcome.failures) expect(failure).toMatchObject({ kind, status });
    if (typeof body === 'object')
      expect(failureOf(outcome).message).toMatch(/words of the provider|claude-x|credit/);
  });

  test.each(WIRES)('%s: a try that works after two that did not is the answer', async (wire) => {
    upstream.replies = [json(500, {}), json(429, {}), OK(wire)];
    const outcome = await callProvider(callOf(wire, upstream.url));
    expect(outcome).toMatchObject({
      kind: 'answer',
      failures: [
        { kind: 'server_error', status: 500 },
        { kind: 'rate_limited', status: 429 },
      ],
    });
  });

  test.each([
    ['retry-after-ms', '60', 60],
    ['retry-after', '0.06', 60],
  ])('%s is obeyed', async (name, value, ms) => {
    upstream.replies = [json(429, {}, { [name]: value }), OK('openai-chat')];
    const outcome = await callProvider(callOf('openai-chat', upstream.url));
    expect(outcome.kind).toBe('answer');
    const [first, second] = upstream.requests;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(ms - 2);
  });

  test('a retry-after longer than ten seconds is not waited for, but told', async () => {
    upstream.replies = [json(429, gpt('rate_limit_exceeded'), { 'retry-after': '31' })];
    const outcome = await callProvider(callOf('openai-responses', upstream.url));
    expect(failureOf(outcome)).toMatchObject({ kind: 'rate_limited', retryAfter: 31 });
    expect(upstream.requests).toHaveLength(1);
  });

  test('x-should-retry is the last word', async () => {
    upstream.replies = [json(500, {}, { 'x-should-retry': 'false' })];
    await callProvider(callOf('openai-responses', upstream.url));
    expect(upstream.requests).toHaveLength(1);

    upstream.replies = [json(400, {}), json(400, {}, { 'x-should-retry': 'true' }), OK('openai-chat')];
    const outcome = await callProvider(callOf('openai-chat', upstream.url));
    expect(outcome).toMatchObject({ kind: 'answer', failures: [{ status: 400 }] });
  });

  test('a redirect is not followed: the URL comes from the settings', async () => {
    const elsewhere = await startUpstream();
    elsewhere.replies = [OK('openai-chat')];
    upstream.replies = [json(307, '', { location: `${elsewhere.url}/chat/completions` })];
    const outcome = await callProvider(callOf('openai-chat', upstream.url));
    expect(failureOf(outcome)).toMatchObject({ kind: 'server_error', status: 307 });
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });

  test('a key that is not set is never sent for', async () => {
    const call = callOf('anthropic-messages', upstream.url);
    const { apiKey: _unset, ...provider } = call.provider;
    const outcome = await callProvider({ ...call, provider });
    expect(failureOf(outcome)).toMatchObject({ kind: 'auth', code: 'missing_key' });
    expect(upstream.requests).toEqual([]);
  });
});

describe('what happens to the connection', () => {
  test.each(WIRES)('%s: no answer in time is one failure, and the connection is given up', async (wire) => {
    upstream.replies = [() => {}];
    const outcome = await callProvider(callOf(wire, upstream.url, { timeouts: { firstByte: 200 } }));
    expect(failureOf(outcome)).toMatchObject({ kind: 'timeout', status: 0 });
    expect(upstream.requests).toHaveLength(1);
    await expect.poll(() => upstream.left).toBe(1);
  });

  test.each([200, 500])('a %i whose body never ends is a time-out too', async (status) => {
    upstream.replies = [
      (response) => {
        response.writeHead(status, { 'content-type': 'application/json' }).write('{"id":');
      },
    ];
    for (const stream of [false, true]) {
      const outcome = await callProvider(
        callOf('openai-chat', upstream.url, { stream, timeouts: { firstByte: 200 } }),
      );
      expect(failureOf(outcome)).toMatchObject({ kind: 'timeout' });
    }
    await expect.poll(() => upstream.left).toBe(2);
  });

  test('traps T31: a client that leaves is waited for no longer, and nothing is tried again', async () => {
    upstream.replies = [() => {}];
    for (const stream of [false, true]) {
      const leaving = new AbortController();
      const calling = callProvider(
        callOf('anthropic-messages', upstream.url, { stream, signal: leaving.signal }),
      );
      await expect.poll(() => upstream.requests.length).toBe(stream ? 2 : 1);
      leaving.abort();
      expect(failureOf(await calling)).toMatchObject({ kind: 'client_left', status: 0 });
    }
    expect(upstream.requests).toHaveLength(2);
    await expect.poll(() => upstream.left).toBe(2);
  });

  test('a reset connection is tried again', async () => {
    upstream.replies = [(response) => response.socket?.resetAndDestroy(), OK('anthropic-messages')];
    const outcome = await callProvider(callOf('anthropic-messages', upstream.url));
    expect(outcome).toMatchObject({ kind: 'answer', failures: [{ kind: 'unreachable', status: 0 }] });
  });

  test('a body cut in the middle is tried again', async () => {
    upstream.replies = [
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '999' });
        response.write('{"id":', () => response.destroy());
      },
      OK('openai-responses'),
    ];
    const outcome = await callProvider(callOf('openai-responses', upstream.url));
    expect(outcome).toMatchObject({ kind: 'answer', failures: [{ kind: 'unreachable', status: 0 }] });
  });

  test('nobody listening: three tries, then it is said', async () => {
    const gone = await startUpstream();
    await gone.close();
    const outcome = await callProvider(callOf('openai-chat', gone.url));
    expect(failureOf(outcome)).toMatchObject({ kind: 'unreachable', status: 0 });
    expect(outcome.failures).toHaveLength(2);
  });
});

describe('traps T28: a 200 that is none', () => {
  test.each<[string, Wire, object | string, object]>([
    [
      'Anthropic, overloaded',
      'anthropic-messages',
      claude('overloaded_error'),
      { kind: 'overloaded', status: 529 },
    ],
    [
      'Anthropic, invalid',
      'anthropic-messages',
      claude('invalid_request_error'),
      { kind: 'rejected', status: 400 },
    ],
    [
      'OpenAI, a failed response',
      'openai-responses',
      { id: 'resp_1', status: 'failed', error: { code: 'rate_limit_exceeded', message: 'slow down' } },
      { kind: 'rate_limited', status: 429 },
    ],
    [
      'OpenAI, an error object',
      'openai-chat',
      gpt(null, 'server_error'),
      { kind: 'server_error', status: 500 },
    ],
    ['no JSON', 'openai-chat', '{"id": "x", "choices": [', { kind: 'server_error', code: 'not_json' }],
    ['nothing', 'anthropic-messages', '', { kind: 'server_error', code: 'not_json' }],
    ['another shape', 'openai-responses', { hello: 'world' }, { kind: 'server_error', status: 502 }],
  ])('in JSON: %s', async (_name, wire, body, failure) => {
    upstream.replies = [json(200, body)];
    for (const stream of [false, true]) {
      const outcome = await callProvider(callOf(wire, upstream.url, { stream }));
      expect(failureOf(outcome)).toMatchObject(failure);
      expect(JSON.stringify(outcome)).not.toContain('"x"');
    }
  });
});
