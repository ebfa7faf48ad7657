import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { keepAnswer, readAnswers } from '../../src/sessions/kept-answers.ts';
import type { ContentStore } from '../../src/sessions/kept-content.ts';
import { openRedis } from '../../src/stores/redis.ts';
import { type FaultyRedis, startRedis } from '../log/stores.ts';

let redis: FaultyRedis;
let store: ContentStore;
beforeAll(async () => {
  redis = await startRedis();
  store = { redis: openRedis(redis.url, 'token'), secrets: ['secret'] };
});
afterAll(() => redis.close());
afterEach(async () => {
  redis.mood = 'up';
  await redis.direct.flushall();
});

const ANSWER = { response: '{"role":"user","content":"MARK"}', items: new Map([['fc_1', '{"id":"fc_1"}']]) };
const named = { response: 'resp_1', items: ['fc_1', 'fc_1'] };
const keys = () => redis.direct.keys('*');

test('an answer and its items come back, in their own words', async () => {
  await keepAnswer(store, 'acme', 'resp_1', ANSWER);
  const before = redis.calls;
  expect(await readAnswers(store, 'acme', named)).toEqual(ANSWER);
  expect(redis.calls - before).toBe(1);
  const values = await Promise.all((await keys()).map((key) => redis.direct.get(key)));
  expect(values.join()).not.toContain('MARK');
});

test("another's is not there, and a value that is moved opens for nobody else", async () => {
  await keepAnswer(store, 'acme', 'resp_1', ANSWER);
  const none = { items: new Map() };
  expect(await readAnswers(store, 'globex', named)).toEqual(none);
  expect(await readAnswers(store, 'acme', { response: 'resp_2', items: [] })).toEqual(none);
  // As if somebody had copied it in Redis.
  const [mine = ''] = (await keys()).filter((key) => key.includes(':response:'));
  const value = await redis.direct.get<string>(mine);
  await keepAnswer(store, 'globex', 'resp_1', { response: '{}', items: new Map() });
  const [theirs = ''] = (await keys()).filter((key) => key.includes(':response:') && key !== mine);
  await redis.direct.set(theirs, value);
  expect(await readAnswers(store, 'globex', { response: 'resp_1', items: [] })).toEqual(none);
});

test('it expires: after 30 days, or sooner where the customer keeps nothing for so long', async () => {
  await keepAnswer(store, 'acme', 'resp_1', ANSWER);
  await keepAnswer(store, 'globex', 'resp_1', ANSWER, 2);
  const seconds = await Promise.all((await keys()).map((key) => redis.direct.ttl(key)));
  expect(seconds.map((one) => Math.ceil(one / 86_400)).toSorted((a, b) => a - b)).toEqual([2, 2, 30, 30]);
});

test('during a rotation both secrets open; the old one seals nothing more', async () => {
  await keepAnswer(store, 'acme', 'resp_1', ANSWER);
  const rotated: ContentStore = { redis: store.redis, secrets: ['new', 'secret'] };
  expect(await readAnswers(rotated, 'acme', named)).toEqual(ANSWER);
  await keepAnswer(rotated, 'acme', 'resp_1', ANSWER);
  expect(await readAnswers(store, 'acme', named)).toEqual({ items: new Map() });
});

test('traps T63: a long one is kept in chunks under 1 MB', async () => {
  // Nothing that gzip could make small.
  const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(65_536))).toString('base64');
  const response = JSON.stringify(Array.from({ length: 30 }, (_, index) => `${index}${noise.slice(index)}`));
  await keepAnswer(store, 'acme', 'resp_1', { response, items: new Map() });
  const random = Array.from({ length: 40 }, () =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(65_536))).toString('base64'),
  ).join('');
  await keepAnswer(store, 'acme', 'resp_2', { response: random, items: ANSWER.items });
  const sizes = await Promise.all((await keys()).map(async (key) => redis.direct.strlen(key)));
  expect(Math.max(...sizes)).toBeLessThan(1_000_000);
  expect(sizes.length).toBeGreaterThan(4);
  for (const [id, text] of [
    ['resp_1', response],
    ['resp_2', random],
  ] as const) {
    expect((await readAnswers(store, 'acme', { response: id, items: [] })).response).toBe(text);
  }
});

test('a store that is down is a 503 for whoever names an answer, and no error for nobody', async () => {
  redis.mood = 'down';
  await expect(readAnswers(store, 'acme', named)).rejects.toMatchObject({
    status: 503,
    code: 'kept_answers_unavailable',
    param: 'previous_response_id',
  });
  await expect(readAnswers(store, 'acme', { items: ['fc_1'] })).rejects.toMatchObject({ param: 'input' });
  await expect(keepAnswer(store, 'acme', 'resp_1', ANSWER)).rejects.toThrow();
});
