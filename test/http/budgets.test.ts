import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { budgetsInNode } from '../budget/book-in-node.ts';
import { json } from '../providers/upstream.ts';
import { ANSWERING, ask, type CustomerGateway, type Ground, KEYS, startGround } from './customer-gateway.ts';

let ground: Ground;
let gateway: CustomerGateway;
const { acme, agent, globex } = KEYS;
const idOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 12);
const start = (variables: Record<string, string> = {}) =>
  // A binding stands beside the variables, which are text.
  ground.start({ BUDGETS: budgetsInNode() as never, ...variables });

beforeAll(async () => {
  ground = await startGround();
}, 60_000);
afterAll(() => ground.close());
beforeEach(async () => {
  await ground.reset();
  ground.upstream.replies = [ANSWERING];
  gateway = start();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 10, 30, 12) });
});
afterEach(async () => {
  await gateway.settled();
  vi.useRealTimers();
});

const set = async (body: object, key = acme) => {
  const answer = await gateway.call('PUT', '/api/limits', key, body);
  expect(answer.body).toHaveProperty('data');
  return answer.body.data;
};
const chat = async (body: object = {}, headers: object = {}, key = agent) => {
  const answer = await gateway.call(
    'POST',
    '/v1/chat/completions',
    key,
    { ...ask, max_tokens: 100, ...body },
    headers,
  );
  await gateway.settled();
  return answer;
};
/** What a step like `chat()` reserves. */
async function reservedFor(body: object = {}): Promise<number> {
  await set({ usd_per_day: 1_000 }, globex);
  return (await chat(body, {}, globex)).body.fluxcompute.reserved_usd;
}

describe('setting budgets', () => {
  test('of the customer, a key and a tag, beside limits a minute, which stay as they were', async () => {
    await set({ requests_per_minute: 60, tokens_per_minute: null });
    await set({ usd_per_day: 5.25, usd_per_month: 100 });
    await set({ over_budget: 'easy' });
    await set({ key_id: idOf(agent), usd_per_month: 7 });
    await set({ tag: 'team=search', usd_per_day: 1 });
    expect(await set({ requests_per_minute: 61, tokens_per_minute: 5 })).toMatchObject([
      {
        ...{ key_id: null, tag: null, requests_per_minute: 61, usd_per_day: 5.25, usd_per_month: 100 },
        over_budget: 'easy',
        today: { spent_usd: 0, reserved_usd: 0, ends_at: '2026-12-01T00:00:00.000Z' },
        this_month: { spent_usd: 0, reserved_usd: 0, ends_at: '2026-12-01T00:00:00.000Z' },
      },
      { key_id: idOf(agent), tag: null, usd_per_month: 7, today: null, over_budget: null },
      { key_id: null, tag: 'team=search', usd_per_day: 1, this_month: null, over_budget: null },
    ]);
    expect((await set({ usd_per_day: null, usd_per_month: null }))[0].today).toBeNull();
    const { body } = await gateway.call('GET', '/api/audit', acme);
    const told = body.data.map(({ action, target, detail }: Record<string, unknown>) => ({
      action,
      target,
      detail,
    }));
    for (const [target, detail] of [
      ['acme', { requests_per_minute: 61, tokens_per_minute: 5 }],
      ['acme', { usd_per_day: null, usd_per_month: null }],
      ['team=search', { usd_per_day: 1 }],
    ]) {
      expect(told).toContainEqual({ action: 'limits.update', target, detail });
    }
  });

  test.each([
    [{}, 'requests_per_minute'],
    [{ usd_per_day: 0 }, 'usd_per_day'],
    [{ usd_per_day: '5' }, 'usd_per_day'],
    [{ usd_per_month: 1e7 }, 'usd_per_month'],
    [{ usd_per_day: 5, requests_per_minute: 5 }, 'tokens_per_minute'],
    [{ usd_per_day: 5, over_budget: 'warn' }, 'over_budget'],
    [{ tag: 'Team', usd_per_day: 5 }, 'tag'],
    [{ tag: 'team=a' }, 'usd_per_day'],
    [{ tag: 'team=a', requests_per_minute: 5, usd_per_day: 5 }, 'requests_per_minute'],
    [{ tag: 'team=a', usd_per_day: 5, over_budget: 'easy' }, 'over_budget'],
    [{ tag: 'team=a', key_id: 'a', usd_per_day: 5 }, 'tag'],
  ])('%o is a 400 that names %s', async (body, param) => {
    const answer = await gateway.call('PUT', '/api/limits', acme, body);
    expect([answer.status, answer.body.error.param]).toEqual([400, param]);
  });
});

