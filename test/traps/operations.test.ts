import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { gatewayOf } from '../http/gateway.ts';
import { ANSWERS, json, startUpstream, type Upstream } from '../providers/upstream.ts';

let upstream: Upstream;
beforeEach(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.close());

const ask = { model: 'auto', messages: [{ role: 'user', content: 'Hi' }] };
const claude = ANSWERS['anthropic-messages'].body;

test('traps T33: a compressed answer is passed on whole, without the headers of its compression', async () => {
  const { body } = ANSWERS['openai-chat'];
  const packed = gzipSync(JSON.stringify(body));
  upstream.replies = [
    (response) => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        'content-length': String(packed.length),
        'set-cookie': 'a=b',
      });
      response.end(packed);
    },
  ];
  const { chat } = gatewayOf({
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: upstream.url,
    FLUX_TIERS: '{"easy":["gpt-4.1"],"medium":["gpt-4.1"],"hard":["gpt-4.1"]}',
  });
  const response = await chat(ask);
  expect(await response.json()).toMatchObject(body);
  for (const name of ['content-encoding', 'set-cookie']) expect(response.headers.has(name)).toBe(false);
});

test('traps T33: names beyond ASCII are in the body, and no header breaks on them', async () => {
  upstream.replies = [json(200, { ...ANSWERS['openai-chat'].body, model: 'modèle' })];
  const { chat } = gatewayOf({
    FLUX_PROVIDERS: JSON.stringify([{ id: 'own', kind: 'openai', base_url: upstream.url }]),
    FLUX_TIERS: '{"easy":["own/modèle"],"medium":["own/modèle"],"hard":["own/modèle"]}',
  });
  const response = await chat(ask);
  expect(response.status).toBe(200);
  expect(response.headers.get('x-fluxcompute-model')).toBe('mod?le');
  expect(await response.json()).toMatchObject({ fluxcompute: { model_selected: 'modèle', cost_usd: null } });
});

test('traps T39: of a client’s headers none goes upstream', async () => {
  upstream.replies = [json(200, claude)];
  const { chat } = gatewayOf({ ANTHROPIC_BASE_URL: upstream.url });
  await chat(ask, {
    cookie: 'client=1',
    'x-forwarded-for': '10.0.0.1',
    'anthropic-beta': 'files-api-2025-04-14',
    'anthropic-version': '2023-06-01',
    'openai-organization': 'org-client',
    'user-agent': 'client/1',
    'x-stainless-lang': 'client',
    'x-fluxcompute-session': 'client',
  });
  const [request] = upstream.requests;
  expect(request?.headers).toMatchObject({
    authorization: 'Bearer sk-ant-CANARY',
    'anthropic-version': '2026-10-21',
  });
  expect(JSON.stringify(request?.headers)).not.toMatch(/client|flx_|10\.0\.0\.1|files-api/);
});

test('traps T60: the gateway fetches no URL of a request', async () => {
  const elsewhere = await startUpstream();
  elsewhere.replies = [json(200, '')];
  upstream.replies = [json(200, claude)];
  const { chat } = gatewayOf({ ANTHROPIC_BASE_URL: upstream.url });
  const url = `${elsewhere.url}/cat.png`;
  const content = [
    { type: 'text', text: `Look at ${url}` },
    { type: 'image_url', image_url: { url } },
  ];
  expect((await chat({ ...ask, messages: [{ role: 'user', content }] })).status).toBe(200);
  expect(upstream.requests[0]?.body).toContain(url);
  expect(elsewhere.requests).toEqual([]);
  await elsewhere.close();
});

test('traps T48: a provider that quotes our key is not quoted', async () => {
  for (const status of [400, 401, 403, 429, 500]) {
    const error = { type: 'error', error: { type: 'some_error', message: 'Bad key sk-ant-CANARY' } };
    upstream.replies = [json(status, error)];
    const { chat, rows, settled } = gatewayOf({ ANTHROPIC_BASE_URL: upstream.url });
    const response = await chat(ask);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await response.text()).not.toContain('CANARY');
    await settled();
    expect(JSON.stringify(rows)).not.toContain('CANARY');
  }
});
