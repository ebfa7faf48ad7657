import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { ANSWERS, json } from '../providers/upstream.ts';
import { type CustomerGateway, type Ground, KEYS, startGround } from './customer-gateway.ts';

let ground: Ground;
let gateway: CustomerGateway;
beforeAll(async () => {
  ground = await startGround();
  gateway = ground.start();
}, 60_000);
afterAll(() => ground.close());
afterEach(async () => {
  // What is still being kept would be there again after the reset.
  await gateway.settled();
  await ground.reset();
});

const ask = (more: object = {}, key = KEYS.globex, of = gateway, headers: object = {}) =>
  of.call('POST', '/v1/responses', key, { model: 'auto', input: 'Hi', ...more }, headers);
const lastSent = () => ground.upstream.requests.at(-1)?.body ?? '';

test('Redis down: answers keep coming, and only who names an earlier one is told', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const first = await ask();
  await gateway.settled();
  ground.redis.mood = 'down';
  expect((await ask()).status).toBe(200);
  await gateway.settled();
  expect(warn.mock.calls.join()).toContain('answer_not_kept');
  warn.mockRestore();
  const lost = await ask({ previous_response_id: first.body.id });
  expect([lost.status, lost.body.error.code]).toEqual([503, 'kept_answers_unavailable']);
  ground.redis.mood = 'up';
  expect((await ask({ previous_response_id: first.body.id })).status).toBe(200);
});

test('an answer that is still being written is waited for', async () => {
  const first = await ask();
  // Nothing has settled: the write goes on beside this.
  expect((await ask({ previous_response_id: first.body.id, input: 'And?' })).status).toBe(200);
  expect(lastSent()).toContain('Paris');
});

test('without a secret nothing is kept, and the answer says so', async () => {
  const open = ground.start({ FLUX_SECRET: '' });
  const first = await ask({}, KEYS.globex, open);
  expect(first.body.store).toBe(false);
  const next = await ask({ previous_response_id: first.body.id }, KEYS.globex, open);
  expect([next.status, next.body.error.code]).toEqual([404, 'previous_response_not_found']);
  expect(next.body.error.message).toContain('FLUX_SECRET');
  expect(await ground.redis.direct.keys('flux:kept:*')).toEqual([]);
});

test('a conversation that has grown too large is a 413 that says what to do', async () => {
  const small = ground.start({ FLUX_MAX_BODY_BYTES: '1000' });
  const first = await ask({ input: 'x'.repeat(600) }, KEYS.globex, small);
  await small.settled();
  const more = { previous_response_id: first.body.id, input: 'x'.repeat(600) };
  const next = await ask(more, KEYS.globex, small);
  expect([next.status, next.body.error.param]).toEqual([413, 'previous_response_id']);
});

test('traps T56: what only the provider could know is refused, but not under a key of the customer’s own', async () => {
  const upstream = {
    OPENAI_API_KEY: 'sk-shared-CANARY',
    OPENAI_BASE_URL: `${ground.upstream.url}/v1`,
    FLUX_TIERS: JSON.stringify({
      easy: ['openai/gpt-6-luna'],
      medium: ['openai/gpt-6-luna'],
      hard: ['openai/gpt-6.2-sol'],
    }),
  };
  const of = ground.start(upstream);
  ground.upstream.replies = [json(200, ANSWERS['openai-responses'].body)];
  for (const [more, status, code] of [
    [{ previous_response_id: 'resp_elsewhere' }, 404, 'previous_response_not_found'],
    [{ input: [{ type: 'item_reference', id: 'msg_elsewhere' }] }, 400, 'stored_object'],
    [{ conversation: 'conv_1' }, 400, 'stored_object'],
    [{ background: true }, 400, 'stored_object'],
  ] as const) {
    const refused = await ask(more, KEYS.globex, of);
    expect([refused.status, refused.body.error.code]).toEqual([status, code]);
  }
  const set = await of.call('PATCH', '/api/settings', KEYS.acme, {
    provider_keys: { openai: 'sk-own-0123456789' },
  });
  expect(set.status, JSON.stringify(set.body)).toBe(200);
  const output = { type: 'function_call_output', call_id: 'call_1', output: 'x' };
  const own = await ask({ previous_response_id: 'resp_elsewhere', input: [output] }, KEYS.acme, of);
  expect(own.status, JSON.stringify(own.body)).toBe(200);
  expect(JSON.parse(lastSent())).toMatchObject({ previous_response_id: 'resp_elsewhere', store: false });
});
