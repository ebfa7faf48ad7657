import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SCOPES, type Scope } from '../../src/env-keys.ts';
import { createApp } from '../../src/http/app.ts';
import { hashSession } from '../../src/http/step-headers.ts';
import { insertSteps } from '../../src/log/insertion.ts';
import { openDatabase } from '../../src/stores/database.ts';
import { step } from '../log/records.ts';
import { ask, type CustomerGateway, FORM, type Ground, startGround } from './customer-gateway.ts';

/** Every route there is, what it wants, and a call of it that changes something where it can. */
const ROUTES: { route: string; scope: Scope | null; path?: string; body?: object | string; ok?: number }[] = [
  { route: 'GET /health', scope: null },
  { route: 'GET /openapi.json', scope: null },
  { route: 'GET /api/hello', scope: null },
  { route: 'POST /v1/chat/completions', scope: 'infer', body: ask },
  ...['embeddings', 'moderations', 'images/generations', 'audio/speech', 'completions'].map((path) => ({
    route: `POST /v1/${path}`,
    scope: 'infer' as const,
    body: { model: 'm', input: 'x', prompt: 'x' },
  })),
  ...['transcriptions', 'translations'].map((path) => ({
    route: `POST /v1/audio/${path}`,
    scope: 'infer' as const,
    body: FORM.body,
  })),
  { route: 'POST /v1/messages', scope: 'infer', body: { ...ask, max_tokens: 100 } },
  { route: 'POST /v1/messages/count_tokens', scope: 'infer', body: ask },
  { route: 'POST /v1/responses', scope: 'infer', body: { model: 'auto', input: 'Hi' } },
  { route: 'POST /v1/route', scope: 'infer', body: ask },
  { route: 'GET /v1/models', scope: 'infer' },
  { route: 'GET /v1/models/:id{.+}', scope: 'infer', path: '/v1/models/auto' },
  { route: 'GET /api/metrics/summary', scope: 'read' },
  { route: 'GET /api/metrics/timeseries', scope: 'read' },
  { route: 'GET /api/metrics/sessions', scope: 'read' },
  { route: 'GET /api/metrics/sessions/:id{.+}', scope: 'read', path: '/api/metrics/sessions/shared-name' },
  { route: 'GET /api/keys', scope: 'admin' },
  { route: 'POST /api/keys', scope: 'admin', body: { name: 'made', scopes: ['infer'] }, ok: 201 },
  { route: 'DELETE /api/keys/:id', scope: 'admin', path: '/api/keys/KEY' },
  { route: 'GET /api/settings', scope: 'admin' },
  { route: 'PUT /api/settings', scope: 'admin', body: { tags: ['put'] } },
  { route: 'PATCH /api/settings', scope: 'admin', body: { tags: ['patched'] } },
  { route: 'GET /api/settings/versions', scope: 'admin' },
  { route: 'GET /api/limits', scope: 'admin' },
  { route: 'PUT /api/limits', scope: 'admin', body: { requests_per_minute: 1000, tokens_per_minute: null } },
  { route: 'GET /api/audit', scope: 'admin' },
];

/** Files, the same for all: test/http/openapi.test.ts. */
const PAGES = ['GET /docs', 'GET /docs/:file'];

const CUSTOMERS = ['acme', 'globex'] as const;
type Customer = (typeof CUSTOMERS)[number];
const keyOf = (customer: Customer, scope: string) => `flx_${customer}_${scope}_key`;
const idOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 12);
const OPERATOR = 'flx_operator_key';
/** In everything of acme's that anybody could see. */
const MARK = 'mark-of-acme';

let ground: Ground;
let gateway: CustomerGateway;

beforeAll(async () => {
  ground = await startGround();
  const keys = CUSTOMERS.flatMap((customer) =>
    [...SCOPES, SCOPES.join('+'), 'victim'].map(
      (scope) => `${keyOf(customer, scope)}:${customer}:${scope === 'victim' ? 'infer' : scope}`,
    ),
  );
  gateway = ground.start({
    FLUX_API_KEYS: keys.join(','),
    FLUX_ADMIN_KEY: OPERATOR,
    OPENAI_API_KEY: 'sk-openai',
    OPENAI_BASE_URL: `${ground.upstream.url}/v1`,
  });
  const all = keyOf('acme', SCOPES.join('+'));
  const marked = [
    gateway.call('PUT', '/api/settings', all, { model_map: { [MARK]: 'auto' } }),
    gateway.call('POST', '/api/keys', all, { name: MARK, scopes: ['infer'] }),
  ];
  for (const { status } of await Promise.all(marked)) expect(status).toBeLessThan(300);
  await gateway.call('PUT', '/api/limits', all, {
    key_id: idOf(keyOf('acme', 'victim')),
    requests_per_minute: 123_456,
    tokens_per_minute: null,
  });
  const session = hashSession('shared-name', 'acme', 'a secret of this deployment');
  await insertSteps(openDatabase(ground.postgres.url), [
    step({
      customer: 'acme',
      session,
      model: MARK,
      tags: { of: MARK },
      started_at: new Date().toISOString(),
    }),
  ]);
}, 60_000);
afterAll(async () => {
  await gateway.settled();
  await ground.close();
});

