import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TOKEN_CLASSES } from '../../src/core/accounting/usage.ts';
import type { RouteCandidate, RoutePlan } from '../../src/http/routes/route.ts';
import { ask, type CustomerGateway, type Ground, KEYS, type Seen, startGround } from './customer-gateway.ts';

let ground: Ground;
let gateway: CustomerGateway;
const { acme, agent, globex } = KEYS;

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

const route = (body: unknown, headers: object = {}, key = agent): Promise<Seen> =>
  gateway.call('POST', '/v1/route', key, body, headers);
/** The step itself. */
const step = (body: unknown, headers: object = {}): Promise<Seen> =>
  gateway.call('POST', '/v1/chat/completions', agent, body, headers);
async function planOf(body: object, headers: object = {}, key = agent): Promise<RoutePlan> {
  const { status, body: plan } = await route({ ...ask, ...body }, headers, key);
  expect(status, JSON.stringify(plan)).toBe(200);
  return plan;
}
async function set(settings: object, key = acme): Promise<void> {
  expect((await gateway.call('PUT', '/api/settings', key, settings)).status).toBe(200);
}
/** Each candidate by its model: why it is excluded, null where it is not. */
const exclusions = ({ candidates }: RoutePlan) =>
  Object.fromEntries(candidates.map(({ model, excluded_by }) => [model, excluded_by]));
const candidateOf = ({ candidates }: RoutePlan, model: string): RouteCandidate => {
  const found = candidates.find((one) => one.model === model);
  if (!found) throw new Error(`${model} is not among the candidates`);
  return found;
};

const [HAIKU, SONNET, OPUS] = ['claude-haiku-5-5', 'claude-sonnet-5-5', 'claude-opus-5-5'];
const IMAGE = {
  type: 'image_url',
  image_url: {
    url: 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  },
};
const PICTURE = { role: 'user', content: [{ type: 'text', text: 'What colour is this?' }, IMAGE] };
/** A server of one's own beside Anthropic: blind, and free or without a known price. */
const blindTier = (prices: object) => ({
  FLUX_PROVIDERS: JSON.stringify([
    {
      ...{ id: 'own', kind: 'openai', base_url: 'http://127.0.0.1:1/v1' },
      ...{ capabilities: { vision: false }, ...prices },
    },
  ]),
  FLUX_TIERS: JSON.stringify({ easy: ['own/tiny', HAIKU], medium: [SONNET], hard: [OPUS] }),
});

describe('the plan', () => {
  test('has the shape of the contract', async () => {
    const plan = await planOf({});
    expect(plan).toEqual({
      plan: {
        provider: 'anthropic',
        model: HAIKU,
        tier: 'easy',
        floor: 'easy',
        reason: 'floor',
        switch: false,
      },
      difficulty: {
        score: expect.closeTo(0.06, 1),
        label: 'easy',
        unknown: false,
        signals: Object.fromEntries(
          ['length', 'reasoning', 'math', 'code', 'lookup', 'constraints', 'loop'].map((name) => [
            name,
            expect.any(Number),
          ]),
        ),
      },
      candidates: [
        [HAIKU, 'easy'],
        [SONNET, 'medium'],
        [OPUS, 'hard'],
      ].map(([model, tier]) => ({
        provider: 'anthropic',
        model,
        tier,
        eligible: true,
        excluded_by: null,
        now_usd: expect.any(Number),
        ahead_usd: expect.any(Number),
        total_usd: expect.any(Number),
        tokens: Object.fromEntries(TOKEN_CLASSES.map((name) => [name, expect.any(Number)])),
        estimated: true,
      })),
      baseline: { model: OPUS, now_usd: expect.any(Number) },
      adapted: [],
      basis: 'prior',
      profile_version: 0,
      price_book: expect.stringMatching(/^genai-prices-/),
    });
  });

  test('the prices are of the expected tokens, and the total is this step and those after it', async () => {
    const plan = await planOf({});
    for (const { now_usd, ahead_usd, total_usd, tokens } of plan.candidates) {
      expect(now_usd).toBeGreaterThan(0);
      expect(total_usd).toBeCloseTo((now_usd ?? 0) + (ahead_usd ?? 0), 10);
      expect(tokens?.fresh).toBeGreaterThan(0);
      expect(tokens?.output).toBeGreaterThan(0);
      for (const count of Object.values(tokens ?? {})) expect(Number.isInteger(count)).toBe(true);
    }
    expect(plan.baseline.now_usd).toBe(candidateOf(plan, OPUS).now_usd);
    const totals = plan.candidates.map(({ total_usd }) => total_usd);
    expect(totals[0]).toBe(Math.min(...totals.map(Number)));
    // 8,000 characters are over a cache's minimum: they are written, none was there to be read.
    const long = await planOf({ messages: [{ role: 'user', content: 'What is this? '.repeat(600) }] });
    expect(candidateOf(long, SONNET).tokens).toMatchObject({ fresh: 0, read: 0, write_1h: 0 });
    expect(candidateOf(long, SONNET).tokens?.write_5m).toBeGreaterThan(1_000);
  });

  test('nothing tells: medium, and it says that it does not know', async () => {
    const plan = await planOf({ messages: [{ role: 'user', content: 'ok' }] });
    expect(plan.difficulty).toMatchObject({ label: 'medium', unknown: true });
    expect(exclusions(plan)).toEqual({ [HAIKU]: 'floor', [SONNET]: null, [OPUS]: null });
  });

  test('what would be adapted for the chosen model', async () => {
    const plan = await planOf({ model: SONNET, temperature: 0.5, logit_bias: {}, metadata: { a: 'b' } });
    expect(plan.adapted).toContainEqual({ field: 'temperature', action: 'dropped', from: 0.5 });
  });

  test('streaming changes nothing: the plan is JSON', async () => {
    const { body, headers } = await route({ ...ask, stream: true });
    expect(headers.get('content-type')).toBe('application/json');
    expect(body).toEqual(await planOf({}));
  });
});

