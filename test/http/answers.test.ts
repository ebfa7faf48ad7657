import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copyDocsFiles } from '../../src/local/docs-files.ts';
import { startSimulators } from '../../src/local/simulated/server.ts';
import { insertSteps } from '../../src/log/insertion.ts';
import { openDatabase } from '../../src/stores/database.ts';
import { ANSWERS, json } from '../providers/upstream.ts';
import {
  ANSWERING,
  ask,
  type CustomerGateway,
  FORM,
  type Ground,
  KEYS,
  startGround,
} from './customer-gateway.ts';
import { faultsOfBody, operations, readFrames } from './description.ts';

/*
 * Real answers of every route held against its description. What is seen is kept: the last tests want every status
 * and every error that is described to have been one of them.
 */

const ASSETS = join(import.meta.dirname, '../../assets');
const SESSION = { 'x-fluxcompute-session': 'support-4711' };
/** A good call of every route. */
const CALLS: Record<string, { path?: string; body?: object | string }> = {
  'POST /v1/chat/completions': { body: ask },
  'POST /v1/embeddings': { body: { model: 'm', input: 'x' } },
  'POST /v1/moderations': { body: { input: 'x' } },
  'POST /v1/images/generations': { body: { prompt: 'x' } },
  'POST /v1/audio/speech': { body: { model: 'm', input: 'x', voice: 'alloy' } },
  'POST /v1/audio/transcriptions': { body: FORM.body },
  'POST /v1/audio/translations': { body: FORM.body },
  'POST /v1/completions': { body: { model: 'm', prompt: 'x' } },
  'POST /v1/responses': { body: { model: 'auto', input: 'What is the capital of France?' } },
  'POST /v1/route': { body: ask },
  'POST /v1/messages': { body: { ...ask, max_tokens: 100 } },
  'POST /v1/messages/count_tokens': { body: ask },
  'GET /v1/models': {},
  'GET /v1/models/{id}': { path: '/v1/models/auto' },
  'GET /api/metrics/summary': {},
  'GET /api/metrics/timeseries': {},
  'GET /api/metrics/sessions': {},
  'GET /api/metrics/sessions/{id}': { path: '/api/metrics/sessions/support-4711' },
  'GET /api/keys': {},
  'POST /api/keys': { body: { name: 'made', scopes: ['infer'] } },
  'DELETE /api/keys/{id}': { path: '/api/keys/REVOKED' },
  'GET /api/audit': {},
  'GET /api/settings': {},
  'PUT /api/settings': { body: { tags: ['team'], rules: [{ when: { tag: 'team=a' }, floor: 'hard' }] } },
  'PATCH /api/settings': {
    body: { model_map: { 'gpt-4o': 'auto' }, provider_keys: { anthropic: 'sk-ant-own' } },
  },
  'GET /api/settings/versions': {},
  'GET /api/limits': {},
  'PUT /api/limits': { body: { requests_per_minute: 600, tokens_per_minute: null } },
  'GET /health': {},
  'GET /openapi.json': {},
  'GET /api/hello': {},
  'GET /docs': {},
  'GET /docs/{file}': { path: '/docs/init.js' },
};
/** Whose body is a chat completion's. */
const STEPS = ['POST /v1/chat/completions', 'POST /v1/route'];
const MESSAGES = ['POST /v1/messages', 'POST /v1/messages/count_tokens'];
/** Those that are sent on as they come. */
const PASSED = [...operations]
  .filter(([, { tags }]) => tags.includes('pass-through'))
  .map(([route]) => route);
const RESPONSES = 'POST /v1/responses';
const KEYED = [...operations].filter(([, { security }]) => security.length > 0).map(([route]) => route);
const ADMINS = KEYED.filter((route) => route.includes(' /api/'));

let ground: Ground;
let gateway: CustomerGateway;
let revoked: { id: string; key: string };
const seen = new Set<string>();