const call = ({ route, path, body }: (typeof ROUTES)[number], key: string | null, query = '') => {
  const [method = '', pattern = ''] = route.split(' ');
  const target = (path ?? pattern).replace('KEY', idOf(keyOf('globex', 'victim')));
  const headers = typeof body === 'string' ? { 'content-type': FORM.type } : {};
  return gateway.call(method, `${target}${query}`, key, body, headers);
};
/** Everything of a customer that anybody can change. */
const stateOf = (customer: Customer) =>
  Promise.all(
    ['api_keys', 'customer_settings', 'customer_limits', 'audit'].map((table) =>
      ground.postgres.read(`SELECT * FROM ${table} WHERE customer = $1 ORDER BY 1, 2, 3`, [customer]),
    ),
  );

test('the table holds every route there is', () => {
  const routes = createApp()
    .routes.filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path}`);
  expect([...new Set(routes)].sort()).toEqual([...ROUTES.map(({ route }) => route), ...PAGES].sort());
});

describe.each(ROUTES)('$route', (entry) => {
  const { route, scope } = entry;

  test('wants its scope, and a lower one learns nothing', async () => {
    const before = JSON.stringify(await stateOf('globex'));
    for (const held of SCOPES.filter((held) => held !== scope)) {
      const { status, body } = await call(entry, keyOf('globex', held));
      expect(status).toBe(scope === null ? 200 : 403);
      if (scope === null) continue;
      // Word for word what it is for something that is not there.
      const words = { message: `This API key lacks the scope '${scope}'.`, type: 'permission_error' };
      expect(body.error).toEqual(
        route.includes('/v1/messages')
          ? { ...words, details: { error_code: 'missing_scope' } }
          : { ...words, param: null, code: 'missing_scope' },
      );
    }
    for (const key of [null, 'sk-other', `flx_${'z'.repeat(32)}`]) {
      expect((await call(entry, key)).status).toBe(scope === null ? 200 : 401);
    }
    expect(JSON.stringify(await stateOf('globex'))).toBe(before);
  });

  test("with its scope: one's own, and nothing of another's", async () => {
    const before = JSON.stringify(await stateOf('acme'));
    for (const key of [keyOf('globex', scope ?? 'infer'), keyOf('globex', SCOPES.join('+'))]) {
      const { status, body } = await call(entry, key);
      // The session is acme's.
      expect(status, JSON.stringify(body)).toBe(route.includes('sessions/:') ? 404 : (entry.ok ?? 200));
      expect(JSON.stringify(body)).not.toContain(MARK);
      if (scope === 'read' || scope === 'admin') {
        const other = await call(entry, key, '?customer=acme');
        expect(other.status).toBe(403);
        expect(other.body.error.code).toBe('wrong_customer');
      }
    }
    expect(JSON.stringify(await stateOf('acme'))).toBe(before);
  });

  test('the operator acts on whom they name, and can not infer', async () => {
    if (scope === null) return;
    if (scope === 'infer') {
      expect((await call(entry, OPERATOR)).status).toBe(403);
      return;
    }
    expect((await call(entry, OPERATOR)).body.error.param).toBe('customer');
    const before = JSON.stringify(await stateOf('acme'));
    const { status, body } = await call(entry, OPERATOR, '?customer=globex');
    expect([200, 201, 404]).toContain(status);
    expect(JSON.stringify(body)).not.toContain(MARK);
    expect(JSON.stringify(await stateOf('acme'))).toBe(before);
  });
});

test('acme itself sees what is marked: the table above looks for the right thing', async () => {
  const key = keyOf('acme', SCOPES.join('+'));
  for (const path of [
    '/v1/models',
    '/api/keys',
    '/api/settings',
    '/api/metrics/summary',
    '/api/metrics/sessions/shared-name',
  ]) {
    expect(JSON.stringify((await gateway.call('GET', path, key)).body)).toContain(MARK);
  }
});
