import { describe, expect, test } from 'vitest';
import { gatewayOf } from './gateway.ts';

const ask = { model: 'auto', messages: [{ role: 'user', content: 'Hi' }] };

interface Refusal {
  error: { message: string; type: string; param: string | null; code: string };
}

async function refusalOf(response: Response): Promise<Refusal['error']> {
  const body = (await response.json()) as Refusal;
  expect(Object.keys(body.error).sort()).toEqual(['code', 'message', 'param', 'type']);
  expect(response.headers.get('x-fluxcompute-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  return body.error;
}

describe('who may ask', () => {
  test.each([
    ['no key', null, 401, 'missing_api_key'],
    ['a wrong key', 'flx_wrong_key', 401, 'invalid_api_key'],
    ['a provider key', 'sk-ant-CANARY', 401, 'invalid_api_key'],
    ['a key without the scope', 'flx_reader_key', 403, 'missing_scope'],
    ['the admin key, which has no infer', 'flx_admin_key', 403, 'missing_scope'],
  ])('%s', async (_name, key, status, code) => {
    const response = await gatewayOf().chat(ask, {}, key);
    expect(response.status).toBe(status);
    expect(await refusalOf(response)).toMatchObject({ code });
  });

  test('each route wants its scope', async () => {
    const { request } = gatewayOf();
    const status = async (path: string, key: string) => (await request(path, {}, key)).status;
    expect(await status('/v1/models', 'flx_agent_key')).toBe(200);
    expect(await status('/v1/models', 'flx_reader_key')).toBe(403);
    expect(await status('/v1/models/auto', 'flx_reader_key')).toBe(403);
    expect(await status('/api/metrics/summary', 'flx_agent_key')).toBe(403);
    expect(await status('/api/metrics/summary?customer=acme', 'flx_other_key')).toBe(403);
    expect(await status('/api/metrics/summary', 'flx_admin_key')).toBe(400);
  });

  test('x-api-key works as well as a bearer token', async () => {
    const { request } = gatewayOf();
    expect((await request('/v1/models', { headers: { 'x-api-key': 'flx_agent_key' } }, null)).status).toBe(
      200,
    );
  });
});

describe('what is asked', () => {
  test.each([
    ['not JSON', '{"model":', 400, 'invalid_json', null],
    ['nothing', '', 400, 'invalid_json', null],
    ['a list', '[]', 400, 'invalid_value', null],
    [
      'nested a million deep',
      `{"model":"auto","messages":${'['.repeat(1e6)}${']'.repeat(1e6)}}`,
      400,
      'too_deep',
      null,
    ],
    ['no messages', { model: 'auto' }, 400, 'missing_required_parameter', 'messages'],
    ['an unknown model', { ...ask, model: 'gpt-99' }, 404, 'model_not_found', 'model'],
    [
      'a stored file',
      { ...ask, messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] },
      400,
      'stored_object',
      'messages[0].content[0].file.file_id',
    ],
    [
      'a stored response',
      { ...ask, previous_response_id: 'resp_1' },
      400,
      'stored_object',
      'previous_response_id',
    ],
    ['an answer left at the provider', { ...ask, background: true }, 400, 'stored_object', 'background'],
    ['a stored prompt', { ...ask, prompt: { id: 'pmpt_1' } }, 400, 'stored_object', 'prompt.id'],
    ['several answers', { ...ask, n: 2 }, 400, 'unsupported_value', 'n'],
    ['log probabilities', { ...ask, logprobs: true }, 400, 'unsupported_value', 'logprobs'],
  ])('%s', async (_name, body, status, code, param) => {
    const response = await gatewayOf().chat(body);
    expect(response.status).toBe(status);
    expect(await refusalOf(response)).toMatchObject({ code, param });
  });

  test('a retired model: its successor is named, and what there is', async () => {
    const error = await refusalOf(await gatewayOf().chat({ ...ask, model: 'claude-3-5-haiku-20241022' }));
    expect(error.message).toMatch(/retired .* Use claude-haiku-5-5.*auto:easy/);
  });

  test.each([
    ['by its length header', { 'content-length': '5000' }],
    ['as it arrives', {}],
  ])('a body over the limit, %s', async (_name, headers) => {
    const { chat } = gatewayOf({ FLUX_MAX_BODY_BYTES: '1000' });
    const response = await chat({ ...ask, messages: [{ role: 'user', content: 'x'.repeat(2000) }] }, headers);
    expect(response.status).toBe(413);
    expect((await refusalOf(response)).message).toContain('FLUX_MAX_BODY_BYTES');
  });

  test.each([
    ['x-fluxcompute-session', 'x'.repeat(129)],
    ['x-fluxcompute-session', ''],
    ['x-fluxcompute-session', 'caf\u00e9'],
    ['x-claude-code-session-id', 'x'.repeat(129)],
    ['x-fluxcompute-tags', 'Team=search'],
    ['x-fluxcompute-tags', 'a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1'],
    ['x-fluxcompute-max-tier', 'huge'],
    ['x-fluxcompute-no-store', 'yes'],
    ['x-fluxcompute-history', 'prepend'],
  ])('a bad %s', async (name, value) => {
    const response = await gatewayOf().chat(ask, { [name]: value });
    expect(response.status).toBe(400);
    expect((await refusalOf(response)).param?.toLowerCase()).toBe(name);
  });

  test('a path that is not there', async () => {
    const response = await gatewayOf().request('/v1/files');
    expect(response.status).toBe(404);
    expect(await refusalOf(response)).toMatchObject({
      code: 'unknown_url',
      message: expect.stringContaining('stored at a provider'),
    });
  });

  test.each(['7', '0d', '367d', 'week'])('a period of %s', async (period) => {
    const response = await gatewayOf().request(`/api/metrics/summary?period=${period}`, {}, 'flx_reader_key');
    expect(response.status).toBe(400);
    expect(await refusalOf(response)).toMatchObject({ code: 'invalid_period' });
  });
});

describe('what is not there', () => {
  test('a provider key that is not set: its variable is named, the row is written', async () => {
    const gateway = gatewayOf({ ANTHROPIC_API_KEY: '', OPENAI_API_KEY: '' });
    const response = await gateway.chat(ask);
    expect(response.status).toBe(502);
    expect(await refusalOf(response)).toMatchObject({
      code: 'provider_auth',
      message: expect.stringContaining('ANTHROPIC_API_KEY'),
    });
    await gateway.settled();
    expect(gateway.rows).toMatchObject([{ state: 'failed', status: 502, error_code: 'provider_auth' }]);
  });

  test.each([
    ['FLUX_TIERS', '{"easy":["claude-haiku-5-5"]}'],
    ['FLUX_TIERS', '{"easy":["gpt-99"],"medium":["gpt-99"],"hard":["gpt-99"]}'],
    ['FLUX_TIERS', '{"easy":["a/b"],"medium":["x"],"hard":["x"],"extra":["x"]}'],
    ['FLUX_PROVIDERS', '[{"id":"vllm","kind":"openai"}]'],
    ['FLUX_API_KEYS', 'flx_agent_key:acme:fly'],
    ['FLUX_API_KEYS', 'short'],
    ['FLUX_MODE', 'turbo'],
    ['DATABASE_URL', 'mysql://nope'],
    ['UPSTASH_REDIS_REST_URL', 'redis'],
  ])("a setting %s=%s that can't be used is named", async (name, value) => {
    const response = await gatewayOf({ [name]: value }).request('/health', {}, null);
    expect(response.status).toBe(503);
    expect((await refusalOf(response)).message).toContain(name);
  });

  test('stores that are down: health says so, without a secret, and answers go on', async () => {
    const response = await gatewayOf().request('/health', {}, null);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      status: 'degraded',
      stores: { postgres: { state: 'down' }, redis: { state: 'down' } },
    });
    expect(text).not.toMatch(/pass|token|127\.0\.0\.1/);
  });

  test("the log that can't be read is a 503 that says where to look", async () => {
    const response = await gatewayOf().request('/api/metrics/summary', {}, 'flx_reader_key');
    expect(response.status).toBe(503);
    expect((await refusalOf(response)).message).toContain('/health');
  });
});

