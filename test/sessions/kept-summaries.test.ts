import { afterAll, beforeAll, expect, test } from 'vitest';
import { summariesIn } from '../../src/sessions/kept-summaries.ts';
import { openRedis } from '../../src/stores/redis.ts';
import { type FaultyRedis, startRedis } from '../log/stores.ts';

let redis: FaultyRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());

test("a summary comes back to its customer for a day, sealed; a store that is gone is said, not the answer's trouble", async () => {
  const work: Promise<unknown>[] = [];
  let missed = 0;
  const summaries = summariesIn(
    { redis: openRedis(redis.url, 'token'), secrets: ['secret'] },
    (one) => work.push(one),
    () => {
      missed += 1;
    },
  );
  const place = { customer: 'acme', id: 'cut' };
  expect(await summaries.read(place)).toEqual({ text: null });
  summaries.keep(place, 'MARK');
  await Promise.all(work);
  expect(await summaries.read(place)).toEqual({ text: 'MARK' });
  expect(await summaries.read({ customer: 'globex', id: 'cut' })).toEqual({ text: null });
  const keys = await redis.direct.keys('*');
  const values = await Promise.all(keys.map((key) => redis.direct.get(key)));
  expect(values.join()).not.toContain('MARK');
  expect(Math.ceil((await redis.direct.ttl(keys[0] ?? '')) / 3_600)).toBe(24);
  redis.mood = 'down';
  summaries.keep(place, 'again');
  await Promise.all(work);
  expect(missed).toBe(1);
  await expect(summaries.read(place)).rejects.toThrow();
});
