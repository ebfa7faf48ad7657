import { afterAll, beforeAll, expect, test } from 'vitest';
import { exchangeOver } from '../../src/customers/rate-exchange.ts';
import { type Claim, RateLimiter } from '../../src/customers/rate-limiter.ts';
import { type FaultyRedis, startRedis } from '../log/stores.ts';

let redis: FaultyRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());

/** An isolate whose clock stands still, and what it does beside the answers. */
function isolate() {
  const work: Promise<unknown>[] = [];
  const limiter = new RateLimiter({
    now: () => Date.UTC(2026, 10, 23, 12, 0, 30),
    sleep: async () => {},
    failed: () => {},
    exchange: exchangeOver(redis.direct),
  });
  return {
    admit: (claims: Claim[]) => limiter.admit(claims, (going) => work.push(going)),
    exchanged: () => Promise.all(work),
  };
}

const claim = (counter: string, requests: number | null, tokens: number | null): Claim => ({
  counter,
  perMinute: { requests, tokens },
});

test('only what is limited is counted in Redis, and another isolate hears of it', async () => {
  const claims = [claim('acme', 3, null), claim('acme:key', null, 500), claim('globex', 9, 900)];
  const first = isolate();
  const charge = first.admit(claims);
  expect('estimate' in charge && charge.estimate(400)).toBeNull();
  await first.exchanged();
  const minute = Date.UTC(2026, 10, 23, 12) / 60_000;
  // Names and values in turn.
  const stored = (name: string) => redis.direct.hgetall(`flux:rate:${name}:${minute}`);
  expect(await stored('acme')).toEqual(['requests', '1']);
  expect(await stored('acme:key')).toEqual(['tokens', '400']);
  expect(await stored('globex')).toEqual(['requests', '1', 'tokens', '400']);
  expect(await redis.direct.ttl(`flux:rate:acme:${minute}`)).toBeGreaterThan(120);

  const second = isolate();
  const other = second.admit(claims);
  expect('estimate' in other && other.estimate(50)).toBeNull();
  await second.exchanged();
  const third = second.admit(claims);
  expect('estimate' in third && third.estimate(100)).toMatchObject({ metric: 'tokens', limit: 500 });
  expect(second.admit(claims)).toMatchObject({ metric: 'requests', limit: 3 });
});
