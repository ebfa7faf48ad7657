import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Gateway, START_LIMIT, startGateway, temporaryFolder } from '../journeys/gateway.ts';
import { answered, ask, idsLogged, manyAnswered, question, rowsOf, type Target } from './steps.ts';

const folder = temporaryFolder();
const logged: string[] = [];
let gateway: Gateway;
let target: Target;

beforeAll(async () => {
  gateway = await startGateway(
    folder.path,
    { FLUX_IDLE_TIMEOUT_MS: '5000', FLUX_KEEP_ALIVE_MS: '1000' },
    { entry: join(import.meta.dirname, 'worker.ts') },
  );
  target = gateway.stack;
}, START_LIMIT);
afterAll(async () => {
  await gateway?.stop();
  folder.remove();
});

const tell = (what: string) =>
  fetch(`${gateway.stack.url}/faults/${what}`).then((response) => response.text());

const linesWith = (code: string) => gateway.lines.filter((line) => line.includes(`"code":"${code}"`)).length;

/** Everything answered so far is a row, each once, and nothing else is. */
async function expectAllLogged(ids: string[], timeout = 45_000): Promise<void> {
  logged.push(...ids);
  const { databaseUrl } = gateway.stack;
  await expect
    .poll(async () => (await idsLogged(databaseUrl)).length, { timeout, interval: 300 })
    .toBeGreaterThanOrEqual(logged.length);
  expect(await idsLogged(databaseUrl)).toEqual(logged.toSorted());
}

describe('a store that is gone', () => {
  test('traps T47: 1,000 requests, 16 at once, Postgres gone for ten seconds in the middle: 1,000 rows', async () => {
    const { stores } = gateway.stack;
    let back: Promise<void> | undefined;
    const outage = async () => {
      await stores?.refuse('postgres');
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      await stores?.accept('postgres');
    };
    const ids = await manyAnswered(target, 1_000, 16, (number) => {
      if (number === 300) back = outage();
      return number >= 700 ? back : undefined;
    });
    expect(new Set(ids).size).toBe(1_000);
    await expectAllLogged(ids);
    expect((await rowsOf(gateway.stack.databaseUrl)).every(({ state }) => state === 'ok')).toBe(true);
  }, 120_000);

  test('traps T47: send() that throws at 1,000 requests, 16 at once: the rows are written all the same', async () => {
    await tell('queue-throws');
    const ids = await manyAnswered(target, 1_000, 16);
    expect(new Set(ids).size).toBe(1_000);
    // The tries are over before the queue is back: what it did not take is written.
    await expect.poll(() => linesWith('step_written'), { timeout: 30_000 }).toBeGreaterThan(0);
    await tell('queue-works');
    await expectAllLogged(ids);
  }, 120_000);

  test('traps T47: neither queue nor Postgres: steps wait in Redis for the scheduled job', async () => {
    const { stores } = gateway.stack;
    await tell('queue-throws');
    await stores?.refuse('postgres');
    const ids = await manyAnswered(target, 40, 16);
    await expect.poll(() => linesWith('step_parked'), { timeout: 30_000 }).toBeGreaterThan(0);
    await tell('queue-works');
    await stores?.accept('postgres');
    await expect
      .poll(
        async () => {
          await tell('scheduled');
          return (await idsLogged(gateway.stack.databaseUrl)).length;
        },
        { timeout: 30_000, interval: 500 },
      )
      .toBe(logged.length + ids.length);
    await expectAllLogged(ids);
  }, 90_000);

  test('all stores down: answers keep coming, health says so, and the rows come later', async () => {
    const { stores } = gateway.stack;
    await stores?.refuse('postgres');
    await stores?.refuse('redis');
    const ids = await manyAnswered(target, 20, 8);
    const health = await fetch(`${target.url}/health`);
    expect([health.status, await health.json()]).toMatchObject([200, { status: 'degraded' }]);
    await stores?.accept('postgres');
    await stores?.accept('redis');
    await expectAllLogged(ids);
  }, 60_000);
});

describe('a session that is gone', () => {
  const missedBegins = () =>
    gateway.lines.filter((line) => line.includes('session_missed') && line.includes('"what":"begin"')).length;
  const headers = { 'x-fluxcompute-session': 'gone' };
  const steps = (count: number) =>
    Promise.all(
      Array.from({ length: count }, async (_, number) => {
        const response = await ask(
          target,
          { stream: number % 2 === 0 },
          {
            headers: {
              authorization: `Bearer ${target.key}`,
              'content-type': 'application/json',
              ...headers,
            },
          },
        );
        await response.text();
        expect(response.status).toBe(200);
        expect(response.headers.get('x-fluxcompute-session')).toBe('gone');
        return response.headers.get('x-fluxcompute-request-id') ?? '';
      }),
    );

  test.each(['throw', 'hang'])(
    'its object may %s: every step is answered, once in the log, and each miss is counted',
    async (how) => {
      await expectAllLogged(await steps(2));
      const before = missedBegins();
      await tell(`sessions-${how}`);
      const ids = await steps(12);
      await tell('sessions-work');
      await expectAllLogged(ids);
      expect(missedBegins() - before).toBe(12);
      await expectAllLogged(await steps(2));
    },
    60_000,
  );

  test('Redis gone: a session does not wait for it', async () => {
    await gateway.stack.stores?.refuse('redis');
    await expectAllLogged(await steps(4));
    await gateway.stack.stores?.accept('redis');
  }, 60_000);
});

