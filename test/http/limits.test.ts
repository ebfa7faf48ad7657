import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ANSWERS, sse } from '../providers/upstream.ts';
import { ask, type CustomerGateway, type Ground, KEYS, startGround } from './customer-gateway.ts';

let ground: Ground;
let gateway: CustomerGateway;
const { acme, agent, globex, operator } = KEYS;
const idOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 12);

const NO_BUDGET = {
  tag: null,
  usd_per_day: null,
  usd_per_month: null,
  over_budget: null,
  today: null,
  this_month: null,
};

beforeAll(async () => {
  ground = await startGround();
}, 60_000);
afterAll(() => ground.close());
beforeEach(async () => {
  await ground.reset();
  gateway = ground.start();
  // At the start of a minute, so that none turns inside a test.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 10, 23, 12) });
});
afterEach(async () => {
  await gateway.settled();
  vi.useRealTimers();
});

const limit = (requests: number | null, tokens: number | null, key_id: string | null = null, by = acme) =>
  gateway.call('PUT', '/api/limits', by, {
    key_id,
    requests_per_minute: requests,
    tokens_per_minute: tokens,
  });
const chat = (key = agent, body: object = ask) => gateway.call('POST', '/v1/chat/completions', key, body);
const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

describe('setting limits', () => {
  test('none is the default; what is set is shown, and null takes it back', async () => {
    expect((await gateway.call('GET', '/api/limits', acme)).body).toEqual({ data: [] });
    await limit(60, null);
    const { body } = await limit(10, 5000, idOf(agent));
    expect(body.data).toEqual([
      {
        ...NO_BUDGET,
        over_budget: 'refuse',
        key_id: null,
        requests_per_minute: 60,
        tokens_per_minute: null,
        updated_at: expect.any(String),
        updated_by: idOf(acme),
      },
      {
        ...NO_BUDGET,
        key_id: idOf(agent),
        requests_per_minute: 10,
        tokens_per_minute: 5000,
        updated_at: expect.any(String),
        updated_by: idOf(acme),
      },
    ]);
    expect((await gateway.call('GET', '/api/limits', acme)).body).toEqual(body);
    expect((await gateway.call('GET', '/api/limits', globex)).body).toEqual({ data: [] });
    expect((await limit(null, null)).body.data[0]).toMatchObject({ requests_per_minute: null });
    expect(
      (
        await gateway.call('PUT', '/api/limits?customer=acme', operator, {
          requests_per_minute: 5,
          tokens_per_minute: null,
        })
      ).status,
    ).toBe(200);
  });

  test.each([
    [{ requests_per_minute: 0, tokens_per_minute: null }, 'requests_per_minute'],
    [{ requests_per_minute: 1.5, tokens_per_minute: null }, 'requests_per_minute'],
    [{ requests_per_minute: 5 }, 'tokens_per_minute'],
    [{ requests_per_minute: 5, tokens_per_minute: 5, per_day: 1 }, 'per_day'],
  ])('%o is a 400 that names %s', async (body, param) => {
    const answer = await gateway.call('PUT', '/api/limits', acme, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.param).toBe(param);
  });

  test("another customer's key is not there", async () => {
    expect((await limit(5, null, idOf(globex))).status).toBe(404);
  });
});

