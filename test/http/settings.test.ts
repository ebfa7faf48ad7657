import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FluxMetadata } from '../../src/core/metadata.ts';
import { ask, type CustomerGateway, type Ground, KEYS, startGround } from './customer-gateway.ts';

let ground: Ground;
let gateway: CustomerGateway;
const { acme, agent, globex, operator } = KEYS;

beforeAll(async () => {
  ground = await startGround();
}, 60_000);
afterAll(() => ground.close());
beforeEach(async () => {
  await ground.reset();
  gateway = ground.start();
});
afterEach(async () => {
  await gateway.settled();
});

const put = (settings: object, key = acme, headers = {}) =>
  gateway.call('PUT', '/api/settings', key, settings, headers);
const patch = (settings: object, key = acme, headers = {}) =>
  gateway.call('PATCH', '/api/settings', key, settings, headers);
const get = (path = '/api/settings', key = acme) => gateway.call('GET', path, key);

/** Sets, and asks: what the answer says of its choice. */
async function routed(settings: object, body: object = {}, headers: object = {}): Promise<FluxMetadata> {
  expect((await put(settings)).status).toBe(200);
  const { status, body: answer } = await gateway.call(
    'POST',
    '/v1/chat/completions',
    agent,
    { ...ask, ...body },
    headers,
  );
  expect(status, JSON.stringify(answer)).toBe(200);
  return answer.fluxcompute;
}
/** The model the provider was asked for last. */
const sent = (): string => JSON.parse(ground.upstream.requests.at(-1)?.body ?? '{}').model;