describe('a client that leaves', () => {
  /** The one row that was not there before. */
  async function newRow() {
    const find = async () =>
      (await rowsOf(gateway.stack.databaseUrl)).filter(({ request_id }) => !logged.includes(request_id));
    await expect.poll(async () => (await find()).length, { timeout: 30_000, interval: 200 }).toBe(1);
    const [row] = await find();
    if (!row) throw new Error('no row');
    logged.push(row.request_id);
    return row;
  }
  const lastExchange = async () => (await gateway.sent(1))[0];
  /** Counts on where the simulator forgets: it keeps no more than some thousands. */
  const exchanges = async () => (await lastExchange())?.id ?? 0;
  const abandoned = { state: 'abandoned', status: 499, error_code: 'client_left', streamed: true };

  test('traps T31: in the middle of a stream: one row, abandoned, and the provider is left', async () => {
    await gateway.script({
      delay: { first_ms: 0, between_ms: 50 },
      answer: { text: 'word '.repeat(2_000), calls: [] },
    });
    const leaving = new AbortController();
    const response = await ask(target, { stream: true }, { signal: leaving.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    leaving.abort();
    expect(await newRow()).toMatchObject({
      ...abandoned,
      request_id: response.headers.get('x-fluxcompute-request-id'),
    });
    await expect.poll(async () => (await lastExchange())?.ended, { timeout: 10_000 }).toBe('left');
  }, 60_000);

  test('traps T31: while the provider is silent', async () => {
    await gateway.script({ fault: { kind: 'stall', after_events: 12 } });
    const leaving = new AbortController();
    const response = await ask(target, { stream: true }, { signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    expect(await newRow()).toMatchObject(abandoned);
    await expect.poll(async () => (await lastExchange())?.ended, { timeout: 10_000 }).toBe('left');
  }, 60_000);

  test('traps T31: before the first byte', async () => {
    await gateway.script({
      delay: { first_ms: 5_000, between_ms: 20 },
      answer: { text: 'late '.repeat(500), calls: [] },
    });
    const before = await exchanges();
    const leaving = new AbortController();
    const response = ask(target, { stream: true }, { signal: leaving.signal });
    await expect.poll(exchanges, { timeout: 10_000 }).toBeGreaterThan(before);
    leaving.abort();
    // On a busy machine a first sign of life is there by now.
    await expect(response.then((begun) => begun.text())).rejects.toThrow();
    expect(await newRow()).toMatchObject(abandoned);
    await expect.poll(async () => (await lastExchange())?.ended, { timeout: 10_000 }).toBe('left');
  }, 60_000);

  test('before an answer that is not streamed: the answer is made and paid for, and is a row', async () => {
    await gateway.script({ delay: { first_ms: 3_000, between_ms: 0 }, answer: { text: 'late', calls: [] } });
    const before = await exchanges();
    const leaving = new AbortController();
    const response = ask(target, {}, { signal: leaving.signal });
    await expect.poll(exchanges, { timeout: 10_000 }).toBeGreaterThan(before);
    leaving.abort();
    await expect(response).rejects.toThrow();
    expect(await newRow()).toMatchObject({ state: 'ok', status: 200, streamed: false });
  }, 60_000);

  test('traps T31: that stops reading is given up', async () => {
    // Some 20 MB of frames: more than the sockets' buffers on the way take.
    await gateway.script({ answer: { text: 'abc '.repeat(95_000), calls: [] } });
    const reading = request(`${target.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${target.key}`, 'content-type': 'application/json' },
    });
    reading.on('response', (response) => response.once('data', () => response.pause()));
    reading.on('error', () => {});
    reading.end(JSON.stringify({ ...question, stream: true, max_tokens: 128_000 }));
    expect(await newRow()).toMatchObject(abandoned);
    await expect.poll(async () => (await lastExchange())?.ended, { timeout: 10_000 }).toBe('left');
    reading.destroy();
  }, 60_000);

  test('the gateway is none the worse for it', async () => {
    await gateway.script();
    await expectAllLogged([await answered(target), await answered(target, { stream: true })]);
    expect(gateway.lines.filter((line) => /uncaught|unhandled|internal_error/i.test(line))).toEqual([]);
  });
});