describe('a step under a budget', () => {
  test('without one nothing is held back; with one the answer says what, and what it cost counts', async () => {
    expect((await chat()).body.fluxcompute).not.toHaveProperty('reserved_usd');
    await set({ usd_per_day: 1 });
    const { reserved_usd, cost_usd } = (await chat()).body.fluxcompute;
    expect(reserved_usd).toBeGreaterThan(cost_usd);
    const [shown] = (await gateway.call('GET', '/api/limits', acme)).body.data;
    expect(shown.today).toMatchObject({ spent_usd: cost_usd, reserved_usd: 0 });
  });

  test('waits: without a budget its object is never opened; with one it is asked once before the provider', async () => {
    const budgets = budgetsInNode();
    const order: string[] = [];
    const BUDGETS = {
      getByName: (name: string) => {
        order.push(`open ${name}`);
        const object = budgets.getByName(name);
        return {
          ...object,
          reserve: (...asked: Parameters<typeof object.reserve>) => {
            order.push('reserve');
            return object.reserve(...asked);
          },
        };
      },
    };
    gateway = ground.start({ BUDGETS: BUDGETS as never });
    ground.upstream.replies = [
      (response, request) => {
        order.push('provider');
        ANSWERING(response, request);
      },
    ];
    await chat();
    expect(order).toEqual(['provider']);
    await set({ usd_per_day: 1, usd_per_month: 10 });
    order.length = 0;
    await chat();
    expect(order).toEqual(['open acme', 'reserve', 'provider']);
  });

  test('traps T52: a 429 says the limit, what is spent, and when it ends in UTC; the next day begins anew, not the month', async () => {
    const R = await reservedFor();
    vi.setSystemTime(Date.UTC(2026, 10, 29, 23, 59, 50));
    gateway = start();
    await set({ usd_per_day: R });
    const { cost_usd } = (await chat()).body.fluxcompute;
    const refused = await chat();
    expect(refused.status).toBe(429);
    expect(refused.body.error).toMatchObject({ type: 'rate_limit_error', code: 'budget_exceeded' });
    expect(refused.body.error.message).toContain(`keys together is $${R} a day`);
    expect(refused.body.error.message).toContain('$0 reserved');
    expect(refused.body.error.message).toContain('2026-11-30T00:00:00.000Z');
    expect(refused.headers.get('retry-after')).toBe('10');
    vi.setSystemTime(Date.UTC(2026, 10, 30, 0, 0, 0));
    expect((await chat()).status).toBe(200);

    await set({ usd_per_day: null, usd_per_month: R + cost_usd / 2 });
    expect((await chat()).status).toBe(200);
    const monthly = await chat();
    expect(monthly.body.error.message).toContain('2026-12-01T00:00:00.000Z');
    expect(monthly.headers.get('retry-after')).toBe(String(24 * 60 * 60));
    vi.setSystemTime(Date.UTC(2026, 11, 1));
    expect((await chat()).status).toBe(200);
  });

  test('of one key, and of a tag in the header or in metadata, whoever sends it', async () => {
    const R = await reservedFor();
    await set({ key_id: idOf(agent), usd_per_day: R });
    await set({ tag: 'team=search', usd_per_day: R });
    expect((await chat()).status).toBe(200);
    expect((await chat()).body.error.message).toContain('budget of this API key is');
    const tagged = { 'x-fluxcompute-tags': 'team=search' };
    expect((await chat({}, tagged, acme)).status).toBe(200);
    expect((await chat({}, tagged, acme)).body.error.message).toContain('budget of the tag team=search is');
    await gateway.call('PUT', '/api/settings', acme, { tags: ['team'] });
    expect((await chat({ metadata: { team: 'search' } }, {}, acme)).status).toBe(429);
    expect((await chat({ metadata: { team: 'other' } }, {}, acme)).status).toBe(200);
  });

  test('a refusal has the shape of the API that was called, and a request larger than the budget is told so', async () => {
    await set({ usd_per_day: 0.000001 });
    const step = { max_tokens: 100, model: 'auto', messages: ask.messages };
    const claude = await gateway.call('POST', '/v1/messages', agent, step);
    expect(claude).toMatchObject({
      status: 429,
      body: { type: 'error', error: { type: 'rate_limit_error' } },
    });
    expect(claude.body.error.message).toContain('$0.000001 a day (UTC), and this request alone may cost $');
    const gpt = await gateway.call('POST', '/v1/responses', agent, { model: 'auto', input: 'Hi' });
    expect(gpt).toMatchObject({ status: 429, body: { error: { code: 'request_exceeds_budget' } } });
    expect(Number(gpt.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(ground.upstream.requests).toHaveLength(0);
  });

  test('what it reserves grows with max_tokens, bytes, images, answers and tiers; without max_tokens answers end where it does', async () => {
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
    const withParts = (...more: object[]) => ({
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }, ...more] }],
    });
    const small = await reservedFor();
    for (const [more, than] of [
      [{ max_tokens: 200 }, small],
      [{ messages: [{ role: 'user', content: 'word '.repeat(400) }] }, small],
      [withParts(image), small],
      [{ model: 'auto:medium' }, (await reservedFor({ model: 'auto:hard' })) as number],
      [{ max_tokens: undefined }, small],
    ] as const) {
      expect(await reservedFor(more)).toBeGreaterThan(than);
    }
    const { body } = await chat({ max_tokens: undefined }, {}, globex);
    expect(body.fluxcompute.adapted).toContainEqual({ field: 'max_tokens', action: 'clamped', to: 16_384 });
  });

  test('over_budget easy: it goes on, on the easy tier and no higher, and counts', async () => {
    await set({ usd_per_day: 0.0001, over_budget: 'easy' });
    const { status, body } = await chat({ model: 'auto:hard' });
    expect([status, body.fluxcompute]).toMatchObject([200, { tier: 'easy', reason: 'capped' }]);
    const [shown] = (await gateway.call('GET', '/api/limits', acme)).body.data;
    expect(shown.today.spent_usd).toBeCloseTo(body.fluxcompute.cost_usd, 9);
    // A model that was named can't be made another.
    expect((await chat({ model: 'claude-opus-5-5' })).status).toBe(429);
    expect((await chat({ model: 'claude-haiku-5-5' })).status).toBe(200);
  });

  test('traps T42: a model without a price can keep no budget: 400 that names `prices`', async () => {
    const FLUX_PROVIDERS = JSON.stringify([
      { id: 'local', kind: 'openai', base_url: `${ground.upstream.url}/v1`, key_secret: '' },
    ]).replace(',"key_secret":""', '');
    gateway = start({ FLUX_PROVIDERS });
    await gateway.call('PUT', '/api/settings', acme, { allowed_models: ['local/llama'] });
    await set({ usd_per_day: 5 });
    const refused = await chat({ model: 'local/llama' });
    expect([refused.status, refused.body.error]).toMatchObject([
      400,
      { code: 'unpriced_model', param: 'model' },
    ]);
    expect(refused.body.error.message).toContain('`prices`');
    expect(ground.upstream.requests).toHaveLength(0);
    await set({ usd_per_day: null });
    expect((await chat({ model: 'local/llama' })).body.error?.code).not.toBe('unpriced_model');
  });

  test('a step that fails before it is sent leaves nothing behind, one that is refused costs nothing', async () => {
    await set({ usd_per_day: 1 });
    expect((await chat({ n: 2 })).status).toBe(400);
    ground.upstream.replies = [
      json(400, { type: 'error', error: { type: 'invalid_request_error', message: 'no' } }),
    ];
    expect((await chat()).status).toBe(400);
    const [shown] = (await gateway.call('GET', '/api/limits', acme)).body.data;
    expect(shown.today).toMatchObject({ spent_usd: 0, reserved_usd: 0 });
  });

  test('no object bound: closed, and open for who has no budget', async () => {
    gateway = ground.start();
    expect((await chat()).status).toBe(200);
    await set({ usd_per_day: 1 });
    const refused = await chat();
    expect([refused.status, refused.body.error.code, refused.headers.get('retry-after')]).toEqual([
      503,
      'budget_unavailable',
      '5',
    ]);
    expect((await chat({}, {}, globex)).status).toBe(200);
  });
});

