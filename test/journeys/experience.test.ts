import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NO_EXPERIENCE } from '../../src/core/routing/experience.ts';
import { fromCounts, toCounts } from '../../src/core/routing/experience-counts.ts';
import type { RoutePlan } from '../../src/http/routes/route.ts';
import type { JournalEntry } from '../../src/local/simulated/journal.ts';
import type { LocalStack } from '../../src/local/stack.ts';
import { foldExperience } from '../../src/log/experience.ts';
import { openDatabase } from '../../src/stores/database.ts';
import { startPrepared } from '../prepared.ts';

const KEYS = { acme: 'flx_acme_key', globex: 'flx_globex_key' };
type Customer = keyof typeof KEYS;

let stack: LocalStack;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flux-experience-'));
  const keys = Object.entries(KEYS).map(([name, key]) => `${key}:${name}:infer+read+admin`);
  const variables = {
    ...{ PORT: '0', FLUX_DATA_DIR: folder, FLUX_API_KEYS: keys.join() },
    ...{ FLUX_SESSION_TIMEOUT_MS: '20000', FLUX_LANE_END_MS: '1500' },
  };
  stack = await startPrepared({ variables });
}, 90_000);
afterAll(async () => {
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
});

type Messages = OpenAI.ChatCompletionMessageParam[];
const opening: Messages = [
  { role: 'system', content: `You are an agent of a shop. ${'Be exact and brief. '.repeat(200)}` },
  { role: 'user', content: 'What is the capital of France?' },
];

/** A session that goes easy, easy, easy, hard, hard. */
async function runSession(customer: Customer, session: string): Promise<void> {
  const client = new OpenAI({ apiKey: KEYS[customer], baseURL: `${stack.url}/v1`, maxRetries: 0 });
  const messages = [...opening];
  for (const model of ['auto:easy', 'auto:easy', 'auto:easy', 'auto:hard', 'auto:hard']) {
    const headers = { 'x-fluxcompute-session': session };
    const { choices } = await client.chat.completions.create({ model, messages }, { headers });
    messages.push({ role: 'assistant', content: choices[0]?.message.content ?? '' });
    messages.push({ role: 'user', content: `And of ${session}?` });
  }
}

async function route(customer: Customer): Promise<Record<string, number | null>> {
  const response = await ask(customer, 'POST', '/v1/route', { model: 'auto', messages: opening });
  const { candidates } = (await response.json()) as RoutePlan;
  return Object.fromEntries(candidates.map(({ model, ahead_usd }) => [model, ahead_usd]));
}

function ask(customer: Customer, method: string, path: string, body: unknown): Promise<Response> {
  const headers = { authorization: `Bearer ${KEYS[customer]}`, 'content-type': 'application/json' };
  return fetch(`${stack.url}${path}`, { method, headers, body: JSON.stringify(body) });
}

test('a customer whose sessions turn hard after three steps is planned for so, once its lanes have ended', async () => {
  const database = openDatabase(stack.databaseUrl);
  const before = { acme: await route('acme'), globex: await route('globex') };
  expect(before.acme).toEqual(before.globex);
  const names = Array.from({ length: 12 }, (_, n) => `errand-${n}`);
  await Promise.all(names.map((name) => runSession('acme', name)));
  await runSession('globex', 'their one');
  const lanes = () => database.$client.query('SELECT * FROM ended_lanes ORDER BY lane');
  // Told once the sessions were silent for a second and a half; in production it is an hour.
  await expect.poll(async () => (await lanes()).length, { timeout: 20_000, interval: 200 }).toBe(13);
  await foldExperience(database);
  await foldExperience(database);
  const [folded] = await database.$client.query("SELECT * FROM customer_experience WHERE customer = 'acme'");
  const seen = fromCounts(folded?.counts ?? []);
  // Twelve lanes of five steps, a minute old at most.
  expect(seen?.answers).toBeCloseTo(60, 1);
  expect(seen?.reached.map(Math.round)).toEqual([12, 24, 24, 0, 0, 0, 0, 0]);
  expect(seen?.ended.map(Math.round)).toEqual([0, 0, 12, 0, 0, 0, 0, 0]);
  expect(seen?.followed.map((row) => row.map(Math.round))).toEqual([
    [24, 0, 12],
    [0, 0, 0],
    [0, 0, 12],
  ]);

  // A change of settings makes the gateway read its customer anew; else it does within a minute.
  for (const customer of ['acme', 'globex'] as const) {
    expect((await ask(customer, 'PATCH', '/api/settings', { tags: ['team'] })).status).toBe(200);
  }
  const after = { acme: await route('acme'), globex: await route('globex') };
  const [was, is] = [before.acme['claude-haiku-5-5'] ?? 0, after.acme['claude-haiku-5-5'] ?? 0];
  expect(Math.abs(is - was) / was).toBeGreaterThan(0.1);
  // Theirs goes by their own lane alone, which says far less.
  const theirs = after.globex['claude-haiku-5-5'] ?? 0;
  expect(Math.abs(theirs - was)).toBeLessThan(Math.abs(is - was) / 2);
  // No word of anybody is in either table.
  const kept = JSON.stringify([await lanes(), folded]);
  expect(kept).not.toMatch(/errand|France|shop/);
}, 60_000);

