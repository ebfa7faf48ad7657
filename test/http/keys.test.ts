import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
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
  vi.useRealTimers();
  await gateway.settled();
});

/** A key made by `by` for an agent. */
const make = async (by = acme, scopes = ['infer'], path = '/api/keys') => {
  const { status, body } = await gateway.call('POST', path, by, { name: 'an agent', scopes });
  expect(status).toBe(201);
  return body as { id: string; key: string; customer: string };
};
const chatStatus = async (key: string) =>
  (await gateway.call('POST', '/v1/chat/completions', key, ask)).status;
/** Time passes; what waits for stores goes on. */
const later = (ms: number) => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + ms });

describe('a key made', () => {
  test('is shown once, works at once, and only as far as its scopes', async () => {
    const made = await gateway.call('POST', '/api/keys', acme, {
      name: 'CI of team search',
      scopes: ['read', 'infer', 'read'],
    });
    expect(made.status).toBe(201);
    expect(made.headers.get('cache-control')).toBe('no-store');
    expect(made.body).toEqual({
      id: createHash('sha256').update(made.body.key).digest('hex').slice(0, 12),
      key: expect.stringMatching(/^flx_[A-Za-z0-9_-]{32}$/),
      customer: 'acme',
      name: 'CI of team search',
      scopes: ['infer', 'read'],
      configured: false,
      created_at: expect.stringMatching(/Z$/),
      created_by: createHash('sha256').update(acme).digest('hex').slice(0, 12),
      revoked_at: null,
      revoked_by: null,
    });
    expect(await chatStatus(made.body.key)).toBe(200);
    expect((await gateway.call('GET', '/api/keys', made.body.key)).status).toBe(403);
    const { key: _secret, ...shown } = made.body;
    const { body } = await gateway.call('GET', '/api/keys', acme);
    expect(body.data).toContainEqual(shown);
    expect(body.data.map((key: { configured: boolean }) => key.configured)).toEqual([true, true, false]);
  });

  test('is nowhere but in that answer: the stores have its SHA-256', async () => {
    const { key } = await make();
    expect(await chatStatus(key)).toBe(200);
    await gateway.settled();
    const rows = await ground.postgres.read(
      'SELECT api_keys::text AS row FROM api_keys UNION ALL SELECT audit::text FROM audit',
    );
    const values = await Promise.all(
      (await ground.redis.direct.keys('*')).map(
        async (name) => `${name} ${await ground.redis.direct.get(name)}`,
      ),
    );
    const kept = JSON.stringify([rows, values]);
    expect(kept).toContain(createHash('sha256').update(key).digest('hex'));
    expect(kept).not.toContain(key.slice(4));
  });

  test('by the operator is of the customer they say, in the query or in the body', async () => {
    expect((await make(operator, ['infer'], '/api/keys?customer=initech')).customer).toBe('initech');
    const said = { name: 'x', scopes: ['infer'], customer: 'initech' };
    expect((await gateway.call('POST', '/api/keys', operator, said)).body.customer).toBe('initech');
    expect((await gateway.call('POST', '/api/keys?customer=other', operator, said)).status).toBe(400);
    expect(
      (await gateway.call('POST', '/api/keys?customer=a/b', operator, { name: 'x', scopes: ['infer'] }))
        .status,
    ).toBe(400);
    expect((await gateway.call('POST', '/api/keys', operator, { name: 'x', scopes: ['infer'] })).status).toBe(
      400,
    );
    expect((await gateway.call('POST', '/api/keys', acme, said)).status).toBe(403);
  });

  test.each([
    [{ name: 'x' }, 'scopes'],
    [{ name: 'x', scopes: [] }, 'scopes'],
    [{ name: 'x', scopes: ['root'] }, 'scopes[0]'],
    [{ name: 'ü', scopes: ['infer'] }, 'name'],
    [{ name: 'x', scopes: ['infer'], expires: 1 }, 'expires'],
  ])('%o is a 400 that names %s', async (body, param) => {
    const { status, body: answer } = await gateway.call('POST', '/api/keys', acme, body);
    expect(status).toBe(400);
    expect(answer.error.param).toBe(param);
  });
});

