import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type CustomerGateway, type Ground, KEYS, startGround } from './customer-gateway.ts';

let ground: Ground;
let gateway: CustomerGateway;
const { acme, agent, globex, operator } = KEYS;
const idOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 12);

beforeAll(async () => {
  ground = await startGround();
}, 60_000);
afterAll(() => ground.close());
beforeEach(async () => {
  await ground.reset();
  gateway = ground.start();
});

const audit = async (key = acme, query = '') => (await gateway.call('GET', `/api/audit${query}`, key)).body;

test('every change leaves a row that says who, what and to what, newest first; what was refused leaves none', async () => {
  expect(await audit()).toEqual({ data: [], next_cursor: null });
  const made = await gateway.call('POST', '/api/keys', acme, {
    name: 'secret project',
    scopes: ['infer', 'read'],
  });
  await gateway.call('PUT', '/api/settings', acme, {
    provider_keys: { anthropic: 'sk-ant-CANARY' },
    mode: 'observe',
  });
  await gateway.call('PUT', '/api/settings', acme, { mode: 'turbo' });
  await gateway.call('PUT', '/api/limits?customer=acme', operator, {
    requests_per_minute: 60,
    tokens_per_minute: null,
  });
  await gateway.call('PUT', '/api/limits', acme, {
    key_id: made.body.id,
    requests_per_minute: null,
    tokens_per_minute: 9,
  });
  await gateway.call('DELETE', `/api/keys/${idOf(agent)}`, acme);
  await gateway.call('DELETE', `/api/keys/${idOf(agent)}`, acme);
  await gateway.call('DELETE', '/api/keys/000000000000', acme);
  const { data } = await audit();
  const base = {
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    at: expect.stringMatching(/Z$/),
    customer: 'acme',
  };
  const mine = { ...base, key_id: idOf(acme) };
  expect(data).toEqual([
    { ...mine, action: 'key.revoke', target: idOf(agent), detail: { configured: true } },
    {
      ...mine,
      action: 'limits.update',
      target: made.body.id,
      detail: { requests_per_minute: null, tokens_per_minute: 9 },
    },
    {
      ...base,
      key_id: idOf(operator),
      action: 'limits.update',
      target: 'acme',
      detail: { requests_per_minute: 60, tokens_per_minute: null },
    },
    {
      ...mine,
      action: 'settings.update',
      target: '1',
      detail: { version: 1, set: ['mode', 'provider_keys'] },
    },
    { ...mine, action: 'key.create', target: made.body.id, detail: { scopes: ['infer', 'read'] } },
  ]);
  expect((await audit(globex)).data).toEqual([]);
});

test('the id is that of the request that did it', async () => {
  const { headers } = await gateway.call('PUT', '/api/settings', acme, { mode: 'observe' });
  expect((await audit()).data[0].id).toBe(headers.get('x-fluxcompute-request-id'));
});

test('pages: each row once, also those of one instant, while more come in', async () => {
  for (let version = 0; version < 7; version++)
    await gateway.call('PUT', '/api/settings', acme, { tags: [] });
  await ground.postgres.read(
    `UPDATE audit SET at = '2026-11-23T12:00:00.123456Z' WHERE target IN ('2', '3', '4', '5')`,
  );
  const targets: string[] = [];
  let cursor = '';
  do {
    const page = await audit(acme, `?limit=2${cursor}`);
    targets.push(...page.data.map((entry: { target: string }) => entry.target));
    if (cursor === '') await gateway.call('PUT', '/api/settings', acme, { tags: ['new'] });
    cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`;
  } while (cursor);
  expect(targets.toSorted()).toEqual(['1', '2', '3', '4', '5', '6', '7']);
});

test.each(['?limit=0', '?limit=201', '?limit=x', "?cursor=1' OR 1=1"])('%s is a 400', async (query) => {
  expect((await gateway.call('GET', `/api/audit${encodeURI(query)}`, acme)).status).toBe(400);
});

test("another customer's cursor opens nothing", async () => {
  for (let version = 0; version < 3; version++)
    await gateway.call('PUT', '/api/settings', acme, { tags: [] });
  await gateway.call('PUT', '/api/settings', globex, { tags: [] });
  const { next_cursor } = await audit(acme, '?limit=1');
  expect(await audit(globex, `?cursor=${next_cursor}`)).toEqual({ data: [], next_cursor: null });
});
