import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createApp } from '../../src/http/app.ts';
import { type RunningSimulators, startSimulators } from '../../src/local/simulated/server.ts';
import { NAMING } from '../core/naming-bodies.ts';
import { ANSWERS, json } from '../providers/upstream.ts';
import { type CustomerGateway, type Ground, KEYS, startGround } from './customer-gateway.ts';

/*
 * Two customers of one gateway, and one key of each provider for both. What lies there under that key is the first
 * one's; the second one asks for it on every path and in every way.
 */

const SHARED = 'sk-shared-by-both';
const OWN = 'sk-of-its-own';
const routes = createApp().routes.filter(({ path }) => path.startsWith('/v1/'));
const POSTS = [...new Set(routes.filter(({ method }) => method === 'POST').map(({ path }) => path))];
const FORMS = POSTS.filter((path) => /audio\/trans/.test(path));

let ground: Ground;
let simulators: RunningSimulators;
let gateway: CustomerGateway;
beforeAll(async () => {
  [ground, simulators] = await Promise.all([startGround(), startSimulators()]);
  gateway = ground.start({
    OPENAI_API_KEY: SHARED,
    OPENAI_BASE_URL: `${simulators.url}/v1`,
    ANTHROPIC_API_KEY: SHARED,
    ANTHROPIC_BASE_URL: simulators.url,
  });
}, 60_000);
afterAll(() => Promise.all([ground.close(), simulators.close()]));
beforeEach(() => control('DELETE', 'requests'));

async function control(method: string, path: string): Promise<{ data: unknown[] }> {
  const response = await fetch(`${simulators.url}/control/${path}`, { method });
  // As control.ts answers it.
  return (await response.json()) as { data: unknown[] };
}
const seenByProviders = async () => (await control('GET', 'requests')).data;

/** Asks a provider itself, as whoever holds the key can. */
function direct(method: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${SHARED}`, 'content-type': 'application/json' };
  return fetch(simulators.url + path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
}

const said = { messages: [{ role: 'user', content: 'x' }], input: 'x', prompt: 'x' };
const bodyFor = (path: string) =>
  path.startsWith('/v1/messages')
    ? { model: 'claude-haiku-5-5', max_tokens: 10, messages: said.messages }
    : { model: /chat|route|responses/.test(path) ? 'auto' : 'm', ...said };

describe('traps T56: what one customer has at a provider, another one never gets', () => {
  test.each(POSTS.filter((path) => !FORMS.includes(path)))('named in a body of %s', async (path) => {
    for (const [what, naming, field] of NAMING) {
      const { status, body } = await gateway.call('POST', path, KEYS.globex, { ...bodyFor(path), ...naming });
      // What the gateway itself might have kept is looked for, and is not there.
      const isOurs = path === '/v1/responses' && /^(previous_response_id|input\[\d\]\.id)$/.test(field);
      expect([400, ...(isOurs ? [404] : [])], `${what}: ${status}`).toContain(status);
      if (!isOurs) expect(JSON.stringify(body.error), what).toContain(field);
    }
    const { status, body } = await gateway.call('POST', path, KEYS.globex, {
      ...bodyFor(path),
      background: true,
    });
    expect([status, JSON.stringify(body.error)]).toEqual([400, expect.stringContaining('background')]);
    expect(await seenByProviders()).toEqual([]);
  });

  test.each(FORMS)('named in a form of %s', async (path) => {
    for (const field of ['file_id', 'container', 'conversation', 'vector_store_ids[]', 'thread']) {
      const form = new FormData();
      form.set('model', 'whisper-1');
      form.set('file', new Blob(['x']), 'a.wav');
      form.set(field, 'x');
      const answer = await gateway.request(path, { method: 'POST', body: form }, KEYS.globex);
      expect([answer.status, await answer.text()]).toEqual([
        400,
        expect.stringContaining(field.replace('[]', '')),
      ]);
    }
    expect(await seenByProviders()).toEqual([]);
  });

  test('the guard is what keeps it: whoever holds the key reads it', async () => {
    const answer = await direct('POST', '/v1/responses', {
      model: 'gpt-6-luna',
      input: 'the first customer’s secret',
    });
    const { id } = (await answer.json()) as { id: string };
    const follow = { model: 'gpt-6-luna', input: 'go on', previous_response_id: id };
    expect((await direct('POST', '/v1/responses', follow)).status).toBe(200);
    expect(
      (await direct('POST', '/v1/responses', { ...follow, previous_response_id: 'resp_other' })).status,
    ).toBe(400);
  });

  const COLLECTIONS = [
    'files',
    'uploads',
    'batches',
    'vector_stores',
    'conversations',
    'containers',
    'assistants',
    'threads',
    'fine_tuning/jobs',
    'evals',
    'skills',
    'videos',
  ];
  const paths = [
    ...COLLECTIONS.flatMap((name) => [`/v1/${name}`, `/v1/${name}/ID`, `/v1/${name}/ID/content`]),
    ...['/v1/responses/ID', '/v1/responses/ID/input_items', '/v1/responses/ID/cancel'],
    ...['/v1/chat/completions/ID', '/v1/chat/completions/ID/messages'],
    ...['/v1/messages/batches', '/v1/messages/batches/ID', '/v1/messages/batches/ID/results'],
  ];
  test('by a path: a 404 that says why, in the shape of the API, whatever the method', async () => {
    const made = await direct('POST', '/v1/files', { purpose: 'user_data' });
    const { id } = (await made.json()) as { id: string };
    expect((await direct('GET', `/v1/files/${id}`)).status).toBe(200);
    await control('DELETE', 'requests');
    for (const path of paths) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const { status, body } = await gateway.call(method, path.replace('ID', id), KEYS.globex);
        expect([path, status]).toEqual([path, 404]);
        expect(body.error.message).toMatch(/objects stored at a provider/);
      }
    }
    expect(await seenByProviders()).toEqual([]);
  });

  test('with a key of its own it may name what lies there, and a model tuned there', async () => {
    ground.upstream.replies = [json(200, ANSWERS['openai-chat'].body)];
    const own = ground.start({ OPENAI_API_KEY: SHARED, OPENAI_BASE_URL: ground.upstream.url });
    const set = await own.call('PATCH', '/api/settings', KEYS.acme, { provider_keys: { openai: OWN } });
    expect(set.status).toBe(200);
    const speech = { model: 'm', input: 'x', voice: { id: 'voice_1' } };
    for (const body of [speech, { model: 'ft:m:acme::1', input: 'x' }]) {
      expect((await own.call('POST', '/v1/audio/speech', KEYS.agent, body)).status).toBe(200);
      expect(ground.upstream.requests.at(-1)?.headers.authorization).toBe(`Bearer ${OWN}`);
      const other = await own.call('POST', '/v1/audio/speech', KEYS.globex, body);
      expect([other.status, other.body.error.code]).toEqual([400, 'stored_object']);
    }
    expect(ground.upstream.requests).toHaveLength(2);
  });
});

describe('what there is not', () => {
  test.each([
    ['POST', '/v1/images/edits', /there is .*POST \/v1\/images\/generations/],
    ['GET', '/v1/embeddings', /there is POST \/v1\/embeddings/],
    ['POST', '/v2/x', /openapi\.json/],
  ])('%s %s says what there is', async (method, path, words) => {
    const { status, body } = await gateway.call(method, path, KEYS.globex);
    expect([status, body.error.code]).toEqual([404, 'unknown_url']);
    expect(body.error.message).toMatch(words);
  });
});