describe('reading and writing', () => {
  test('nothing set: version 0, and the defaults are in force', async () => {
    const { body, headers } = await get();
    expect(body).toMatchObject({ customer: 'acme', version: 0, settings: {}, created_at: null });
    expect(body.effective).toEqual(body.defaults);
    expect(body.effective).toEqual({
      tiers: {
        easy: ['anthropic/claude-haiku-5-5'],
        medium: ['anthropic/claude-sonnet-5-5'],
        hard: ['anthropic/claude-opus-5-5'],
      },
      allowed_models: [],
      model_map: {},
      mode: 'route',
      promise: 0.01,
      sampling_share: 0.1,
      retention_days: 400,
      tags: [],
      rules: [],
      handover: 'auto',
      baseline_model: 'anthropic/claude-opus-5-5',
      default_max_tokens: 16_384,
      provider_keys: {},
    });
    expect(headers.get('etag')).toBe('"0"');
  });

  test('every setting is kept, given back and in force', async () => {
    const all = {
      tiers: { easy: ['claude-haiku-4-5', 'anthropic/claude-haiku-5-5'] },
      allowed_models: ['openai/gpt-6-luna'],
      model_map: { 'gpt-4o': 'auto', 'gpt-4': 'auto:hard', mini: 'gpt-6-luna' },
      mode: 'observe',
      promise: 0.02,
      sampling_share: 0.25,
      retention_days: 90,
      tags: ['team'],
      rules: [
        { when: { kind: 'title' }, model: 'claude-haiku-4-5' },
        { when: { tag: 'team=search', path: '/v1/chat/completions' }, floor: 'hard' },
      ],
      handover: 'summary',
      baseline_model: 'claude-opus-5-5',
      default_max_tokens: 1000,
    };
    const { status, body } = await put(all);
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.version).toBe(1);
    expect(body.settings).toEqual(all);
    expect(body.effective).toMatchObject({
      ...all,
      tiers: {
        easy: ['anthropic/claude-haiku-4-5', 'anthropic/claude-haiku-5-5'],
        hard: ['anthropic/claude-opus-5-5'],
      },
      rules: [{ when: { kind: 'title' }, model: 'anthropic/claude-haiku-4-5' }, all.rules[1]],
      baseline_model: 'anthropic/claude-opus-5-5',
    });
    expect((await get()).body).toEqual(body);
    expect((await get('/api/settings', globex)).body.version).toBe(0);
    expect((await get('/api/settings?customer=acme', operator)).body).toEqual(body);
  });

  test.each([
    ['an unknown one', { teirs: {} }, 'teirs', /'teirs'.*There are: tiers, allowed_models/],
    ['one deeper', { tiers: { eazy: ['claude-haiku-5-5'] } }, 'tiers.eazy', /'tiers.eazy'/],
    ['a condition', { rules: [{ when: { lang: 'de' }, floor: 'easy' }] }, 'rules[0].when.lang', /lang/],
    ['no condition', { rules: [{ when: {}, floor: 'easy' }] }, 'rules[0].when', /kind, a tag or a path/],
    ['no effect', { rules: [{ when: { kind: 'code' } }] }, 'rules[0]', /either a floor or a model/],
    [
      'a model',
      { tiers: { easy: ['gpt-99'] } },
      'tiers.easy[0]',
      /anthropic\/claude-haiku-5-5.*openai\/gpt-6-luna/,
    ],
    ['a retired one', { baseline_model: 'claude-opus-4' }, 'baseline_model', /retired.*use claude-opus/],
    ['a provider', { provider_keys: { azure: 'sk-12345678' } }, 'provider_keys.azure', /anthropic, openai/],
    ['a target', { model_map: { a: 'gpt-6-luna' } }, 'model_map.a', /in no tier and not in allowed_models/],
    ['auto itself', { model_map: { auto: 'auto:hard' } }, 'model_map', /auto/],
    ['a mode', { mode: 'turbo' }, 'mode', /observe/],
    ['a hand-over', { handover: 'on' }, 'handover', /auto/],
    ['a number', { default_max_tokens: '5' }, 'default_max_tokens', /number/],
    [
      'a key to keep that is none',
      { provider_keys: { openai: { set: true } } },
      'provider_keys.openai',
      /send the key/,
    ],
  ])('traps T10: %s that is not there is a 400 that names it', async (_name, settings, param, message) => {
    for (const write of [put, patch]) {
      const { status, body } = await write(settings);
      expect(status).toBe(400);
      expect(body.error.param).toBe(param);
      expect(body.error.message).toMatch(message);
    }
    expect((await get()).body.version).toBe(0);
  });

  test('PUT replaces, PATCH merges and null takes back', async () => {
    await put({ mode: 'observe', tags: ['team'], model_map: { a: 'auto', b: 'auto' } });
    const patched = await patch({ mode: null, model_map: { b: null, c: 'auto:easy' } });
    expect(patched.body.settings).toEqual({ tags: ['team'], model_map: { a: 'auto', c: 'auto:easy' } });
    expect((await put({ promise: 0.05 })).body.settings).toEqual({ promise: 0.05 });
  });

  test('an edit of a version that is no longer in force is a 409, and changes nothing', async () => {
    const read = await get();
    expect((await put({ mode: 'observe' }, acme, { 'if-match': read.headers.get('etag') })).status).toBe(200);
    const stale = await patch({ tags: ['x'] }, acme, { 'if-match': '"0"' });
    expect(stale.status).toBe(409);
    expect(stale.body.error).toMatchObject({
      code: 'version_conflict',
      message: expect.stringContaining('is 1'),
    });
    expect((await put({ version: 0, mode: 'route' })).status).toBe(409);
    expect((await put({ version: 1, mode: 'route' })).body).toMatchObject({
      version: 2,
      settings: { mode: 'route' },
    });
    expect((await put({ version: 'two' })).status).toBe(400);
  });

  test('of many at once each makes a version, or is told to read again', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) => patch({ model_map: { [`m${index}`]: 'auto' } })),
    );
    const done = answers.filter(({ status }) => status === 200);
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    const { body } = await get();
    expect(body.version).toBe(done.length);
    // Nobody's edit was lost.
    expect(Object.keys(body.settings.model_map)).toHaveLength(done.length);
    expect((await gateway.call('GET', '/api/audit', acme)).body.data).toHaveLength(done.length);
  });

  test('versions: each can be read, and the list is paged', async () => {
    for (const promise of [0.01, 0.02, 0.03]) await put({ promise });
    expect((await get('/api/settings?version=2')).body.settings).toEqual({ promise: 0.02 });
    expect((await get('/api/settings?version=9')).status).toBe(404);
    expect((await get('/api/settings?version=1', globex)).status).toBe(404);
    const first = await get('/api/settings/versions?limit=2');
    expect(first.body.data.map((entry: { version: number }) => entry.version)).toEqual([3, 2]);
    const second = await get(`/api/settings/versions?limit=2&cursor=${first.body.next_cursor}`);
    expect(second.body).toMatchObject({
      data: [{ version: 1, settings: { promise: 0.01 } }],
      next_cursor: null,
    });
  });

  test('Postgres down: a 503 that says so, and nothing is changed', async () => {
    ground.postgres.mood = 'down';
    for (const answer of [await put({ mode: 'observe' }), await get()]) {
      expect(answer.status).toBe(503);
      expect(answer.body.error.code).toBe('database_unavailable');
    }
  });
});

