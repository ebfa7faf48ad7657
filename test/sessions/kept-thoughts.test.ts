import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { KeptThought } from '../../src/core/context/thoughts.ts';
import { keepContent } from '../../src/sessions/kept-content.ts';
import { thoughtsIn } from '../../src/sessions/kept-thoughts.ts';
import { openRedis } from '../../src/stores/redis.ts';
import { type FaultyRedis, startRedis } from '../log/stores.ts';

let redis: FaultyRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());
afterEach(() => redis.direct.flushall());

const OWNER = { customer: 'acme', session: 'object' };
const AT = Date.UTC(2026, 10, 23, 12);
const WAITS = new AbortController().signal;

const thought = (thinking: string, more: Partial<KeptThought> = {}): KeptThought => ({
  producer: { provider: 'anthropic', name: 'claude-opus-5-5' },
  ...{ wire: 'anthropic-messages', raw: [{ type: 'thinking', thinking }], tokens: 1, bound: '' },
  ...{ keptAt: AT, madeAt: AT },
  ...more,
});

/** An isolate with so much room; a customer's retention. */
function open(room = Number.POSITIVE_INFINITY, days?: number) {
  const work: Promise<unknown>[] = [];
  const taken: number[] = [];
  let missed = 0;
  const thoughts = thoughtsIn(
    { redis: openRedis(redis.url, 'token'), secrets: ['secret'] },
    {
      days,
      background: (one) => work.push(one),
      missed: () => {
        missed += 1;
      },
      takeRoom: (characters) => {
        taken.push(characters);
        if (taken.reduce((sum, one) => sum + one, 0) > room) throw new Error('no room');
      },
    },
  );
  const keep = async (kept: [string, KeptThought][]) => {
    thoughts.keep(OWNER, new Map(kept));
    await Promise.all(work);
  };
  return { ...thoughts, keep, taken, missed: () => missed };
}

/** Nothing that gzip could make small. */
const noise = () => randomBytes(70_000).toString('base64');
const hashes = (count: number) => Array.from({ length: count }, (_, index) => `hash-${index}`);

test('traps T63: of what is too large the newest are read, and no more than that is opened', async () => {
  const { keep, read, taken, missed } = open();
  const all = hashes(90);
  // Some that gzip makes next to nothing of, and some it can do nothing with.
  await keep(all.map((hash, index) => [hash, thought(index < 75 ? 'x'.repeat(95_000) : noise())]));
  expect(missed()).toBe(0);
  const found = await read(OWNER, all, WAITS);
  expect([...found.keys()]).toEqual(all.slice(-found.size).reverse());
  expect(found.size).toBe(22);
  // Sealed and open.
  expect(taken.reduce((sum, one) => sum + one, 0)).toBeLessThan(2 * 2_100_000);
});

test('traps T63: what the isolate has no room for is not opened', async () => {
  const { keep, read, taken } = open(50_000);
  await keep([['hash', thought(noise())]]);
  await expect(read(OWNER, ['hash'], WAITS)).rejects.toThrow('no room');
  expect(taken).toHaveLength(1);
});

test('traps T63: once the wait was given up nothing is opened', async () => {
  const { keep, read, taken } = open();
  await keep([['hash', thought('Hm.')]]);
  expect([...(await read(OWNER, ['hash'], WAITS)).values()]).toEqual([thought('Hm.')]);
  expect(taken).toHaveLength(2);
  const given = new AbortController();
  const reading = read(OWNER, ['hash'], given.signal);
  given.abort();
  expect([...(await reading)]).toEqual([]);
  expect(taken).toHaveLength(2);
});

test('traps T63: what is on its way to the store is read from memory, of two million characters at most', async () => {
  const { keep, read, taken } = open();
  const all = hashes(40);
  const keeping = keep(all.map((hash) => [hash, thought('x'.repeat(100_000))]));
  const inMemory = await Promise.all(all.map((hash) => read(OWNER, [hash], AbortSignal.abort())));
  await keeping;
  expect(inMemory.filter(({ size }) => size > 0)).toHaveLength(19);
  expect(taken).toEqual([]);
  expect((await read(OWNER, all.slice(-5), WAITS)).size).toBe(5);
});

test('it is kept for a day and a half, and never longer than the customer keeps anything, however often it is used', async () => {
  const hoursOf = async (days: number | undefined, hours: number) => {
    await redis.direct.flushall();
    await open(Number.POSITIVE_INFINITY, days).keep([
      ['hash', thought('Hm.', { keptAt: AT + hours * 3_600_000 })],
    ]);
    const [key] = await redis.direct.keys('*');
    return key === undefined ? null : Math.ceil((await redis.direct.ttl(key)) / 3_600);
  };
  expect(await hoursOf(undefined, 0)).toBe(36);
  expect(await hoursOf(undefined, 1_000)).toBe(36);
  expect(await hoursOf(1, 0)).toBe(24);
  expect(await hoursOf(1, 13)).toBe(11);
  expect(await hoursOf(1, 24)).toBeNull();
  expect(await hoursOf(30, 30 * 24 - 5)).toBe(5);
});

test('what an earlier version kept is read, and was thought when it was kept', async () => {
  const { madeAt: _, ...earlier } = thought('Hm.');
  const place = { kind: 'thoughts', customer: 'acme', id: 'object hash' } as const;
  const store = { redis: openRedis(redis.url, 'token'), secrets: ['secret'] } as const;
  await keepContent(store, [{ place, text: JSON.stringify(earlier), seconds: 60 }]);
  expect([...(await open().read(OWNER, ['hash'], WAITS)).values()]).toEqual([thought('Hm.')]);
});
