import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { ANSWERS, json } from '../providers/upstream.ts';
import { type CustomerGateway, type Ground, KEYS, startGround } from './customer-gateway.ts';

let ground: Ground;
let gateway: CustomerGateway;
beforeAll(async () => {
  ground = await startGround();
}, 60_000);
afterAll(() => ground.close());
afterEach(() => ground.reset());

const OWN = 'sk-own-CANARY-0123456789';
const STORED = { conversation: 'conv_123' };

/** Two servers that speak Chat Completions, in every tier; acme has a key of its own for the first. */
async function start(tiers: string[] = ['one/small', 'two/small']): Promise<void> {
  const server = (id: string) => ({
    id,
    kind: 'openai',
    base_url: `${ground.upstream.url}/${id}`,
    key_secret: 'K',
  });
  gateway = ground.start({
    K: 'sk-shared-CANARY',
    FLUX_PROVIDERS: JSON.stringify([server('one'), server('two')]),
    FLUX_TIERS: JSON.stringify({ easy: tiers, medium: tiers, hard: tiers }),
  });
  ground.upstream.replies = [json(200, ANSWERS['openai-chat'].body)];
  const set = await gateway.call('PATCH', '/api/settings', KEYS.acme, { provider_keys: { one: OWN } });
  expect(set.status).toBe(200);
}

const ask = (key: string, more: object = {}) =>
  gateway.call('POST', '/v1/chat/completions', key, {
    model: 'auto',
    messages: [{ role: 'user', content: 'What is the capital of France?' }],
    ...STORED,
    ...more,
  });

test('traps T56: a stored object goes to the provider of the customer’s own key, and for nobody else', async () => {
  await start(['two/small', 'one/small']);
  const own = await ask(KEYS.agent);
  expect(own.status).toBe(200);
  const [sent] = ground.upstream.requests;
  expect(sent?.path).toMatch(/^\/one\//);
  expect(sent?.headers.authorization).toBe(`Bearer ${OWN}`);
  expect(JSON.parse(sent?.body ?? '{}')).toMatchObject(STORED);

  const other = await ask(KEYS.globex);
  expect(other.status).toBe(400);
  expect(other.body.error).toMatchObject({ code: 'stored_object', param: 'conversation' });
  expect(other.body.error.message).toContain('provider_keys');
  expect(ground.upstream.requests).toHaveLength(1);
});

test('traps T56: with a key of its own for one provider, another’s shared key stays closed', async () => {
  await start();
  const pinned = await ask(KEYS.agent, { model: 'two/small' });
  expect([pinned.status, pinned.body.error.param]).toEqual([400, 'conversation']);
  expect(pinned.body.error.message).toContain("'two'");
  expect((await ask(KEYS.agent, { model: 'one/small' })).status).toBe(200);
  // A failure of the own one doesn't lead to the shared one.
  ground.upstream.requests.length = 0;
  ground.upstream.replies = [json(500, { error: { message: 'down', type: 'server_error', code: null } })];
  expect((await ask(KEYS.agent)).status).toBe(500);
  expect(ground.upstream.requests.map(({ path }) => path.split('/')[1])).not.toContain('two');
});

test('a tier that is under a shared key alone is named; an answer kept at the provider stays refused', async () => {
  await start(['two/small']);
  const shared = await ask(KEYS.agent);
  expect(shared.body.error).toMatchObject({ code: 'stored_object', param: 'conversation' });
  expect(shared.body.error.message).toContain("'two' (tier easy)");
  const background = await ask(KEYS.agent, { background: true });
  expect([background.status, background.body.error.param]).toEqual([400, 'background']);
  expect(ground.upstream.requests).toHaveLength(0);
});

test('a model behind another API is not sent what it could not know', async () => {
  await start(['anthropic/claude-haiku-5-5', 'one/small']);
  await gateway.call('PATCH', '/api/settings', KEYS.acme, { provider_keys: { anthropic: OWN } });
  const answer = await ask(KEYS.agent);
  expect([answer.status, answer.body.fluxcompute?.provider]).toEqual([200, 'one']);
  const pinned = await ask(KEYS.agent, { model: 'claude-haiku-5-5' });
  expect([pinned.status, pinned.body.error.param]).toEqual([400, 'conversation']);
});