describe('what is set acts', () => {
  test('tiers, at once and only for their customer', async () => {
    const metadata = await routed({ tiers: { easy: ['claude-haiku-4-5'], hard: ['claude-sonnet-5-5'] } });
    expect(sent()).toBe('claude-haiku-4-5');
    expect(metadata).toMatchObject({ tier: 'easy', reason: 'floor', baseline_model: 'claude-sonnet-5-5' });
    await gateway.call('POST', '/v1/chat/completions', globex, ask);
    expect(sent()).toBe('claude-haiku-5-5');
  });

  test('mode, baseline_model, default_max_tokens', async () => {
    const metadata = await routed({
      mode: 'observe',
      baseline_model: 'claude-sonnet-5-5',
      default_max_tokens: 77,
    });
    expect(metadata).toMatchObject({ reason: 'observe', tier: 'hard', baseline_model: 'claude-sonnet-5-5' });
    expect(JSON.parse(ground.upstream.requests.at(-1)?.body ?? '{}').max_tokens).toBe(77);
  });

  test('allowed_models may be pinned and are listed; others are a 404', async () => {
    const pinned = { model: 'claude-sonnet-4-6' };
    expect((await gateway.call('POST', '/v1/chat/completions', agent, { ...ask, ...pinned })).status).toBe(
      404,
    );
    expect(await routed({ allowed_models: ['claude-sonnet-4-6'] }, pinned)).toMatchObject({
      reason: 'pinned',
      tier: null,
    });
    const list = async (key: string) =>
      (await gateway.call('GET', '/v1/models', key)).body.data.map((model: { id: string }) => model.id);
    expect(await list(agent)).toContain('claude-sonnet-4-6');
    expect(await list(globex)).not.toContain('claude-sonnet-4-6');
    expect((await gateway.call('GET', '/v1/models/claude-sonnet-4-6', agent)).status).toBe(200);
    expect((await gateway.call('GET', '/v1/models/claude-sonnet-4-6', globex)).status).toBe(404);
  });

  test("model_map routes clients that can't change their model", async () => {
    const metadata = await routed(
      { model_map: { 'gpt-4o': 'auto', 'gpt-4': 'auto:hard', old: 'claude-sonnet-5-5' } },
      { model: 'gpt-4o' },
    );
    expect(metadata).toMatchObject({ reason: 'floor', tier: 'easy' });
    await gateway.call('POST', '/v1/chat/completions', agent, { ...ask, model: 'gpt-4' });
    expect(sent()).toBe('claude-opus-5-5');
    await gateway.call('POST', '/v1/chat/completions', agent, { ...ask, model: 'old' });
    expect(sent()).toBe('claude-sonnet-5-5');
    await gateway.settled();
    expect(gateway.rows.map((row) => row.requested_model)).toEqual(['gpt-4o', 'gpt-4', 'old']);
    expect((await gateway.call('GET', '/v1/models/gpt-4o', agent)).status).toBe(200);
  });

  test("tags: what of OpenAI's metadata counts; the header wins; a value that can't be a tag is a 400", async () => {
    const metadata = { team: 'search', other: 'x y z', env: 'ci' };
    await routed({ tags: ['team', 'env'] }, { metadata }, { 'x-fluxcompute-tags': 'env=prod' });
    await gateway.settled();
    expect(gateway.rows.at(-1)?.tags).toEqual({ team: 'search', env: 'prod' });
    const bad = await gateway.call('POST', '/v1/chat/completions', agent, {
      ...ask,
      metadata: { team: 'the search team' },
    });
    expect(bad.status).toBe(400);
    expect(bad.body.error.param).toBe('metadata.team');
  });

  const title = {
    messages: [
      { role: 'user', content: 'Generate a concise title for this conversation: we fixed the build' },
    ],
  };
  test.each<[string, object, object, object, string, object]>([
    [
      'a kind',
      { when: { kind: 'lookup' }, floor: 'hard' },
      {},
      {},
      'claude-opus-5-5',
      { reason: 'rule', floor: 'hard' },
    ],
    [
      'a kind of housekeeping',
      { when: { kind: 'housekeeping' }, model: 'claude-sonnet-5-5' },
      title,
      {},
      'claude-sonnet-5-5',
      { reason: 'rule', tier: 'medium' },
    ],
    [
      'a tag',
      { when: { tag: 'team=search' }, floor: 'medium' },
      {},
      { 'x-fluxcompute-tags': 'team=search' },
      'claude-sonnet-5-5',
      { reason: 'rule' },
    ],
    [
      'another tag',
      { when: { tag: 'team=search' }, floor: 'medium' },
      {},
      { 'x-fluxcompute-tags': 'team=x' },
      'claude-haiku-5-5',
      { reason: 'floor' },
    ],
    [
      'a path',
      { when: { path: '/v1/chat/completions' }, model: 'claude-sonnet-4-6' },
      {},
      {},
      'claude-sonnet-4-6',
      { reason: 'rule', tier: null },
    ],
    [
      'another path',
      { when: { path: '/v1/messages' }, floor: 'hard' },
      {},
      {},
      'claude-haiku-5-5',
      { reason: 'floor' },
    ],
    [
      'a kind, with a pinned model',
      { when: { kind: 'lookup' }, floor: 'hard' },
      { model: 'claude-haiku-5-5' },
      {},
      'claude-haiku-5-5',
      { reason: 'pinned' },
    ],
    [
      'a kind, with a floor of the client',
      { when: { kind: 'lookup' }, floor: 'hard' },
      { model: 'auto:medium' },
      {},
      'claude-sonnet-5-5',
      { reason: 'forced_tier' },
    ],
    [
      'a kind, with a cap of the client',
      { when: { kind: 'lookup' }, floor: 'hard' },
      {},
      { 'x-fluxcompute-max-tier': 'medium' },
      'claude-sonnet-5-5',
      { reason: 'capped' },
    ],
  ])('a rule of %s', async (_name, rule, body, headers, model, metadata) => {
    expect(await routed({ rules: [rule] }, body, headers)).toMatchObject(metadata);
    expect(sent()).toBe(model);
  });

  test('the first rule that holds decides', async () => {
    const rules = [
      { when: { kind: 'code' }, floor: 'easy' },
      { when: { kind: 'lookup' }, floor: 'medium' },
      { when: { path: '/v1/chat/completions' }, floor: 'hard' },
    ];
    expect(await routed({ rules })).toMatchObject({ reason: 'rule', floor: 'medium' });
  });

  test('a model the deployment has no more is passed over, not an outage', async () => {
    const vllm = '[{"id":"vllm","kind":"openai","base_url":"http://127.0.0.1:1/v1"}]';
    gateway = ground.start({ FLUX_PROVIDERS: vllm });
    expect(
      (
        await put({
          tiers: { easy: ['vllm/llama', 'claude-haiku-4-5'], hard: ['vllm/big'] },
          rules: [{ when: { kind: 'lookup' }, model: 'vllm/x' }],
        })
      ).status,
    ).toBe(200);
    gateway = ground.start();
    const { body } = await gateway.call('POST', '/v1/chat/completions', agent, ask);
    expect(body.fluxcompute).toMatchObject({ reason: 'floor', model_attempted: 'claude-haiku-4-5' });
    expect((await get()).body.effective.tiers.hard).toEqual(['anthropic/claude-opus-5-5']);
  });

  test('settings of a newer version, rolled back: what is known of them holds', async () => {
    await ground.postgres.read(
      `INSERT INTO customer_settings (customer, version, settings, sealed, created_by)
       VALUES ('acme', 1, '{"mode":"observe","from_the_future":[1],"tags":"not a list"}', '{}', 'x')`,
    );
    const { body } = await gateway.call('POST', '/v1/chat/completions', agent, ask);
    expect(body.fluxcompute.reason).toBe('observe');
  });
});