describe('a key revoked', () => {
  test('is refused at once here, and says since when; doing it again changes nothing', async () => {
    const { id, key } = await make();
    expect(await chatStatus(key)).toBe(200);
    const revoked = await gateway.call('DELETE', `/api/keys/${id}`, acme);
    expect(revoked.status).toBe(200);
    expect(revoked.body.revoked_at).toMatch(/Z$/);
    const again = await gateway.call('DELETE', `/api/keys/${id}`, globex);
    expect(again.status).toBe(404);
    expect((await gateway.call('DELETE', `/api/keys/${id}`, acme)).body).toEqual(revoked.body);
    const refused = await gateway.call('POST', '/v1/chat/completions', key, ask);
    expect(refused.status).toBe(401);
    expect(refused.body.error.code).toBe('revoked_api_key');
    const { body: audit } = await gateway.call('GET', '/api/audit', acme);
    expect(audit.data.map((entry: { action: string }) => entry.action)).toEqual(['key.revoke', 'key.create']);
  });

  test.each([
    ['made', async () => (await make()).key],
    ['of FLUX_API_KEYS', async () => agent],
  ])('%s: stays so after a restart, and where Redis forgot it', async (_kind, keyOf) => {
    const key = await keyOf();
    const id = createHash('sha256').update(key).digest('hex').slice(0, 12);
    expect((await gateway.call('DELETE', `/api/keys/${id}`, acme)).status).toBe(200);
    await gateway.settled();
    for (const flush of [false, true]) {
      if (flush) await ground.redis.direct.flushall();
      gateway = ground.start();
      expect(await chatStatus(key)).toBe(401);
      expect(await chatStatus(acme)).toBe(200);
    }
    const { body } = await gateway.call('GET', '/api/keys', acme);
    expect(body.data.find((entry: { id: string }) => entry.id === id).revoked_at).not.toBeNull();
  });

  test('of another isolate: works there for at most a minute, and never where the key was idle for longer', async () => {
    const { id, key } = await make();
    const there = gateway;
    expect(await chatStatus(key)).toBe(200);
    await gateway.settled();
    // This isolate has read the key; another one, which shares nothing but the stores, revokes it.
    await ground.postgres.read('UPDATE api_keys SET revoked_at = now(), revoked_by = $2 WHERE id = $1', [
      id,
      'x',
    ]);
    await ground.redis.direct.flushall();
    expect(await chatStatus(key)).toBe(200);
    later(31_000);
    // Still served while it is read anew beside the answer.
    expect(await chatStatus(key)).toBe(200);
    await there.settled();
    expect(await chatStatus(key)).toBe(401);

    const second = await make();
    expect(await chatStatus(second.key)).toBe(200);
    await ground.postgres.read('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [second.id]);
    await ground.redis.direct.flushall();
    later(61_000);
    expect(await chatStatus(second.key)).toBe(401);
  });

  test('of another customer, or none: a 404 that says the same', async () => {
    const { id } = await make(globex);
    const foreign = await gateway.call('DELETE', `/api/keys/${id}`, acme);
    const none = await gateway.call('DELETE', '/api/keys/000000000000', acme);
    expect(foreign.status).toBe(404);
    expect(foreign.body).toEqual(none.body);
    const ofAgent = createHash('sha256').update(agent).digest('hex').slice(0, 12);
    expect((await gateway.call('DELETE', `/api/keys/${ofAgent}`, globex)).status).toBe(404);
    expect(await chatStatus(agent)).toBe(200);
  });
});

describe('waits for stores', () => {
  const calls = () => ground.postgres.calls + ground.redis.calls;

  test('a warm request makes none before its answer; a cold one asks both stores at once', async () => {
    const { key } = await make();
    for (const known of [agent, key]) {
      gateway = ground.start();
      const before = calls();
      expect(await chatStatus(known)).toBe(200);
      await gateway.settled();
      expect(calls() - before).toBeLessThanOrEqual(3);
      // Stores that never answer: who waits for one hangs.
      ground.postgres.mood = 'hang';
      ground.redis.mood = 'hang';
      expect(await chatStatus(known)).toBe(200);
      ground.postgres.mood = 'up';
      ground.redis.mood = 'up';
    }
  });

  test('with 40 ms before every answer of a store: one wait when cold, none when warm', async () => {
    const { key } = await make();
    await gateway.settled();
    for (const known of [agent, key]) {
      await ground.redis.direct.flushall();
      gateway = ground.start();
      const { postgres, redis, upstream } = ground;
      for (const store of [postgres, redis]) Object.assign(store, { delay: 40, spans: [] });
      upstream.requests.length = 0;
      for (let asked = 1; asked <= 3; asked++) {
        expect(await chatStatus(known)).toBe(200);
        expect(upstream.requests).toHaveLength(asked);
      }
      await gateway.settled();
      // One question to each, both under way at the same time.
      const [one, other] = [postgres.spans[0], redis.spans[0]];
      expect(Math.max(one?.from ?? 0, other?.from ?? 0)).toBeLessThan(Math.min(one?.to ?? 0, other?.to ?? 0));
      // Besides, Redis is told, beside the first answer; nobody asks again.
      expect([postgres.spans.length, redis.spans.length]).toEqual([1, 2]);
      for (const store of [postgres, redis]) store.delay = 0;
    }
  });

  test('a flood of one wrong key asks once; of keys that look like none of ours, never', async () => {
    const wrong = `flx_${'x'.repeat(32)}`;
    const before = calls();
    const statuses = await Promise.all(Array.from({ length: 50 }, () => chatStatus(wrong)));
    expect(new Set(statuses)).toEqual(new Set([401]));
    expect(calls() - before).toBe(2);
    for (const other of ['sk-ant-xyz', 'flx_short', `${wrong}!`]) expect(await chatStatus(other)).toBe(401);
    expect(calls() - before).toBe(2);
    expect(await ground.redis.direct.keys('*')).toEqual([]);
  });
});

describe('stores down', () => {
  test('both: what is known holds, open; a key never seen here is a 503, not a 401', async () => {
    const { key } = await make();
    expect(await chatStatus(key)).toBe(200);
    await gateway.settled();
    const logged = vi.spyOn(console, 'warn').mockImplementation(() => {});
    ground.postgres.mood = 'down';
    ground.redis.mood = 'down';
    // Never asked for before, but configured.
    expect(await chatStatus(agent)).toBe(200);
    const unseen = await gateway.call('POST', '/v1/chat/completions', `flx_${'y'.repeat(32)}`, ask);
    expect(unseen.status).toBe(503);
    expect(unseen.body.error.code).toBe('keys_unavailable');
    expect(Number(unseen.headers.get('retry-after'))).toBeGreaterThan(0);
    for (const ms of [31_000, 10 * 60_000, 10 * 60_000]) {
      later(ms);
      expect(await chatStatus(key)).toBe(200);
      expect(await chatStatus(agent)).toBe(200);
      await gateway.settled();
    }
    expect(logged.mock.calls.join('\n')).toContain('access_held');
    logged.mockRestore();
    const made = await gateway.call('POST', '/api/keys', acme, { name: 'x', scopes: ['infer'] });
    expect(made.status).toBe(503);
    expect(made.body.error.code).toBe('database_unavailable');
  });

  test.each([
    ['postgres', 'down'],
    ['postgres', 'hang'],
    ['redis', 'down'],
    ['redis', 'hang'],
  ] as const)('%s alone %s: a key made works in a new isolate', async (store, mood) => {
    const { key } = await make();
    // Both stores know it.
    expect(await chatStatus(key)).toBe(200);
    await gateway.settled();
    ground[store].mood = mood;
    gateway = ground.start();
    expect(await chatStatus(key)).toBe(200);
    ground[store].mood = 'up';
  });
});