describe('requests a minute', () => {
  test('the one too many is a 429 that says the limit and when to come back, and then it fits', async () => {
    await limit(3, null);
    for (let asked = 0; asked < 3; asked++) expect((await chat()).status).toBe(200);
    const refused = await chat();
    expect(refused.status).toBe(429);
    expect(refused.body.error).toMatchObject({
      type: 'rate_limit_error',
      code: 'rate_limit_exceeded',
      message: expect.stringMatching(
        /limit of all of this customer's API keys together is 3 requests a minute.*PUT \/api\/limits/,
      ),
    });
    expect(refused.headers.get('retry-after')).toBe('80');
    expect(ground.upstream.requests).toHaveLength(3);
    later(79_000);
    expect((await chat()).status).toBe(429);
    later(1_000);
    expect((await chat()).status).toBe(200);
    // What decides over limits is not limited by them, nor is another customer.
    expect((await gateway.call('GET', '/api/limits', acme)).status).toBe(200);
    expect((await chat(globex)).status).toBe(200);
  });

  test('of one key, beside the customer’s', async () => {
    await limit(5, null);
    await limit(2, null, idOf(agent));
    expect((await chat()).status).toBe(200);
    expect((await chat()).status).toBe(200);
    const refused = await chat();
    expect(refused.body.error.message).toContain('limit of this API key is 2 requests');
    for (let asked = 0; asked < 3; asked++) expect((await chat(acme)).status).toBe(200);
    expect((await chat(acme)).status).toBe(429);
  });

  test('isolates know of each other after a second, and of what was before them', async () => {
    await limit(10, null);
    for (let asked = 0; asked < 4; asked++) await chat();
    await gateway.settled();
    const other = ground.start();
    // Its first request goes out with its counts, and brings home those of the others.
    expect((await other.call('POST', '/v1/chat/completions', agent, ask)).status).toBe(200);
    await other.settled();
    const statuses = [];
    for (let asked = 0; asked < 6; asked++) {
      statuses.push((await other.call('POST', '/v1/chat/completions', agent, ask)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    await other.settled();
  });

  test('no request waits for the count: Redis that hangs or is down costs nothing, and each isolate goes on alone', async () => {
    await limit(3, null);
    await chat();
    await gateway.settled();
    for (const mood of ['hang', 'down'] as const) {
      ground.redis.mood = mood;
      expect((await chat()).status).toBe(200);
    }
    expect((await chat()).status).toBe(429);
  });
});

describe('tokens a minute', () => {
  const long = (words: number) => ({ ...ask, messages: [{ role: 'user', content: 'word '.repeat(words) }] });

  test('are estimated when a step comes, and corrected to what it used', async () => {
    await limit(null, 1_000);
    // About 300 as estimated; the provider says 14.
    for (let asked = 0; asked < 20; asked++) {
      expect((await chat(agent, long(300))).status).toBe(200);
    }
    // What is under way counts as estimated, until it is known.
    const statuses = (await Promise.all(Array.from({ length: 6 }, () => chat(agent, long(300))))).map(
      ({ status }) => status,
    );
    expect(statuses).toContain(200);
    expect(statuses).toContain(429);
  });

  test('a request that is more than the limit is told so: waiting would not help', async () => {
    await limit(null, 100);
    const { status, body } = await chat(agent, long(500));
    expect(status).toBe(429);
    expect(body.error).toMatchObject({
      code: 'request_exceeds_limit',
      message: expect.stringContaining('100 tokens a minute'),
    });
    // It was not charged.
    expect((await chat()).status).toBe(200);
  });

  test('a step that fails used none', async () => {
    await limit(null, 500);
    for (let asked = 0; asked < 5; asked++) {
      const { status } = await chat(agent, { ...long(300), n: 2 });
      expect(status).toBe(400);
    }
    expect((await chat(agent, long(300))).status).toBe(200);
  });
});

describe('traps T63: bytes in flight', () => {
  test('what does not fit beside the others is a 503; when they are done it does', async () => {
    vi.useRealTimers();
    gateway = ground.start({ FLUX_MAX_BYTES_IN_FLIGHT: '100000', FLUX_MAX_BODY_BYTES: '60000' });
    const big = { ...ask, messages: [{ role: 'user', content: 'x'.repeat(40_000) }] };
    const { replies } = ground.upstream;
    const waiting: (() => void)[] = [];
    ground.upstream.replies = [
      (response, request) => void waiting.push(() => replies[0]?.(response, request)),
    ];
    const [first, second] = [chat(agent, big), chat(agent, big)];
    await expect.poll(() => waiting.length).toBe(2);
    const refused = await chat(agent, big);
    expect(refused.status).toBe(503);
    expect(refused.body.error.code).toBe('overloaded');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // A small one fits.
    const small = chat();
    await expect.poll(() => waiting.length).toBe(3);
    for (const answer of waiting) answer();
    for (const done of [first, second, small]) expect((await done).status).toBe(200);
    ground.upstream.replies = replies;
    expect((await chat(agent, big)).status).toBe(200);
  });

  test('a length that is claimed counts before a byte came; without one, bytes count as they come', async () => {
    vi.useRealTimers();
    gateway = ground.start({ FLUX_MAX_BYTES_IN_FLIGHT: '3000', FLUX_MAX_BODY_BYTES: '3000' });
    const send = (init: object) =>
      gateway.request('/v1/chat/completions', { method: 'POST', ...init } as RequestInit, agent);
    const { replies } = ground.upstream;
    let finish = () => {};
    ground.upstream.replies = [
      (response, request) => {
        finish = () => replies[0]?.(response, request);
      },
    ];
    const held = chat(agent, { ...ask, messages: [{ role: 'user', content: 'x'.repeat(2_000) }] });
    await expect.poll(() => ground.upstream.requests.length).toBe(1);
    expect((await send({ body: '{}', headers: { 'content-length': '2000' } })).status).toBe(503);
    const unknown = (size: number) => ({
      body: new Blob(['{"a":"', 'x'.repeat(size), '"}']).stream(),
      duplex: 'half',
    });
    expect((await send(unknown(2_000))).status).toBe(503);
    expect((await send(unknown(4_000))).status).toBe(413);
    // They let go of what they held: this is read, and found wanting.
    for (let asked = 0; asked < 5; asked++) expect((await send(unknown(600))).status).toBe(400);
    finish();
    expect((await held).status).toBe(200);
    ground.upstream.replies = replies;
  });

  test('a stream holds its bytes until it is over', async () => {
    vi.useRealTimers();
    gateway = ground.start({ FLUX_MAX_BYTES_IN_FLIGHT: '60000', FLUX_MAX_BODY_BYTES: '60000' });
    const big = { ...ask, stream: true, messages: [{ role: 'user', content: 'x'.repeat(40_000) }] };
    const { replies } = ground.upstream;
    const { start, said, end } = ANSWERS['anthropic-messages'];
    let finish = () => {};
    ground.upstream.replies = [
      (response, request) => {
        sse([...start, ...said], 'silence')(response, request);
        finish = () => sse(end)(response, request);
      },
    ];
    const stream = await gateway.chat(big, {}, agent);
    expect(stream.status).toBe(200);
    expect((await chat(agent, { ...big, stream: false })).status).toBe(503);
    finish();
    expect(await stream.text()).toContain('[DONE]');
    await gateway.settled();
    ground.upstream.replies = replies;
    expect((await chat(agent, { ...big, stream: false })).status).toBe(200);
  });
});
