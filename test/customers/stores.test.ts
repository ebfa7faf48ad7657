import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type AccessStores,
  AccessUnavailable,
  forgetAccess,
  readAccess,
  refreshAccess,
} from '../../src/customers/access.ts';
import { createKey, hashesOf, listKeys, revokeKey } from '../../src/customers/api-keys.ts';
import { listAudit } from '../../src/customers/audit.ts';
import { listLimits, setLimit } from '../../src/customers/limits.ts';
import { addVersion, listVersions, readSettings } from '../../src/customers/settings-history.ts';
import type { KnownKey } from '../../src/env-keys.ts';
import { migrate } from '../../src/log/migrate.ts';
import { openDatabase } from '../../src/stores/database.ts';
import { openRedis } from '../../src/stores/redis.ts';
import {
  type FaultyPostgres,
  type FaultyRedis,
  onEachPostgres,
  startPostgres,
  startRedis,
} from '../log/stores.ts';

const OWN = { key_id: null, tag: null };
const NONE = {
  requests_per_minute: null,
  tokens_per_minute: null,
  usd_per_day: null,
  usd_per_month: null,
  over_budget: null,
};

let postgres: FaultyPostgres;
let redis: FaultyRedis;
let stores: AccessStores;
let work: Promise<unknown>[];
let requests = 0;
const actor = () => ({ requestId: `request-${++requests}`, keyId: 'the-admin' });
const background = (promise: Promise<unknown>) => void work.push(promise);

const hash = createHash('sha256').update('a-configured-key').digest();
const configured: KnownKey = {
  hash,
  id: hash.toString('hex', 0, 6),
  customer: 'acme',
  scopes: new Set(['infer', 'read'] as const),
};
const question = { hash: hash.toString('hex'), id: configured.id, customer: 'acme' };