/** Asks, and holds the answer against what the description says of its status and type. */
async function see(
  route: string,
  key: string | null,
  more: {
    path?: string;
    query?: string;
    body?: unknown;
    headers?: Record<string, string>;
    of?: CustomerGateway;
  } = {},
): Promise<{ status: number; text: string }> {
  const call = CALLS[route];
  const path = (more.path ?? call?.path ?? route.split(' ')[1] ?? '').replace('REVOKED', revoked?.id ?? '');
  const body = more.body ?? call?.body;
  const isForm = typeof body === 'string' && body.startsWith('--b0und');
  const form = isForm ? { 'content-type': FORM.type } : {};
  const response = await (more.of ?? gateway).request(
    path + (more.query ?? ''),
    {
      method: route.split(' ')[0] ?? '',
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      headers: { ...form, ...more.headers },
    },
    key,
  );
  const { status, headers } = response;
  const text = await response.text();
  const where = `${route} ${status}: ${text.slice(0, 300)}`;
  const responses = operations.get(route)?.responses;
  const told = responses?.[status] ? String(status) : 'default';
  const answer = responses?.[told];
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  const media = answer?.content[type];
  const isNothing = text === '' && answer !== undefined && Object.keys(answer.content).length === 0;
  if (!answer || (!media && !isNothing)) throw new Error(`not described: ${type} of ${where}`);
  if (media) expect(faultsOfBody(text, type, media), where).toEqual([]);
  const ours = [...headers.keys()].filter((name) =>
    /^x-|^etag$|^retry-after$|^request-id$|^content-security/.test(name),
  );
  const headersTold = ['x-content-type-options', ...Object.keys(answer.headers)];
  for (const name of ours) expect(headersTold, where).toContain(name);
  if (status < 300)
    for (const name of Object.keys(answer.headers)) expect(headers.has(name), name).toBe(true);
  seen.add(`${route} ${told} ${type}`);
  if (status >= 400) {
    seen.add(`${route} ${status} ${wordsOf(JSON.parse(text))}`);
  }
  return { status, text };
}