describe('candidates', () => {
  test('a forced tier: what is under it has a price for this step, and none ahead', async () => {
    const plan = await planOf({ model: 'auto:medium' });
    expect(plan.plan).toMatchObject({
      model: SONNET,
      tier: 'medium',
      floor: 'medium',
      reason: 'forced_tier',
    });
    expect(exclusions(plan)).toEqual({ [HAIKU]: 'floor', [SONNET]: null, [OPUS]: null });
    expect(candidateOf(plan, HAIKU)).toMatchObject({
      eligible: false,
      now_usd: (await planOf({})).candidates[0]?.now_usd,
      ahead_usd: null,
      total_usd: null,
    });
  });

  test('capped: the cap wins over the floor', async () => {
    const plan = await planOf({ model: 'auto:hard' }, { 'x-fluxcompute-max-tier': 'medium' });
    expect(plan.plan).toMatchObject({ model: SONNET, floor: 'medium', reason: 'capped' });
    expect(exclusions(plan)).toEqual({ [HAIKU]: 'floor', [SONNET]: null, [OPUS]: 'capped' });
    expect(candidateOf(plan, OPUS).now_usd).toBeGreaterThan(0);
    // Also where the cap changes nothing.
    const easy = await planOf({}, { 'x-fluxcompute-max-tier': 'easy' });
    expect(exclusions(easy)).toEqual({ [HAIKU]: null, [SONNET]: 'capped', [OPUS]: 'capped' });
  });

  test('pinned: no other is tried, whatever the floor, and it is its own baseline', async () => {
    const plan = await planOf({ model: HAIKU, messages: [{ role: 'user', content: 'ok' }] });
    expect(plan.plan).toMatchObject({ model: HAIKU, tier: 'easy', reason: 'pinned' });
    expect(exclusions(plan)).toEqual({ [HAIKU]: null, [SONNET]: 'pinned', [OPUS]: 'pinned' });
    expect(plan.baseline).toEqual({ model: HAIKU, now_usd: candidateOf(plan, HAIKU).now_usd });
  });

  test('pinned outside the tiers: it comes first', async () => {
    await set({ allowed_models: ['claude-sonnet-4-6'] });
    const plan = await planOf({ model: 'claude-sonnet-4-6' });
    expect(plan.plan).toMatchObject({ model: 'claude-sonnet-4-6', tier: null, reason: 'pinned' });
    expect(plan.candidates.map(({ model }) => model)).toEqual(['claude-sonnet-4-6', HAIKU, SONNET, OPUS]);
    expect(plan.candidates[0]).toMatchObject({ tier: null, eligible: true, excluded_by: null });
    expect(plan.candidates[0]?.total_usd).toBeGreaterThan(0);
  });

  test("a rule: of a chat completion's path, to a floor or to a model", async () => {
    const when = { path: '/v1/chat/completions' };
    await set({ rules: [{ when, floor: 'hard' }] });
    expect((await planOf({})).plan).toMatchObject({ model: OPUS, floor: 'hard', reason: 'rule' });
    await set({ rules: [{ when, model: HAIKU }] });
    const under = await planOf({ messages: [{ role: 'user', content: 'ok' }] });
    expect(under.plan).toMatchObject({ model: HAIKU, floor: 'easy', reason: 'rule' });
    expect(exclusions(under)).toEqual({ [HAIKU]: null, [SONNET]: null, [OPUS]: null });
    expect(candidateOf(under, HAIKU)).toMatchObject({ eligible: true, total_usd: expect.any(Number) });
  });

  test('traps T8: an image excludes a model that sees none, and says so', async () => {
    gateway = ground.start(blindTier({ prices: { tiny: { input: 0, output: 0 } } }));
    const plan = await planOf({ messages: [PICTURE] });
    expect(candidateOf(plan, 'tiny')).toEqual({
      ...{ provider: 'own', model: 'tiny', tier: 'easy', eligible: false, excluded_by: 'capability' },
      ...{ now_usd: null, ahead_usd: null, total_usd: null, tokens: null, estimated: true },
    });
    expect(plan.plan.model).not.toBe('tiny');
    expect((await planOf({})).plan).toMatchObject({ provider: 'own', model: 'tiny', reason: 'floor' });
  });

  test('traps T42: a model without a price is a candidate, and its cost is null and not 0', async () => {
    gateway = ground.start(blindTier({}));
    const unknown = { now_usd: null, ahead_usd: null, total_usd: null, tokens: null };
    expect(candidateOf(await planOf({}), 'tiny')).toMatchObject({ eligible: true, ...unknown });
    gateway = ground.start(blindTier({ prices: { tiny: { input: 0, output: 0 } } }));
    expect(candidateOf(await planOf({}), 'tiny')).toMatchObject({ eligible: true, now_usd: 0 });
  });

  test("a customer's own tiers, and nobody else's", async () => {
    await set({ tiers: { easy: ['claude-haiku-4-5'] }, baseline_model: SONNET });
    const own = await planOf({});
    expect(own.plan.model).toBe('claude-haiku-4-5');
    expect(own.baseline).toEqual({ model: SONNET, now_usd: candidateOf(own, SONNET).now_usd });
    const other = await planOf({}, {}, globex);
    expect([other.plan.model, other.baseline.model]).toEqual([HAIKU, OPUS]);
    expect(Object.keys(exclusions(other))).not.toContain('claude-haiku-4-5');
  });
});

