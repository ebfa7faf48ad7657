import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ANSWERS, json, sse, startUpstream, type Upstream } from '../providers/upstream.ts';
import { gatewayOf } from './gateway.ts';

/* POST /v1/messages at its edges: what goes up, and what comes back where a provider says no. */

let upstream: Upstream;
let claude: ReturnType<typeof gatewayOf>;
let gpt: ReturnType<typeof gatewayOf>;
beforeAll(async () => {
  upstream = await startUpstream();
  claude = gatewayOf({ ANTHROPIC_BASE_URL: upstream.url });
  gpt = gatewayOf({
    ANTHROPIC_API_KEY: '',
    OPENAI_API_KEY: 'sk-CANARY',
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    FLUX_TIERS: JSON.stringify({ easy: ['gpt-6-luna'], medium: ['gpt-6-luna'], hard: ['gpt-6-luna'] }),
  });
});
afterAll(() => upstream.close());
beforeEach(() => {
  upstream.requests.length = 0;
});

const ask = {
  model: 'auto',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'What is the capital of France?' }],
};

async function send(
  gateway: typeof claude,
  body: object,
  headers: Record<string, string> = {},
  path = '/v1/messages?beta=true',
) {
  const response = await gateway.request(path, { method: 'POST', body: JSON.stringify(body), headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text };
}

describe("a provider's errors", () => {
  const refusal = {
    type: 'error',
    error: {
      type: 'invalid_request_error',
      message: '`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.',
      details: { error_code: 'thinking_modified', of_next_year: 1 },
    },
    request_id: 'req_011CSHoEeqs5C35K2UUqR7Fy',
  };

  test.each([400, 404, 413, 422, 429, 500, 529])(
    'traps T69: a %d of the same wire comes as it was',
    async (status) => {
      const id = { 'request-id': refusal.request_id, 'x-should-retry': 'false' };
      upstream.replies = [json(status, refusal, id)];
      const answer = await send(claude, ask);
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.text)).toEqual(refusal);
      expect(answer.headers.get('request-id')).toBe(refusal.request_id);
    },
  );

  test('traps T48: a key that is quoted in one is not', async () => {
    const quoting = {
      type: 'error',
      error: { type: 'api_error', message: 'for sk-ant-CANARY', x: ['sk-ant-CANARY'] },
    };
    upstream.replies = [json(400, quoting)];
    const { text } = await send(claude, ask);
    expect(JSON.parse(text).error).toEqual({ type: 'api_error', message: 'for [key]', x: ['[key]'] });
  });

  test.each([
    [401, 'authentication_error', 502, 'provider_auth'],
    [402, 'billing_error', 503, 'provider_quota'],
    [403, 'permission_error', 502, 'provider_auth'],
  ])("a %d about the gateway's own key is told in our words", async (status, type, seen, code) => {
    upstream.replies = [
      json(status, { type: 'error', error: { type, message: 'invalid x-api-key SECRET' } }),
    ];
    const answer = await send(claude, ask);
    expect(answer.status).toBe(seen);
    expect(JSON.parse(answer.text)).toMatchObject({
      type: 'error',
      error: { type: 'api_error', details: { error_code: code } },
    });
    expect(answer.text).not.toContain('SECRET');
  });

  test("another provider's has this wire's shape, with its status and words", async () => {
    upstream.replies = [
      json(400, { error: { message: 'Too odd.', type: 'invalid_request_error', param: null, code: 'odd' } }),
    ];
    const { status, text } = await send(gpt, ask);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toEqual({
      type: 'error',
      error: { type: 'invalid_request_error', message: 'Too odd.', details: { error_code: 'odd' } },
      request_id: null,
    });
  });

  test('traps T28, T30: in a stream, before its first word and after it', async () => {
    const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const { start, said } = ANSWERS['anthropic-messages'];
    upstream.replies = [sse([...start, overloaded])];
    const before = await send(claude, { ...ask, stream: true });
    expect(before.status).toBe(529);
    expect(JSON.parse(before.text)).toMatchObject(overloaded);
    upstream.requests.length = 0;
    upstream.replies = [
      (response, request) => {
        sse([...start, ...said], 'silence')(response, request);
        // In a packet of its own: what stands before it is out by then.
        setTimeout(() => sse([overloaded])(response, request), 50);
      },
    ];
    const after = await send(claude, { ...ask, stream: true });
    expect(after.status).toBe(200);
    expect(after.text).toContain('Paris');
    expect(after.text).not.toContain('message_stop');
    const last = after.text.trimEnd().split('\n\n').at(-1) ?? '';
    expect(last).toMatch(/^event: error\n/);
    expect(JSON.parse(last.slice(last.indexOf('{')))).toMatchObject(overloaded);
  });
});