describe('traps T71: retirement', () => {
  const tiers = (medium: string) => ({
    FLUX_TIERS: `{"easy":["claude-haiku-5-5"],"medium":["${medium}"],"hard":["claude-opus-5-5"]}`,
  });
  test('a model that is gone is named in /health, with what answers in its place; pinned, it is a 404', async () => {
    const gateway = gatewayOf(tiers('claude-sonnet-4'));
    const { warnings } = (await (await gateway.request('/health', {}, null)).json()) as {
      warnings: string[];
    };
    expect(warnings).toEqual([
      expect.stringMatching(/claude-sonnet-4 .*retired .*2026-06-15; claude-\S+ answers in its place/),
    ]);
    expect((await gateway.chat({ ...ask, model: 'claude-sonnet-4' })).status).toBe(404);
  });
  test('a deployment of current models has nothing to be warned of', async () => {
    const body = await (await gatewayOf().request('/health', {}, null)).json();
    expect(body).toMatchObject({ warnings: [] });
  });
});

describe('models', () => {
  test("auto, the floors and the tiers' models, in OpenAI's shape", async () => {
    const body = (await (await gatewayOf().request('/v1/models')).json()) as {
      object: string;
      data: { id: string }[];
    };
    expect(body.object).toBe('list');
    expect(body.data.map((model) => model.id)).toEqual([
      'auto',
      'auto:easy',
      'auto:medium',
      'auto:hard',
      'claude-haiku-5-5',
      'claude-sonnet-5-5',
      'claude-opus-5-5',
    ]);
  });

  test("in Anthropic's shape where anthropic-version is sent", async () => {
    const { request } = gatewayOf();
    const headers = { 'anthropic-version': '2023-06-01' };
    expect(await (await request('/v1/models?limit=1000', { headers })).json()).toMatchObject({
      has_more: false,
      first_id: 'auto',
      data: [{ type: 'model', display_name: expect.any(String) }, {}, {}, {}, {}, {}, {}],
    });
    expect(await (await request('/v1/models/claude-opus-5-5', { headers })).json()).toMatchObject({
      type: 'model',
      id: 'claude-opus-5-5',
    });
    const unknown = await request('/v1/models/nope', { headers });
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
  });

  test('one model, by its name or with its provider; another is a 404', async () => {
    const { request } = gatewayOf();
    expect(await (await request('/v1/models/anthropic/claude-opus-5-5')).json()).toMatchObject({
      id: 'claude-opus-5-5',
      object: 'model',
    });
    expect((await request('/v1/models/gpt-99')).status).toBe(404);
  });
});