describe("a customer's own provider key", () => {
  const OWN = 'sk-ant-own-CANARY-0123456789';
  const used = () => String(ground.upstream.requests.at(-1)?.headers.authorization).replace(/^Bearer /, '');

  test('is used for its calls alone, and never given back', async () => {
    const set = await put({ provider_keys: { anthropic: OWN } });
    expect(set.body.settings.provider_keys).toEqual({ anthropic: { set: true } });
    await gateway.call('POST', '/v1/chat/completions', agent, ask);
    expect(used()).toBe(OWN);
    await gateway.call('POST', '/v1/chat/completions', globex, ask);
    expect(used()).toBe('sk-ant-CANARY');
    // In a new isolate, out of Redis and out of Postgres.
    for (const flush of [false, true]) {
      await gateway.settled();
      if (flush) await ground.redis.direct.flushall();
      gateway = ground.start();
      await gateway.call('POST', '/v1/chat/completions', agent, ask);
      expect(used()).toBe(OWN);
    }
    const shown = await Promise.all(
      ['/api/settings', '/api/settings?version=1', '/api/settings/versions', '/api/audit'].map((path) =>
        get(path),
      ),
    );
    const rows = await ground.postgres.read(
      'SELECT customer_settings::text FROM customer_settings UNION ALL SELECT audit::text FROM audit',
    );
    const values = await Promise.all(
      (await ground.redis.direct.keys('*')).map((name) => ground.redis.direct.get(name)),
    );
    expect(JSON.stringify([shown, rows, values])).not.toContain('CANARY');
  });

  test('stays where it is said to be set, and goes when it is taken out, from older versions too', async () => {
    await put({ provider_keys: { anthropic: OWN, openai: 'sk-own-openai' } });
    const { settings } = (await get()).body;
    expect((await put({ ...settings, mode: 'route' })).status).toBe(200);
    await gateway.call('POST', '/v1/chat/completions', agent, ask);
    expect(used()).toBe(OWN);
    expect((await patch({ provider_keys: { anthropic: null } })).body.settings.provider_keys).toEqual({
      openai: { set: true },
    });
    await gateway.call('POST', '/v1/chat/completions', agent, ask);
    expect(used()).toBe('sk-ant-CANARY');
    const rows = await ground.postgres.read('SELECT version, sealed FROM customer_settings ORDER BY version');
    expect(rows.map(({ sealed }) => Object.keys(sealed as object))).toEqual([[], [], ['openai']]);
  });

  test("sealed for one customer, it opens for no other; the deployment's key is not taken in its place", async () => {
    await put({ provider_keys: { anthropic: OWN } });
    await ground.postgres.read(
      `INSERT INTO customer_settings (customer, version, settings, sealed, created_by)
       SELECT 'globex', 1, settings, sealed, 'thief' FROM customer_settings`,
    );
    const { status, body } = await gateway.call('POST', '/v1/chat/completions', globex, ask);
    expect(status).toBe(502);
    expect(body.error).toMatchObject({
      code: 'provider_auth',
      message: expect.stringContaining('provider_keys.anthropic'),
    });
    expect(ground.upstream.requests).toHaveLength(0);
  });

  test('refused by the provider: its own key is named, not ours', async () => {
    await put({ provider_keys: { anthropic: OWN } });
    const { replies } = ground.upstream;
    ground.upstream.replies = [
      (response) => {
        response.writeHead(401, { 'content-type': 'application/json' });
        response.end(
          '{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}',
        );
      },
    ];
    const { status, body } = await gateway.call('POST', '/v1/chat/completions', agent, ask);
    ground.upstream.replies = replies;
    expect(status).toBe(502);
    expect(body.error.message).toMatch(/key of your own.*provider_keys\.anthropic/);
    expect(JSON.stringify(body)).not.toContain('CANARY');
  });

  test('without FLUX_SECRET it is refused, never kept in the clear', async () => {
    gateway = ground.start({ FLUX_SECRET: '' });
    const { status, body } = await put({ provider_keys: { anthropic: OWN } });
    expect(status).toBe(503);
    expect(body.error.message).toContain('FLUX_SECRET');
    expect((await get()).body.version).toBe(0);
  });
});
