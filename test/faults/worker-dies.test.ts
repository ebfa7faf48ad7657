import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/stores/database.ts';
import { type Gateway, START_LIMIT, startGateway, temporaryFolder } from '../journeys/gateway.ts';

const folder = temporaryFolder();
const gateways: Gateway[] = [];
afterAll(async () => {
  for (const gateway of gateways) await gateway.stop();
  folder.remove();
});

async function start(): Promise<Gateway> {
  const gateway = await startGateway(folder.path, {
    FLUX_ABANDONED_AFTER_MS: '1000',
    FLUX_SESSION_TIMEOUT_MS: '20000',
  });
  gateways.push(gateway);
  return gateway;
}

test(
  'traps T31: a Worker that dies between the first byte and settle leaves exactly one row, abandoned, and no open step',
  async () => {
    const first = await start();
    const text = 'one two three four five six seven eight nine ten '.repeat(20);
    await first.script({ delay: { first_ms: 0, between_ms: 1_000 }, answer: { text, calls: [] } });
    const stream = await first.openai.chat.completions.create(
      { model: 'claude-opus-5-5', messages: [{ role: 'user', content: 'Hi' }], stream: true },
      { headers: { 'x-fluxcompute-session': 'dies' } },
    );
    // Left open: a client that leaves is another story.
    await stream[Symbol.asyncIterator]().next();
    gateways.splice(0);
    first.stack.kill();
    // Whoever held it would be dead as well.
    await rm(join(folder.path, 'lock'));

    const second = await start();
    const { $client } = openDatabase(second.stack.databaseUrl);
    const rows = () =>
      $client.query('SELECT state, error_code, estimated, session, cost_usd::float8 AS cost FROM queries');
    await expect.poll(async () => (await rows()).length, { timeout: 60_000, interval: 200 }).toBe(1);
    const [row] = await rows();
    expect(row).toMatchObject({ state: 'abandoned', error_code: 'unsettled', estimated: ['cost'] });
    expect(Number(row?.cost)).toBeGreaterThan(0);
    const [session] = await $client.query('SELECT steps, cost_usd::float8 AS cost FROM sessions');
    expect(session).toEqual({ steps: 1, cost: row?.cost });

    // The session goes on.
    await second.openai.chat.completions.create(
      { model: 'claude-opus-5-5', messages: [{ role: 'user', content: 'Hi' }] },
      { headers: { 'x-fluxcompute-session': 'dies' } },
    );
    await expect.poll(async () => (await rows()).length, { timeout: 60_000, interval: 200 }).toBe(2);
  },
  START_LIMIT + 120_000,
);

test(
  'traps T31: a step without a session that takes too long is a row, abandoned, until its end replaces it',
  async () => {
    const gateway = gateways[0] ?? (await start());
    const text = 'one two three four five six seven eight nine ten '.repeat(20);
    await gateway.script({ delay: { first_ms: 0, between_ms: 1_000 }, answer: { text, calls: [] } });
    const stream = await gateway.openai.chat.completions.create({
      ...{ model: 'claude-haiku-5-5', stream: true as const },
      messages: [{ role: 'user', content: 'Count for me.' }],
    });
    await stream[Symbol.asyncIterator]().next();
    const { $client } = openDatabase(gateway.stack.databaseUrl);
    const row = async () => {
      const rows = await $client.query(
        "SELECT state, error_code, cost_usd::float8 AS cost FROM queries WHERE requested_model = 'claude-haiku-5-5'",
      );
      expect(rows.length).toBeLessThan(2);
      return rows[0];
    };
    // What was sent as it began comes back after its second.
    await expect
      .poll(row, { timeout: 60_000, interval: 200 })
      .toMatchObject({ state: 'abandoned', error_code: 'unsettled', cost: expect.any(Number) });
    stream.controller.abort();
    await expect
      .poll(row, { timeout: 60_000, interval: 200 })
      .toMatchObject({ state: 'abandoned', error_code: 'client_left', cost: expect.any(Number) });
  },
  START_LIMIT + 120_000,
);