describe('it is the plan of the step itself', () => {
  const messages = (content: string) => ({ messages: [{ role: 'user', content }] });
  const looped = {
    messages: [
      { role: 'user', content: 'Rename the flag in every file of this repository.' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'ls', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'a.ts b.ts' },
    ],
    tools: [{ type: 'function', function: { name: 'ls', parameters: { type: 'object', properties: {} } } }],
  };
  test.each<[string, object, object, object]>([
    ['a question', {}, {}, {}],
    ['nothing that tells', messages('ok'), {}, {}],
    ['a proof', messages('Prove that every finite integral domain is a field, step by step.'), {}, {}],
    ['a tool loop', looped, {}, {}],
    ['an image', { messages: [PICTURE] }, {}, {}],
    ['a title', messages('Generate a concise title for this conversation: we fixed the build'), {}, {}],
    ['a floor', { model: 'auto:hard' }, {}, {}],
    ['a cap', { model: 'auto:hard' }, { 'x-fluxcompute-max-tier': 'easy' }, {}],
    ['a pinned model', { model: SONNET, temperature: 0.3 }, {}, {}],
    [
      'a rule by tag',
      {},
      { 'x-fluxcompute-tags': 'team=legal' },
      { rules: [{ when: { tag: 'team=legal' }, model: OPUS }] },
    ],
    ['mode observe', {}, {}, { mode: 'observe' }],
    ['a mapped model', { model: 'gpt-4o' }, {}, { model_map: { 'gpt-4o': 'auto:medium' } }],
  ])('%s', async (_name, body, headers, settings) => {
    await set(settings);
    const { plan, difficulty, baseline, adapted, ...versions } = await planOf(body, headers);
    const chat = await step({ ...ask, ...body }, headers);
    expect(chat.status, JSON.stringify(chat.body)).toBe(200);
    const { fluxcompute } = chat.body;
    expect(plan).toMatchObject({
      provider: fluxcompute.provider,
      model: fluxcompute.model_attempted,
      tier: fluxcompute.tier,
      floor: fluxcompute.floor,
      reason: fluxcompute.reason,
    });
    expect(JSON.parse(ground.upstream.requests.at(-1)?.body ?? '{}').model).toBe(plan.model);
    expect(difficulty).toMatchObject({
      score: fluxcompute.difficulty_score,
      label: fluxcompute.difficulty_label,
      signals: fluxcompute.signals,
    });
    expect(baseline.model).toBe(fluxcompute.baseline_model);
    expect(adapted).toEqual(fluxcompute.adapted);
    const { basis, profile_version, price_book } = fluxcompute;
    expect(versions).toMatchObject({ basis, profile_version, price_book });
  });
});