test('a customer whose steps come ten minutes apart has its caches written for an hour, and reads them', async () => {
  const database = openDatabase(stack.databaseUrl);
  const pausing = { ...NO_EXPERIENCE, reached: [1e4, 1e4, 1e4, 0, 0, 0, 0, 0], pauses: [1e4, 0, 0, 0, 0] };
  const steady = { ...pausing, pauses: [0, 0, 0, 0, 0], gaps: 1e4, seconds: 1e5 };
  await database.$client.query(
    'INSERT INTO customer_experience (customer, counts) VALUES ($1, $2), ($3, $4) ON CONFLICT (customer) DO UPDATE SET counts = excluded.counts',
    ['acme', `{${toCounts(pausing).join()}}`, 'globex', `{${toCounts(steady).join()}}`],
  );
  const sent: Record<Customer, { isLong: boolean; read: number; usd: number }[]> = { acme: [], globex: [] };
  for (const customer of ['acme', 'globex'] as const) {
    expect((await ask(customer, 'PATCH', '/api/settings', { tags: ['pace'] })).status).toBe(200);
    const client = new OpenAI({ apiKey: KEYS[customer], baseURL: `${stack.url}/v1`, maxRetries: 0 });
    // They share an account, and with it a cache.
    const messages: Messages = [{ role: 'system', content: customer }, ...opening];
    for (let n = 0; n < 5; n += 1) {
      const { choices } = await client.chat.completions.create(
        { model: 'claude-opus-5-5', messages },
        { headers: { 'x-fluxcompute-session': 'slow' } },
      );
      messages.push({ role: 'assistant', content: choices[0]?.message.content ?? '' });
      messages.push({ role: 'user', content: 'And then?' });
      const { data } = (await control('GET', 'requests?last=1')) as { data: JournalEntry[] };
      const { fresh = 0, write_5m = 0, write_1h = 0, read = 0 } = data[0]?.usage ?? {};
      const usd = (fresh * 4 + write_5m * 5 + write_1h * 8 + read * 0.2) / 1e6;
      sent[customer].push({ isLong: JSON.stringify(data[0]?.body).includes('"ttl":"1h"'), read, usd });
      await control('POST', 'clock', { advance_ms: 600_000 });
    }
  }
  expect(sent.acme.map(({ isLong }) => isLong)).toEqual([false, true, true, true, true]);
  expect(sent.globex.some(({ isLong }) => isLong)).toBe(false);
  expect(sent.acme.slice(2).every(({ read }) => read > 1_000)).toBe(true);
  // Nobody told the gateway of the second that ten minutes went by: its caches were cold each time.
  expect(sent.globex.every(({ read }) => read === 0)).toBe(true);
  const total = (customer: Customer) => sent[customer].reduce((sum, { usd }) => sum + usd, 0);
  expect(total('acme')).toBeLessThan(0.8 * total('globex'));
}, 60_000);

async function control(method: string, path: string, body?: unknown): Promise<unknown> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(`${stack.simulatorUrl}/control/${path}`, { method, ...sent });
  expect(response.status).toBe(200);
  return response.json();
}