describe('a request that is sent on', () => {
  const send = async (path: string, body: object) => {
    const answer = await gateway.call('POST', `/v1${path}`, agent, body);
    await gateway.settled();
    return answer;
  };
  beforeEach(async () => {
    gateway = start({ OPENAI_API_KEY: 'sk-openai', OPENAI_BASE_URL: `${ground.upstream.url}/v1` });
  });

  test('reserves by its bytes, and settles to what it cost', async () => {
    const model = 'text-embedding-3-small';
    ground.upstream.replies = [
      json(200, { data: [], model, usage: { prompt_tokens: 10, total_tokens: 10 } }),
    ];
    await set({ usd_per_day: 1 });
    const { body } = await send('/embeddings', { model, input: 'What is the capital of France?' });
    expect(body.fluxcompute).toMatchObject({ cost_usd: 2e-7, reserved_usd: expect.any(Number) });
    expect(body.fluxcompute.reserved_usd).toBeGreaterThan(2e-7);
    const [shown] = (await gateway.call('GET', '/api/limits', acme)).body.data;
    expect(shown.today).toMatchObject({ spent_usd: 2e-7, reserved_usd: 0 });
  });

  test.each([
    ['/images/generations', { model: 'gpt-image-1', prompt: 'a cat', n: 2 }, 1.6],
    ['/audio/speech', { model: 'gpt-4o-mini-tts', input: 'hello', voice: 'alloy' }, 0.0001],
    ['/completions', { model: 'gpt-3.5-turbo-instruct', prompt: ['a', 'b'], max_tokens: 1_000, n: 2 }, 0.008],
  ])('%s: no more than there is', async (path, body, least) => {
    await set({ usd_per_day: least });
    expect((await send(path, body)).body.error).toMatchObject({ code: 'request_exceeds_budget' });
    await set({ usd_per_day: 1_000 });
    ground.upstream.replies = [json(200, { data: [] })];
    const { status } = await send(path, body);
    expect(status).toBe(200);
    // What it cost is not told: what it probably did counts.
    const [shown] = (await gateway.call('GET', '/api/limits', acme)).body.data;
    expect(shown.today.spent_usd).toBeGreaterThan(0);
    expect(shown.today.reserved_usd).toBe(0);
  });

  test('traps T42: a model without a price', async () => {
    await set({ usd_per_day: 1 });
    expect(
      (await send('/audio/speech', { model: 'tts-1', input: 'hello', voice: 'alloy' })).body.error,
    ).toMatchObject({
      code: 'unpriced_model',
    });
    expect((await send('/moderations', { model: 'omni-moderation-latest', input: 'x' })).status).toBe(200);
  });
});