describe('it is only a plan', () => {
  test('no provider is called, no row is written, metrics count nothing', async () => {
    await planOf({}, { 'x-fluxcompute-session': 'support-4711' });
    await planOf({ stream: true });
    await gateway.settled();
    expect(ground.upstream.requests).toEqual([]);
    expect(gateway.rows).toEqual([]);
    expect(await ground.postgres.read('SELECT * FROM queries')).toEqual([]);
    // What it knows of the key, and nothing of the step.
    for (const key of await ground.redis.direct.keys('*')) expect(key).toMatch(/^flux:access:/);
    const metrics = ground.start({ FLUX_API_KEYS: 'flx_acme_reader_key:acme:read' });
    const { body } = await metrics.call('GET', '/api/metrics/summary', 'flx_acme_reader_key');
    expect(body).toMatchObject({ total_queries: 0, passthrough_queries: 0 });
  });

  test('it takes one of the requests a minute, and no tokens', async () => {
    const limits = { requests_per_minute: 3, tokens_per_minute: 10_000 };
    expect((await gateway.call('PUT', '/api/limits', acme, limits)).status).toBe(200);
    // More tokens than a minute has: nothing is sent, so nothing is charged.
    const long = { messages: [{ role: 'user', content: 'word '.repeat(20_000) }] };
    expect((await route({ ...ask, ...long })).status).toBe(200);
    expect((await route(ask)).status).toBe(200);
    expect((await step(ask)).status).toBe(200);
    const refused = await route(ask);
    expect(refused.status).toBe(429);
    expect(refused.body.error.code).toBe('rate_limit_exceeded');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('what would be no step is no plan', () => {
  test.each<[string, object, object, number, string, string | null]>([
    ['an unknown model', { model: 'gpt-99' }, {}, 404, 'model_not_found', 'model'],
    ['no messages', { messages: [] }, {}, 400, 'empty_array', 'messages'],
    ['a wrong type', { temperature: 'hot' }, {}, 400, 'invalid_type', 'temperature'],
    ['what nobody can take', { n: 2 }, {}, 400, 'unsupported_value', 'n'],
    ['a stored object', { previous_response_id: 'r_1' }, {}, 400, 'stored_object', 'previous_response_id'],
    ['a bad cap', {}, { 'x-fluxcompute-max-tier': 'top' }, 400, 'invalid_value', 'X-FluxCompute-Max-Tier'],
    ['bad tags', {}, { 'x-fluxcompute-tags': 'A=b' }, 400, 'invalid_value', 'X-FluxCompute-Tags'],
  ])("%s: the step's own error, in OpenAI's shape", async (_name, body, headers, status, code, param) => {
    const answer = await route({ ...ask, ...body }, headers);
    expect(answer.status).toBe(status);
    expect(answer.body.error).toEqual({
      message: expect.any(String),
      type: 'invalid_request_error',
      param,
      code,
    });
    const chat = await step({ ...ask, ...body }, headers);
    expect([chat.status, chat.body]).toEqual([answer.status, answer.body]);
  });

  test('not JSON, and no body', async () => {
    for (const body of ['{', '']) {
      const response = await gateway.request('/v1/route', { method: 'POST', body }, agent);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { code: 'invalid_json', param: null } });
    }
  });
});