onEachPostgres((open) => {
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startPostgres(open), startRedis()]);
    await migrate(postgres.url);
    stores = { database: openDatabase(postgres.url), redis: openRedis(redis.url, 'token') };
  }, 60_000);
  afterAll(() => Promise.all([postgres.close(), redis.close()]));
  beforeEach(async () => {
    work = [];
    postgres.mood = 'up';
    redis.mood = 'up';
    await postgres.read('TRUNCATE api_keys, customer_settings, customer_limits, audit, customer_experience');
    await redis.direct.flushall();
  });

  test('all of a key comes in one read, and out of Redis the same again', async () => {
    const { database } = stores;
    const made = await createKey(database, { customer: 'acme', name: "it's", scopes: ['infer'] }, actor());
    await addVersion(database, 'acme', 0, { settings: { tags: ['a'] }, sealed: {} }, actor());
    await addVersion(
      database,
      'acme',
      1,
      { settings: { mode: 'observe' }, sealed: { openai: 'v1.x.y' } },
      actor(),
    );
    await setLimit(database, 'acme', OWN, { requests_per_minute: 60, tokens_per_minute: null }, actor());
    await setLimit(
      database,
      'acme',
      { key_id: made.id, tag: null },
      { requests_per_minute: null, tokens_per_minute: 7 },
      actor(),
    );
    // What a change does not name stays.
    await setLimit(database, 'acme', OWN, { usd_per_day: 5.25, over_budget: 'easy' }, actor());
    const tag = { key_id: null, tag: 'team=search' };
    await setLimit(database, 'acme', tag, { usd_per_month: 100 }, actor());
    await setLimit(database, 'globex', OWN, { requests_per_minute: 1, tokens_per_minute: 1 }, actor());
    await postgres.read(
      "INSERT INTO customer_experience (customer, counts) VALUES ('acme', '{0.5,2}'), ('globex', '{9,9}')",
    );

    const ask = { hash: createHash('sha256').update(made.key).digest('hex'), id: made.id, customer: null };
    const calls = postgres.calls;
    const facts = await readAccess(stores, ask, background);
    expect(facts).toEqual({
      read_at: expect.any(Number),
      customer: 'acme',
      key: { scopes: ['infer'], revoked: false },
      settings: { version: 2, settings: { mode: 'observe' }, sealed: { openai: 'v1.x.y' } },
      experience: [0.5, 2],
      limits: {
        customer: { ...NONE, requests_per_minute: 60, usd_per_day: 5.25, over_budget: 'easy' },
        key: { ...NONE, tokens_per_minute: 7 },
        tags: { 'team=search': { usd_per_day: null, usd_per_month: 100 } },
      },
    });
    expect(postgres.calls - calls).toBe(1);
    await Promise.all(work);
    postgres.mood = 'down';
    expect(await readAccess(stores, ask, background)).toEqual(facts);
    expect(await refreshAccess(stores, ask)).toEqual(facts);
    await forgetAccess(stores.redis, [ask.hash]);
    await expect(readAccess(stores, ask, background)).rejects.toThrow(AccessUnavailable);
    await expect(refreshAccess(stores, ask)).rejects.toThrow(AccessUnavailable);
  });

  test('a configured key: its customer is that of the configuration, also after that changed', async () => {
    await addVersion(stores.database, 'globex', 0, { settings: { mode: 'observe' }, sealed: {} }, actor());
    expect(await readAccess(stores, question, background)).toMatchObject({
      customer: 'acme',
      key: null,
      settings: null,
    });
    await Promise.all(work);
    const moved = await readAccess(stores, { ...question, customer: 'globex' }, background);
    expect(moved).toMatchObject({ customer: 'globex', settings: { version: 1 } });
  });

  test('nobody knows it: nothing is kept in Redis', async () => {
    const facts = await readAccess(stores, { hash: 'ff', id: 'ff', customer: null }, background);
    expect(facts).toMatchObject({ customer: null, key: null, settings: null });
    await Promise.all(work);
    expect(await redis.direct.keys('*')).toEqual([]);
  });

  test('what Redis holds for Postgres is gone within half a minute', async () => {
    await readAccess(stores, question, background);
    await Promise.all(work);
    const ttl = await redis.direct.ttl(`flux:access:${question.hash}`);
    expect(ttl).toBeGreaterThan(0);
    expect(ttl).toBeLessThanOrEqual(30);
    await redis.direct.set(`flux:access:${question.hash}`, '{"of":"another form"}');
    expect(await refreshAccess(stores, question)).toMatchObject({ customer: 'acme' });
  });

  test('a configured key has a row from when it is revoked, once, and Redis is told', async () => {
    const { database } = stores;
    expect(await listKeys(database, 'acme', [configured])).toMatchObject([
      { configured: true, revoked_at: null },
    ]);
    const revoked = await Promise.all(
      [1, 2, 3].map(() => revokeKey(database, 'acme', configured.id, [configured], actor())),
    );
    expect(new Set(revoked.map((key) => key?.revoked_at)).size).toBe(1);
    expect(await listKeys(database, 'acme', [configured])).toEqual([revoked[0]]);
    expect((await listAudit(database, 'acme', 10, null)).data).toHaveLength(1);
    expect(await hashesOf(database, 'acme', [configured])).toEqual([question.hash]);
    expect(await readAccess(stores, question, background)).toMatchObject({ key: { revoked: true } });
    // No longer configured, or of another customer by now: as revoked as before.
    expect(await readAccess(stores, { ...question, customer: null }, background)).toMatchObject({
      key: { revoked: true },
    });
    const moved = { ...configured, customer: 'globex' };
    expect(await listKeys(database, 'globex', [moved])).toMatchObject([{ revoked_by: 'the-admin' }]);
    expect(await revokeKey(database, 'globex', configured.id, [], actor())).toBeNull();
  });

  test('what fails is told nowhere: a change and its audit are one', async () => {
    const { database } = stores;
    await postgres.read(
      'INSERT INTO audit (id, customer, key_id, action, target, detail) VALUES ($1, $2, $2, $2, $2, $3)',
      ['taken', 'acme', '{}'],
    );
    const taken = { requestId: 'taken', keyId: 'x' };
    await expect(
      createKey(database, { customer: 'acme', name: 'x', scopes: ['read'] }, taken),
    ).rejects.toThrow();
    await expect(addVersion(database, 'acme', 0, { settings: {}, sealed: {} }, taken)).rejects.toThrow();
    await expect(
      setLimit(database, 'acme', OWN, { requests_per_minute: 1, tokens_per_minute: 1 }, taken),
    ).rejects.toThrow();
    await expect(revokeKey(database, 'acme', configured.id, [configured], taken)).rejects.toThrow();
    expect(await listKeys(database, 'acme', [])).toEqual([]);
    expect(await listLimits(database, 'acme')).toEqual([]);
    expect(await readSettings(database, 'acme')).toMatchObject({ version: 0 });
  });

  test('of two edits of one version one is made', async () => {
    const { database } = stores;
    const edits = await Promise.all(
      [1, 2, 3, 4].map((promise) =>
        addVersion(
          database,
          'acme',
          0,
          { settings: { promise: promise / 100 }, sealed: { openai: `${promise}` } },
          actor(),
        ),
      ),
    );
    const [made, ...more] = edits.filter((edit) => edit !== null);
    expect(more).toEqual([]);
    expect(await readSettings(database, 'acme')).toEqual(made);
    expect(await addVersion(database, 'acme', 5, { settings: {}, sealed: {} }, actor())).toBeNull();
    await addVersion(database, 'acme', 1, { settings: {}, sealed: {} }, actor());
    const { data } = await listVersions(database, 'acme', 10, null);
    expect(data.map(({ version, sealed }) => [version, sealed])).toEqual([
      [2, {}],
      [1, {}],
    ]);
  });
});
