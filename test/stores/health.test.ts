import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { logLine } from '../../src/log/line.ts';
import { openDatabase } from '../../src/stores/database.ts';
import { checkDatabase, checkRedis, LatencyHistory } from '../../src/stores/health.ts';
import { openRedis } from '../../src/stores/redis.ts';
import { type FaultyStore, startRedis, startStore } from '../log/stores.ts';

let postgres: FaultyStore;
let redis: FaultyStore;

beforeAll(async () => {
  postgres = await startStore(async () => ({ status: 200, body: '{"fields":[],"rows":[]}' }));
  redis = await startRedis();
});

afterAll(async () => {
  await Promise.all([postgres.close(), redis.close()]);
});

const urlOf = (store: FaultyStore) =>
  store.url.replace('http://', 'postgresql://flux:secret@').concat('/flux');
const up = { state: 'up', latency_ms: expect.any(Number) };
const down = { state: 'down', latency_ms: expect.any(Number) };

test('a store that answers is up, one that does not is down, and nothing says why', async () => {
  const database = openDatabase(urlOf(postgres));
  const client = openRedis(redis.url, 'token');
  expect(await checkDatabase(database, new LatencyHistory())).toEqual(up);
  expect(await checkRedis(client, new LatencyHistory())).toEqual(up);
  postgres.mood = redis.mood = 'down';
  expect(await checkDatabase(database, new LatencyHistory())).toEqual(down);
  expect(await checkRedis(client, new LatencyHistory())).toEqual(down);
  postgres.mood = redis.mood = 'up';
});

test('a store that hangs is down after two seconds', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    const client = openRedis(redis.url, 'token');
    vi.spyOn(client, 'ping').mockReturnValue(new Promise(() => {}));
    const check = checkRedis(client, new LatencyHistory());
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await check).toEqual({ state: 'down', latency_ms: 2_000 });
  } finally {
    vi.useRealTimers();
  }
});

test('traps T46: slow is what is slow for this store', () => {
  const near = new LatencyHistory();
  const far = new LatencyHistory();
  for (let i = 0; i < 10; i++) {
    expect(near.add(2)).toBe('up');
    expect(far.add(160)).toBe('up');
  }
  expect([near.add(40), near.add(160)]).toEqual(['up', 'slow']);
  expect([far.add(400), far.add(900)]).toEqual(['up', 'slow']);
});

test('traps T46: at the start only what is slow anywhere is slow', () => {
  expect([new LatencyHistory().add(900), new LatencyHistory().add(1_100)]).toEqual(['up', 'slow']);
});

test('a store that moved away is slow at first and then as it always is', () => {
  const history = new LatencyHistory();
  for (let i = 0; i < 32; i++) history.add(2);
  expect(history.add(200)).toBe('slow');
  for (let i = 0; i < 32; i++) history.add(200);
  expect(history.add(200)).toBe('up');
});

test('traps T48: a line takes numbers and known words, and no text', () => {
  const write = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const store: 'redis' | 'database' = 'redis';
  logLine('warn', 'store_slow', { store, latency_ms: 12 });
  expect(write.mock.calls).toEqual([
    ['{"level":"warn","code":"store_slow","store":"redis","latency_ms":12}'],
  ]);
  const message: string = new Error('anything').message;
  // @ts-expect-error a plain string could be content or a key
  logLine('warn', 'store_slow', { message });
  // @ts-expect-error so could an object
  logLine('warn', 'store_slow', { error: new Error(message) });
  // @ts-expect-error nor is the code made of text
  logLine('warn', message);
  write.mockRestore();
});