/** An error, with its numbers and the models of the deployment left out. */
function wordsOf(body: unknown): string {
  return JSON.stringify(body)
    .replaceAll(/\d+/g, '#')
    .replace(/Available: [^"]*/, '');
}

beforeAll(async () => {
  ground = await startGround();
  await copyDocsFiles();
  gateway = ground.start({ ...withFiles(), ...OPENAI() });
  ground.upstream.replies = [ANSWERING];
  revoked = (await gateway.call('POST', '/api/keys', KEYS.acme, { name: 'old', scopes: ['infer'] })).body;
  await see('POST /v1/chat/completions', KEYS.acme, { headers: SESSION });
  await gateway.settled();
  await insertSteps(openDatabase(ground.postgres.url), gateway.rows);
}, 60_000);
afterAll(async () => {
  await gateway.settled();
  await ground.close();
});

/** A provider with OpenAI's API besides. */
const OPENAI = () => ({ OPENAI_API_KEY: 'sk-openai', OPENAI_BASE_URL: `${ground.upstream.url}/v1` });

/** The body of a route's good call, where it is an object. */
function bodyOf(route: string): object {
  const body = CALLS[route]?.body;
  return typeof body === 'object' ? body : {};
}

/** The binding of the files beside the variables, which are text. */
function withFiles(): Record<string, string> {
  const files = {
    fetch: async (url: string) => new Response(await readFile(join(ASSETS, new URL(url).pathname))),
  };
  return { ASSETS: files as never };
}

describe('answers are what the description says', () => {
  test.each(Object.keys(CALLS))('%s', async (route) => {
    const { status } = await see(route, KEYED.includes(route) ? KEYS.acme : null);
    expect(status).toBe(route === 'POST /api/keys' ? 201 : 200);
  });

  test('a stream, with and without usage', async () => {
    const route = 'POST /v1/chat/completions';
    const { start, said, end } = ANSWERS['anthropic-messages'];
    const frames = [...start, ...said, ...end];
    ground.upstream.requests.length = 0;
    ground.upstream.replies = [
      (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const frame of frames) response.write(`data: ${JSON.stringify(frame)}\n\n`);
        response.end();
      },
    ];
    const message = { ...ask, max_tokens: 100, stream: true };
    const { text: relayed } = await see('POST /v1/messages', KEYS.acme, { body: message });
    expect(relayed.split('"fluxcompute"')).toHaveLength(2);
    expect(relayed.trimEnd().split('\n').at(-1)).toContain('message_stop');
    for (const stream_options of [{}, { include_usage: true }]) {
      const { text } = await see(route, KEYS.acme, { body: { ...ask, stream: true, stream_options } });
      expect(readFrames(text).done).toBe(true);
      expect(
        readFrames(text).frames.filter((frame) => JSON.stringify(frame).includes('fluxcompute')),
      ).toHaveLength(1);
    }
    const { text } = await see(RESPONSES, KEYS.acme, { body: { ...bodyOf(RESPONSES), stream: true } });
    expect(readFrames(text).frames.at(-1)).toMatchObject({ type: 'response.completed' });
    ground.upstream.replies = [ANSWERING];
  });

  test('what passes through in each of its forms, of a provider as strict as OpenAI', async () => {
    const simulators = await startSimulators();
    const of = ground.start({ OPENAI_API_KEY: 'sk-openai', OPENAI_BASE_URL: `${simulators.url}/v1` });
    const asked = async (route: string, body: object | string) => {
      const { status, text } = await see(route, KEYS.acme, { of, body });
      expect(status, text).toBe(200);
      return text;
    };
    const form = (fields: Record<string, string>) => {
      const parts = Object.entries({ model: 'whisper-1', ...fields }).map(
        ([name, value]) => `--b0und\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      );
      // `see` knows a form by its text.
      return FORM.body.replace(/^--b0und[\s\S]*?whisper-1\r\n/, parts.join(''));
    };
    try {
      for (const more of [{ dimensions: 8 }, { encoding_format: 'base64', input: ['a', 'b'] }]) {
        await asked('POST /v1/embeddings', { model: 'text-embedding-3-small', input: 'x', ...more });
      }
      for (const model of ['omni-moderation-latest', 'text-moderation-latest']) {
        await asked('POST /v1/moderations', { model, input: ['x', 'violence'] });
      }
      const image = { model: 'gpt-image-1', prompt: 'a cat' };
      await asked('POST /v1/images/generations', image);
      await asked('POST /v1/images/generations', { model: 'dall-e-3', prompt: 'a cat' });
      const picture = await asked('POST /v1/images/generations', {
        ...image,
        stream: true,
        partial_images: 2,
      });
      expect(readFrames(picture).frames).toHaveLength(3);
      const speech = { model: 'gpt-4o-mini-tts', input: 'Hello', voice: 'alloy' };
      await asked('POST /v1/audio/speech', speech);
      const sound = await asked('POST /v1/audio/speech', { ...speech, stream_format: 'sse' });
      expect(readFrames(sound).frames.at(-1)).toMatchObject({ type: 'speech.audio.done' });
      for (const response_format of ['json', 'verbose_json', 'text', 'srt']) {
        await asked('POST /v1/audio/transcriptions', form({ response_format }));
        await asked('POST /v1/audio/translations', form({ response_format }));
      }
      const speakers = {
        model: 'gpt-4o-transcribe-diarize',
        response_format: 'diarized_json',
        chunking_strategy: 'auto',
      };
      await asked('POST /v1/audio/transcriptions', form(speakers));
      const words = await asked(
        'POST /v1/audio/transcriptions',
        form({ model: 'gpt-4o-transcribe', stream: 'true' }),
      );
      expect(readFrames(words).frames.at(-1)).toMatchObject({ type: 'transcript.text.done' });
      const completion = { model: 'gpt-3.5-turbo-instruct', prompt: 'Say hello' };
      await asked('POST /v1/completions', completion);
      for (const stream_options of [null, { include_usage: true }]) {
        const text = await asked('POST /v1/completions', { ...completion, stream: true, stream_options });
        expect(readFrames(text).done).toBe(true);
      }
    } finally {
      await of.settled();
      await simulators.close();
    }
  });

  test("models in Anthropic's shape, and every file of the page", async () => {
    const headers = { 'anthropic-version': '2026-10-21' };
    await see('GET /v1/models', 'sk-other', { headers });
    await see('GET /v1/models', KEYS.acme, { headers });
    await see('GET /v1/models/{id}', KEYS.acme, { headers });
    for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js', 'swagger-ui-bundle.js.LICENSE.txt']) {
      expect((await see('GET /docs/{file}', null, { path: `/docs/${file}` })).status).toBe(200);
    }
  });

  test('a page of each list, and an older version', async () => {
    for (const route of ['GET /api/audit', 'GET /api/settings/versions', 'GET /api/metrics/sessions']) {
      const { text } = await see(route, KEYS.acme, { query: '?limit=1' });
      const { next_cursor } = JSON.parse(text);
      if (next_cursor) await see(route, KEYS.acme, { query: `?limit=1&cursor=${next_cursor}` });
    }
    await see('GET /api/settings', KEYS.acme, { query: '?version=1' });
    await see('GET /api/settings', KEYS.globex);
  });
});

describe('errors are what the description says', () => {
  test.each(KEYED)('%s: keys', async (route) => {
    const scope = operations.get(route)?.security[0]?.bearer?.[0];
    await gateway.call('DELETE', `/api/keys/${revoked.id}`, KEYS.acme);
    expect((await see(route, null)).status).toBe(401);
    expect((await see(route, 'sk-other')).status).toBe(401);
    expect((await see(route, revoked.key)).status).toBe(401);
    expect((await see(route, scope === 'infer' ? KEYS.operator : KEYS.agent)).status).toBe(403);
  });

  test.each(ADMINS)('%s: customers', async (route) => {
    expect((await see(route, KEYS.operator)).status).toBe(400);
    expect((await see(route, KEYS.acme, { query: '?customer=globex' })).status).toBe(403);
  });

  test('what a client sends', async () => {
    await see('POST /v1/messages', KEYS.acme, { body: ask });
    for (const route of [...STEPS, ...MESSAGES]) {
      await see(route, KEYS.acme, { body: '{' });
      await see(route, KEYS.acme, { body: { ...bodyOf(route), messages: [] } });
      await see(route, KEYS.acme, { body: { ...bodyOf(route), model: 'gpt-3' } });
      await see(route, KEYS.acme, { of: ground.start({ FLUX_MAX_BODY_BYTES: '10' }) });
    }
    for (const route of PASSED) {
      await see(route, KEYS.acme, { body: '{' });
      await see(route, KEYS.acme, { of: ground.start({ FLUX_MAX_BODY_BYTES: '10', ...OPENAI() }) });
      await see(route, KEYS.acme, { of: ground.start() });
    }
    await see(RESPONSES, KEYS.acme, { body: '{' });
    for (const more of [{ input: [] }, { model: 'gpt-3' }, { previous_response_id: 'resp_1' }]) {
      await see(RESPONSES, KEYS.globex, { body: { ...bodyOf(RESPONSES), ...more } });
    }
    await see(RESPONSES, KEYS.acme, { of: ground.start({ FLUX_MAX_BODY_BYTES: '10' }) });
    await see('GET /v1/models/{id}', KEYS.acme, { path: '/v1/models/gpt-3' });
    await see('GET /docs/{file}', null, { path: '/docs/other.js' });
    await see('POST /api/keys', KEYS.acme, { body: { name: 'none', scopes: [] } });
    await see('PUT /api/limits', KEYS.acme, { body: { requests_per_minute: 0, tokens_per_minute: null } });
    const other = { key_id: 'nokey', requests_per_minute: 1, tokens_per_minute: null };
    await see('PUT /api/limits', KEYS.acme, { body: other });
    await see('DELETE /api/keys/{id}', KEYS.acme, { path: '/api/keys/nokey' });
    await see('GET /api/settings', KEYS.acme, { query: '?version=99' });
    await see('GET /api/settings', KEYS.acme, { query: '?version=x' });
    for (const route of ['PUT /api/settings', 'PATCH /api/settings']) {
      await see(route, KEYS.acme, { body: { mood: 'route' } });
      await see(route, KEYS.acme, { headers: { 'if-match': '"99"' } });
    }
    for (const route of ADMINS.filter((one) => /^(POST|PUT|PATCH)/.test(one))) {
      await see(route, KEYS.acme, { body: '[]' });
      await see(route, KEYS.acme, { body: { x: 'y'.repeat(300_000) } });
    }
    for (const route of ADMINS.filter((one) => one.includes('/metrics/'))) {
      await see(route, KEYS.acme, { query: '?period=7w' });
    }
    for (const [route, { parameters = [] }] of operations) {
      if (parameters.some(({ name }) => name === 'limit')) await see(route, KEYS.acme, { query: '?limit=0' });
    }
    await see('GET /api/metrics/sessions/{id}', KEYS.acme, { path: '/api/metrics/sessions/nobody' });
  });

  test('limits', async () => {
    const { key, id } = (
      await gateway.call('POST', '/api/keys', KEYS.globex, { name: 'few', scopes: ['infer'] })
    ).body;
    const limit = { key_id: id, requests_per_minute: 1, tokens_per_minute: null };
    await gateway.call('PUT', '/api/limits', KEYS.globex, limit);
    await see('POST /v1/chat/completions', key);
    for (const route of [...STEPS, RESPONSES, ...MESSAGES, ...PASSED])
      expect((await see(route, key)).status).toBe(429);
  });

  test('budgets', async () => {
    const base_url = `${ground.upstream.url}/v1`;
    const prices = { dear: { input: 1, output: 1 } };
    const FLUX_PROVIDERS = JSON.stringify([{ id: 'local', kind: 'openai', base_url, prices }]);
    const reserve = async ({ claims: [claim] }: { claims: unknown[] }) => ({
      ...{ claim, spent: 499_999_500, reserved: 100_000_000 },
    });
    const BUDGETS = { getByName: () => ({ reserve, standing: async () => [] }) };
    // A binding stands beside the variables, which are text.
    const full = ground.start({ FLUX_PROVIDERS, BUDGETS: BUDGETS as never });
    const silent = ground.start({ FLUX_PROVIDERS });
    const made = await full.call('POST', '/api/keys', KEYS.globex, { name: 'poor', scopes: ['infer'] });
    const { key, id: key_id } = made.body;
    const settings = { allowed_models: ['local/dear', 'local/llama'] };
    await full.call('PUT', '/api/settings', KEYS.globex, settings);
    const asking = async (route: string, model: string, of: CustomerGateway) => {
      const form = { body: FORM.body.replace('whisper-1', model), headers: { 'content-type': FORM.type } };
      const isForm = CALLS[route]?.body === FORM.body;
      return see(route, key, { of, ...(isForm ? form : { body: { ...bodyOf(route), model } }) });
    };
    for (const [usd_per_day, model, status] of [
      [0.5, 'local/dear', 429],
      [0.5, 'local/llama', 400],
      [0.000001, 'local/dear', 429],
    ] as const) {
      await full.call('PUT', '/api/limits', KEYS.globex, { key_id, usd_per_day });
      for (const route of ['POST /v1/chat/completions', RESPONSES, 'POST /v1/messages', ...PASSED])
        expect((await asking(route, model, full)).status, route).toBe(status);
    }
    await full.call('PUT', '/api/limits', KEYS.globex, { key_id, usd_per_day: 0.5 });
    for (const route of ['POST /v1/chat/completions', RESPONSES, 'POST /v1/messages', ...PASSED])
      expect((await asking(route, 'local/dear', silent)).status, route).toBe(503);
    await full.call('PUT', '/api/settings', KEYS.globex, {});
  });

  test('providers', async () => {
    let route = '';
    const error = (type: string, message: string) => ({ type: 'error', error: { type, message } });
    const answerTo = async (status: number, body: object, headers: Record<string, string> = {}) => {
      ground.upstream.requests.length = 0;
      ground.upstream.replies = [json(status, body, headers)];
      return (await see(route, KEYS.globex)).status;
    };
    const hasty = ground.start({ FLUX_FIRST_BYTE_TIMEOUT_MS: '20' });
    const id = { 'request-id': 'req_011CSHoEeqs5C35K2UUqR7Fy' };
    for (route of ['POST /v1/chat/completions', RESPONSES, ...MESSAGES]) {
      expect(await answerTo(401, error('authentication_error', 'invalid x-api-key'))).toBe(502);
      expect(await answerTo(400, error('invalid_request_error', 'Your credit balance is too low'))).toBe(503);
      expect(await answerTo(529, error('overloaded_error', 'Overloaded'), id)).toBe(529);
      expect(await answerTo(422, error('invalid_request_error', 'of its own'), id)).toBe(422);
      ground.upstream.requests.length = 0;
      ground.upstream.replies = [() => {}];
      expect((await see(route, KEYS.globex, { of: hasty })).status).toBe(504);
    }
    for (const passed of PASSED) {
      ground.upstream.replies = [json(422, { error: { message: 'of its own', type: 'x', code: null } }, id)];
      expect((await see(passed, KEYS.globex)).status).toBe(422);
    }
    ground.upstream.replies = [ANSWERING];
  });

  test('histories', async () => {
    const headers = { 'x-fluxcompute-session': 'told', 'x-fluxcompute-history': 'append' };
    const routes = [...STEPS, ...MESSAGES, RESPONSES];
    expect((await see(RESPONSES, KEYS.globex, { headers })).status).toBe(200);
    await gateway.settled();
    for (const key of await ground.redis.direct.keys('flux:history:*'))
      await ground.redis.direct.hset(key, { e0: 'of nobody' });
    for (const route of routes) expect((await see(route, KEYS.globex, { headers })).status).toBe(503);
    ground.redis.mood = 'down';
    for (const route of routes) expect((await see(route, KEYS.globex, { headers })).status).toBe(503);
    ground.redis.mood = 'up';
  });

  test('stores', async () => {
    ground.postgres.mood = 'down';
    for (const route of ADMINS) expect((await see(route, KEYS.acme)).status).toBe(503);
    await see('GET /health', null);
    ground.redis.mood = 'down';
    const cold = ground.start();
    const unknown = `flx_${'a'.repeat(32)}`;
    for (const route of KEYED) expect((await see(route, unknown, { of: cold })).status).toBe(503);
    const goesOn = { ...bodyOf(RESPONSES), previous_response_id: 'resp_1' };
    expect((await see(RESPONSES, KEYS.acme, { body: goesOn })).status).toBe(503);
    const broken = ground.start({ DATABASE_URL: '' });
    for (const route of Object.keys(CALLS).filter((one) => !KEYED.includes(one))) {
      expect((await see(route, null, { of: broken })).status).toBe(503);
    }
    ground.postgres.mood = 'up';
    ground.redis.mood = 'up';
  });
});

describe('nothing is described that did not happen', () => {
  test.each([...operations])('%s', (route, { responses }) => {
    for (const [status, { content }] of Object.entries(responses)) {
      for (const [type, { examples = {} }] of Object.entries(content)) {
        expect([...seen]).toContain(`${route} ${status} ${type}`);
        if (Number(status) < 400) continue;
        for (const { value } of Object.values(examples)) {
          expect([...seen]).toContain(`${route} ${status} ${wordsOf(value)}`);
        }
      }
    }
  });
});
