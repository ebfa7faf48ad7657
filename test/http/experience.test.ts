import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { NO_EXPERIENCE } from '../../src/core/routing/experience.ts';
import { toCounts } from '../../src/core/routing/experience-counts.ts';
import type { RoutePlan } from '../../src/http/routes/route.ts';
import { type CustomerGateway, type Ground, KEYS, startGround } from './customer-gateway.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await startGround();
});
afterAll(() => ground.close());
beforeEach(async () => {
  await ground.reset();
  await ground.postgres.read('TRUNCATE customer_experience');
});

/** Lanes whose easy steps are all followed by hard ones, and that never end. */
const SOON_HARD = toCounts({
  ...NO_EXPERIENCE,
  followed: [
    [0, 0, 500],
    [0, 0, 0],
    [0, 0, 2_000],
  ],
  reached: [500, 1_000, 1_000, 0, 0, 0, 0, 0],
});
const keep = (customer: string, counts: readonly number[]) =>
  ground.postgres.read('INSERT INTO customer_experience (customer, counts) VALUES ($1, $2)', [
    customer,
    `{${counts.join()}}`,
  ]);
const ask = { model: 'auto', messages: [{ role: 'user', content: 'What is the capital of France?' }] };

/** What each model would cost from the next step on, by the model's name. */
async function ahead(gateway: CustomerGateway, key: string): Promise<Record<string, number | null>> {
  const { status, body } = await gateway.call('POST', '/v1/route', key, ask);
  expect(status).toBe(200);
  // Redis knows it from then on.
  await gateway.settled();
  const { candidates }: RoutePlan = body;
  return Object.fromEntries(candidates.map(({ model, ahead_usd }) => [model, ahead_usd]));
}

test("a customer's plans go by what its lanes have shown, and no other's do", async () => {
  const prior = await ahead(ground.start(), KEYS.acme);
  await ground.redis.direct.flushall();
  await keep('acme', SOON_HARD);
  const gateway = ground.start();
  const learned = await ahead(gateway, KEYS.acme);
  expect(learned['claude-haiku-5-5']).toBeGreaterThan(2 * (prior['claude-haiku-5-5'] ?? 0));
  expect(await ahead(gateway, KEYS.globex)).toEqual(prior);
  // Settings of its own are planned with the same experience.
  const tiers = { hard: ['claude-opus-5-5'], easy: ['claude-haiku-5-5', 'claude-sonnet-5-5'] };
  expect((await gateway.call('PUT', '/api/settings', KEYS.acme, { tiers })).status).toBe(200);
  const own = (await ahead(gateway, KEYS.acme))['claude-haiku-5-5'] ?? 0;
  expect(own / (learned['claude-haiku-5-5'] ?? 0)).toBeCloseTo(1, 2);
});

test('what another version has kept, or nobody could have, is none', async () => {
  const prior = await ahead(ground.start(), KEYS.acme);
  await ground.redis.direct.flushall();
  await keep('acme', [...SOON_HARD, 1]);
  expect(await ahead(ground.start(), KEYS.acme)).toEqual(prior);
});

test('no store tells it: the shipped prior is planned by, and out of Redis it is the same', async () => {
  const prior = await ahead(ground.start(), KEYS.acme);
  await ground.redis.direct.flushall();
  await keep('acme', SOON_HARD);
  const learned = await ahead(ground.start(), KEYS.acme);
  expect(learned).not.toEqual(prior);
  ground.postgres.mood = 'down';
  expect(await ahead(ground.start(), KEYS.acme)).toEqual(learned);
  ground.redis.mood = 'down';
  expect(await ahead(ground.start(), KEYS.acme)).toEqual(prior);
});