test('what a model thinks is shown as it comes, not only once it speaks', async () => {
  const { start, said, end } = ANSWERS['anthropic-messages'];
  const thinking = { type: 'thinking_delta', thinking: 'France, then.' };
  let speak = () => {};
  upstream.replies = [
    (response, request) => {
      const block = { type: 'thinking', thinking: '', signature: '' };
      const thought = [
        { type: 'content_block_start', index: 0, content_block: block },
        { type: 'content_block_delta', index: 0, delta: thinking },
      ];
      sse([...start.slice(0, 1), ...thought], 'silence')(response, request);
      speak = () => sse([{ type: 'content_block_stop', index: 0 }, ...said, ...end])(response, request);
    },
  ];
  const body = JSON.stringify({ ...ask, stream: true });
  const answer = await claude.request('/v1/messages', { method: 'POST', body });
  const text = answer.body?.pipeThrough(new TextDecoderStream());
  let shown = '';
  for await (const piece of text ?? []) {
    shown += piece;
    if (!shown.includes(thinking.thinking)) continue;
    speak();
    speak = () => {};
  }
  expect(shown).toMatch(/France, then\..*Paris.*message_stop/s);
});

test('traps T69: a silent provider is bridged with pings', async () => {
  upstream.replies = [
    (response, request) => {
      const { start, said, end } = ANSWERS['anthropic-messages'];
      setTimeout(() => sse([...start, ...said, ...end])(response, request), 200);
    },
  ];
  const impatient = gatewayOf({ ANTHROPIC_BASE_URL: upstream.url, FLUX_KEEP_ALIVE_MS: '20' });
  const { text } = await send(impatient, { ...ask, stream: true });
  expect(text.startsWith('event: ping\ndata: {"type":"ping"}\n\n')).toBe(true);
  expect(text.trimEnd().endsWith('data: {"type":"message_stop"}')).toBe(true);
});

describe('what goes up', () => {
  const headers = {
    'anthropic-version': '2023-06-01',
    'anthropic-beta': 'context-1m-2025-08-07, files-api-2025-04-14,of-next-year-2027-01-01,x y',
    'anthropic-workspace-id': 'wrkspc_1',
    'x-stainless-lang': 'js',
    'user-agent': 'Anthropic/JS 0.50',
    cookie: 'secret=1',
    'x-claude-code-session-id': 'session-1',
  };

  test('traps T39, T68: of headers the betas alone, and a version that fits the body', async () => {
    upstream.replies = [json(200, ANSWERS['anthropic-messages'].body)];
    const { status, headers: told } = await send(claude, ask, headers);
    expect(status).toBe(200);
    expect(told.get('x-fluxcompute-session')).toBe('session-1');
    const sent = upstream.requests[0]?.headers ?? {};
    expect(sent['anthropic-beta']).toBe('context-1m-2025-08-07,of-next-year-2027-01-01');
    expect(sent['anthropic-version']).toBe('2026-10-21');
    for (const name of ['anthropic-workspace-id', 'cookie', 'x-claude-code-session-id'])
      expect(sent).not.toHaveProperty(name);
    expect(JSON.stringify(sent)).not.toContain('0.50');
    // Those of one request are not those of the next.
    await send(claude, ask);
    expect(upstream.requests[1]?.headers).not.toHaveProperty('anthropic-beta');
  });

  test('to another provider none of it', async () => {
    upstream.replies = [json(200, ANSWERS['openai-responses'].body)];
    const { status, text } = await send(gpt, { ...ask, metadata: { user_id: 'ada@example.com' } }, headers);
    expect(status).toBe(200);
    const [sent] = upstream.requests;
    expect(Object.keys(sent?.headers ?? {}).filter((name) => name.startsWith('anthropic'))).toEqual([]);
    expect(sent?.body).not.toContain('ada@example.com');
    expect(JSON.parse(text).fluxcompute.adapted).toEqual([{ field: 'anthropic-beta', action: 'dropped' }]);
  });

  test('what only Anthropic has is a 400 that names it where there is no such model', async () => {
    const { status, text } = await send(gpt, {
      ...ask,
      tools: [{ type: 'web_search_20260318', name: 'web_search' }],
    });
    expect(status).toBe(400);
    expect(JSON.parse(text).error.message).toContain(
      "'tools.0' only works on models behind Anthropic's Messages API",
    );
    expect(upstream.requests).toEqual([]);
  });

  test('traps T56: a stored object is a 400 in this shape too', async () => {
    const file = {
      role: 'user',
      content: [{ type: 'document', source: { type: 'file', file_id: 'file_1' } }],
    };
    const { status, text } = await send(claude, { ...ask, messages: [file] }, headers);
    expect(status).toBe(400);
    expect(JSON.parse(text).error).toMatchObject({
      type: 'invalid_request_error',
      message: expect.stringContaining('messages[0].content[0].source.file_id'),
      details: { error_code: 'stored_object' },
    });
    expect((await send(claude, ask, {}, '/v1/messages/batches')).text).toContain('"type":"error"');
  });
});
