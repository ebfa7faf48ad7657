import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type RedisBackend,
  RedisError,
  type RedisReply,
  RedisStatus,
} from '../../../src/local/redis/backend.ts';
import { emulateRedis } from '../../../src/local/redis/emulation.ts';
import { Keyspace } from '../../../src/local/redis/keyspace.ts';
import { withRealServer } from '../real-thing.ts';
import { hasRedis, startRealRedis } from './real-redis.ts';

/** Few keys and few values, so that commands meet each other's leavings. */
const key = fc.constantFrom('a', 'b');
const value = fc.constantFrom('x', 'y', '', '3', '-1', '\xff\x00');
const index = fc.integer({ min: -4, max: 4 }).map(String);
const words = (name: string, ...rest: fc.Arbitrary<string>[]) => fc.tuple(fc.constant(name), ...rest);
const maybe = (arbitrary: fc.Arbitrary<string>) => fc.array(arbitrary, { maxLength: 1 });
/** Seconds: of two alike the later is longer by as many milliseconds as lie between them, here and there. */
const lifetime = fc.integer({ min: 2_000, max: 1_000_000_000 }).map(String);
const side = fc.constantFrom('LEFT', 'RIGHT');

const command = fc.oneof(
  words('GET', key),
  fc
    .tuple(key, value, fc.subarray(['NX', 'XX', 'GET', 'KEEPTTL']))
    .map(([k, v, options]) => ['SET', k, v, ...options]),
  words('SETEX', key, fc.constant('1000'), value),
  words('APPEND', key, value),
  words('GETDEL', key),
  words('INCRBY', key, value),
  words('DEL', key),
  words('EXISTS', key, key),
  words('TYPE', key),
  words('PERSIST', key),
  words('EXPIRE', key, fc.oneof(lifetime, fc.constant('-1')), fc.constantFrom('NX', 'XX', 'GT', 'LT')),
  fc
    .tuple(fc.constantFrom('LPUSH', 'RPUSH', 'LPUSHX'), key, fc.array(value, { minLength: 1, maxLength: 3 }))
    .map(([n, k, v]) => [n, k, ...v]),
  fc.tuple(fc.constantFrom('LPOP', 'RPOP'), key, maybe(index)).map(([n, k, count]) => [n, k, ...count]),
  words('LRANGE', key, index, index),
  words('LTRIM', key, index, index),
  words('LREM', key, index, value),
  words('LSET', key, index, value),
  words('LINDEX', key, index),
  words('LMOVE', key, key, side, side),
  words('HSET', key, value, value),
  words('HDEL', key, value),
  words('HGETALL', key),
  words('HINCRBY', key, value, index),
  words('SADD', key, value),
  words('SREM', key, value, value),
  words('SCARD', key),
  fc
    .tuple(key, fc.subarray(['NX', 'XX', 'CH']), index, value)
    .map(([k, flags, s, v]) => ['ZADD', k, ...flags, s, v]),
  words('ZRANGE', key, index, index, fc.constant('WITHSCORES')),
  words('ZRANGE', key, index, index, fc.constant('BYSCORE')),
  words('ZREM', key, value),
  words('ZPOPMIN', key, fc.constant('2')),
);

function plain(reply: RedisReply | RedisError | undefined): unknown {
  if (reply instanceof RedisError) return `error: ${reply.message}`;
  return reply instanceof RedisStatus ? `status: ${reply.text}` : reply;
}

withRealServer('redis-server', hasRedis, () => {
  describe('the emulation', () => {
    let real: RedisBackend;
    beforeAll(async () => {
      real = await startRealRedis();
    });
    afterAll(() => real.close());

    test('answers any run of commands as a real Redis does', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { maxLength: 30 }), async (commands) => {
          await real.pipeline([['FLUSHALL']]);
          const emulated = await emulateRedis(new Keyspace(Date.now)).pipeline(commands);
          const expected = await real.pipeline(commands);
          expect(emulated.map(plain)).toEqual(expected.map(plain));
        }),
        { numRuns: 300 },
      );
    });
  });
});
