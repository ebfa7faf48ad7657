import { Redis } from '@upstash/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RedisBackend } from '../../../src/local/redis/backend.ts';
import { emulateRedis } from '../../../src/local/redis/emulation.ts';
import { Keyspace } from '../../../src/local/redis/keyspace.ts';
import { type RedisServer, startRedisServer } from '../../../src/local/redis/server.ts';
import { withRealServer } from '../real-thing.ts';
import { hasRedis, startRealRedis } from './real-redis.ts';

/** Commands and what Redis answers to the last of them. One table, for the emulation and for the real one. */
const TABLE: [name: string, commands: (string | number)[][], answer: unknown][] = [
  ['PING', [['PING']], 'PONG'],
  ['PING with a message', [['PING', 'hello']], 'hello'],
  ['a missing key is null', [['GET', 'k']], null],
  ['SET answers OK', [['SET', 'k', 'v']], 'OK'],
  [
    'GET gives what was set',
    [
      ['SET', 'k', 'Ωé漢 🙂'],
      ['GET', 'k'],
    ],
    'Ωé漢 🙂',
  ],
  [
    'a value "OK" is a value',
    [
      ['SET', 'k', 'OK'],
      ['GET', 'k'],
    ],
    'OK',
  ],
  [
    'an empty string is a value',
    [
      ['SET', 'k', ''],
      ['GET', 'k'],
    ],
    '',
  ],
  [
    'names of commands in any case',
    [
      ['set', 'k', 'v'],
      ['gEt', 'k'],
    ],
    'v',
  ],
  [
    'a key named __proto__',
    [
      ['SET', '__proto__', 'v'],
      ['GET', '__proto__'],
    ],
    'v',
  ],
  ['SET NX on a free key', [['SET', 'k', 'v', 'NX']], 'OK'],
  [
    'SET NX on a taken key',
    [
      ['SET', 'k', 'v'],
      ['SET', 'k', 'w', 'NX'],
    ],
    null,
  ],
  ['SET XX on a free key', [['SET', 'k', 'v', 'XX']], null],
  [
    'SET GET gives the old value',
    [
      ['SET', 'k', 'v'],
      ['SET', 'k', 'w', 'GET'],
    ],
    'v',
  ],
  [
    'SET NX GET keeps and gives the old value',
    [
      ['SET', 'k', 'v'],
      ['SET', 'k', 'w', 'nx', 'get'],
    ],
    'v',
  ],
  [
    'SET EX then TTL',
    [
      ['SET', 'k', 'v', 'EX', 100],
      ['TTL', 'k'],
    ],
    100,
  ],
  [
    'SET ex GET together',
    [
      ['SET', 'k', 'v'],
      ['SET', 'k', 'w', 'ex', 100, 'get'],
      ['TTL', 'k'],
    ],
    100,
  ],
  [
    'SET PX then TTL',
    [
      ['SET', 'k', 'v', 'px', '100000'],
      ['TTL', 'k'],
    ],
    100,
  ],
  [
    'SET drops the expiry',
    [
      ['SET', 'k', 'v', 'EX', 100],
      ['SET', 'k', 'w'],
      ['TTL', 'k'],
    ],
    -1,
  ],
  [
    'SET KEEPTTL keeps it',
    [
      ['SET', 'k', 'v', 'EX', 100],
      ['SET', 'k', 'w', 'KEEPTTL'],
      ['TTL', 'k'],
    ],
    100,
  ],
  [
    'SET EXAT in the past removes',
    [
      ['SET', 'k', 'v', 'PXAT', 1],
      ['EXISTS', 'k'],
    ],
    0,
  ],
  [
    'SETEX',
    [
      ['SETEX', 'k', 100, 'v'],
      ['TTL', 'k'],
    ],
    100,
  ],
  [
    'PSETEX',
    [
      ['PSETEX', 'k', 100000, 'v'],
      ['TTL', 'k'],
    ],
    100,
  ],
  [
    'SETNX',
    [
      ['SETNX', 'k', 'v'],
      ['SETNX', 'k', 'w'],
    ],
    0,
  ],
  [
    'GETSET',
    [
      ['SET', 'k', 'v'],
      ['GETSET', 'k', 'w'],
    ],
    'v',
  ],
  [
    'GETDEL',
    [
      ['SET', 'k', 'v'],
      ['GETDEL', 'k'],
      ['EXISTS', 'k'],
    ],
    0,
  ],
  [
    'MGET skips what is no string',
    [
      ['SET', 'a', '1'],
      ['RPUSH', 'l', 'x'],
      ['MGET', 'a', 'l', 'b'],
    ],
    ['1', null, null],
  ],
  [
    'MSET',
    [
      ['MSET', 'a', 1, 'b', 2],
      ['MGET', 'a', 'b'],
    ],
    ['1', '2'],
  ],
  [
    'APPEND',
    [
      ['APPEND', 'k', 'ab'],
      ['APPEND', 'k', 'é'],
    ],
    4,
  ],
  [
    'STRLEN counts bytes',
    [
      ['SET', 'k', 'é'],
      ['STRLEN', 'k'],
    ],
    2,
  ],
  ['INCR from nothing', [['INCR', 'k']], 1],
  [
    'INCRBY',
    [
      ['SET', 'k', 5],
      ['INCRBY', 'k', -7],
    ],
    -2,
  ],
  [
    'DECR',
    [
      ['DECR', 'k'],
      ['DECRBY', 'k', 9],
    ],
    -10,
  ],
  [
    'INCR keeps the expiry',
    [
      ['SET', 'k', 1, 'EX', 100],
      ['INCR', 'k'],
      ['TTL', 'k'],
    ],
    100,
  ],
  [
    'DEL counts',
    [
      ['SET', 'a', 1],
      ['SET', 'b', 1],
      ['DEL', 'a', 'b', 'c', 'a'],
    ],
    2,
  ],
  [
    'EXISTS counts repeats',
    [
      ['SET', 'a', 1],
      ['EXISTS', 'a', 'a', 'b'],
    ],
    2,
  ],
  ['TTL of nothing', [['TTL', 'k']], -2],
  [
    'PTTL of one that stays',
    [
      ['SET', 'k', 1],
      ['PTTL', 'k'],
    ],
    -1,
  ],
  [
    'EXPIRE',
    [
      ['SET', 'k', 1],
      ['EXPIRE', 'k', 50],
      ['TTL', 'k'],
    ],
    50,
  ],
  [
    'PEXPIRE',
    [
      ['SET', 'k', 1],
      ['PEXPIRE', 'k', 50000],
      ['TTL', 'k'],
    ],
    50,
  ],
  ['EXPIRE of nothing', [['EXPIRE', 'k', 50]], 0],
  [
    'EXPIRE in the past removes',
    [
      ['SET', 'k', 1],
      ['EXPIRE', 'k', -1],
      ['EXISTS', 'k'],
    ],
    0,
  ],
  [
    'EXPIRE NX',
    [
      ['SET', 'k', 1, 'EX', 9],
      ['EXPIRE', 'k', 50, 'NX'],
    ],
    0,
  ],
  [
    'EXPIRE GT on one that stays',
    [
      ['SET', 'k', 1],
      ['EXPIRE', 'k', 50, 'GT'],
    ],
    0,
  ],
  [
    'EXPIRE LT on one that stays',
    [
      ['SET', 'k', 1],
      ['EXPIRE', 'k', 50, 'LT'],
    ],
    1,
  ],
  [
    'PERSIST',
    [
      ['SET', 'k', 1, 'EX', 9],
      ['PERSIST', 'k'],
      ['TTL', 'k'],
    ],
    -1,
  ],
  [
    'TYPE',
    [
      ['HSET', 'k', 'f', 'v'],
      ['TYPE', 'k'],
    ],
    'hash',
  ],
  ['TYPE of nothing', [['TYPE', 'k']], 'none'],
  [
    'SCAN with MATCH',
    [
      ['MSET', 'a:1', 1, 'a:2', 1, 'b:1', 1],
      ['SCAN', 0, 'MATCH', 'b:*', 'COUNT', 100],
    ],
    ['0', ['b:1']],
  ],
  [
    'KEYS with a class',
    [
      ['MSET', 'a1', 1, 'a2', 1, 'a3', 1],
      ['KEYS', 'a[13-9]'],
    ],
    expect.toSatisfy(sameAs(['a1', 'a3'])),
  ],
  [
    'KEYS with an escape',
    [
      ['MSET', 'a*', 1, 'ab', 1],
      ['KEYS', 'a\\*'],
    ],
    ['a*'],
  ],
  [
    'LPUSH and RPUSH',
    [
      ['RPUSH', 'l', 'a', 'b'],
      ['LPUSH', 'l', 'c', 'd'],
      ['LRANGE', 'l', 0, -1],
    ],
    ['d', 'c', 'a', 'b'],
  ],
  ['RPUSH gives the length', [['RPUSH', 'l', 'a', 'b']], 2],
  [
    'LPUSHX on nothing',
    [
      ['LPUSHX', 'l', 'a'],
      ['EXISTS', 'l'],
    ],
    0,
  ],
  [
    'LLEN',
    [
      ['RPUSH', 'l', 'a', 'b'],
      ['LLEN', 'l'],
    ],
    2,
  ],
  [
    'LPOP',
    [
      ['RPUSH', 'l', 'a', 'b'],
      ['LPOP', 'l'],
    ],
    'a',
  ],
  ['LPOP of nothing', [['LPOP', 'l']], null],
  [
    'LPOP with a count',
    [
      ['RPUSH', 'l', 'a', 'b', 'c'],
      ['LPOP', 'l', 2],
    ],
    ['a', 'b'],
  ],
  [
    'RPOP with a count',
    [
      ['RPUSH', 'l', 'a', 'b', 'c'],
      ['RPOP', 'l', 2],
    ],
    ['c', 'b'],
  ],
  [
    'RPOP with a count over',
    [
      ['RPUSH', 'l', 'a', 'b'],
      ['RPOP', 'l', 9],
      ['EXISTS', 'l'],
    ],
    0,
  ],
  ['LPOP with a count of nothing', [['LPOP', 'l', 2]], null],
  [
    'LPOP with count 0',
    [
      ['RPUSH', 'l', 'a'],
      ['LPOP', 'l', 0],
    ],
    [],
  ],
  [
    'LRANGE outside',
    [
      ['RPUSH', 'l', 'a'],
      ['LRANGE', 'l', 5, 9],
    ],
    [],
  ],
  [
    'LRANGE from the end',
    [
      ['RPUSH', 'l', 'a', 'b', 'c'],
      ['LRANGE', 'l', -2, -1],
    ],
    ['b', 'c'],
  ],
  [
    'LINDEX',
    [
      ['RPUSH', 'l', 'a', 'b'],
      ['LINDEX', 'l', -1],
    ],
    'b',
  ],
  [
    'LSET',
    [
      ['RPUSH', 'l', 'a', 'b'],
      ['LSET', 'l', -1, 'z'],
      ['LRANGE', 'l', 0, -1],
    ],
    ['a', 'z'],
  ],
  [
    'LTRIM',
    [
      ['RPUSH', 'l', 'a', 'b', 'c'],
      ['LTRIM', 'l', 1, 1],
      ['LRANGE', 'l', 0, -1],
    ],
    ['b'],
  ],
  [
    'LTRIM to nothing removes',
    [
      ['RPUSH', 'l', 'a'],
      ['LTRIM', 'l', 5, 9],
      ['EXISTS', 'l'],
    ],
    0,
  ],
  [
    'LTRIM of nothing',
    [
      ['LTRIM', 'l', 0, 1],
      ['EXISTS', 'l'],
    ],
    0,
  ],
  [
    'LREM from the head',
    [
      ['RPUSH', 'l', 'a', 'b', 'a', 'a'],
      ['LREM', 'l', 2, 'a'],
      ['LRANGE', 'l', 0, -1],
    ],
    ['b', 'a'],
  ],
  [
    'LREM from the tail',
    [
      ['RPUSH', 'l', 'a', 'b', 'a', 'a'],
      ['LREM', 'l', -2, 'a'],
      ['LRANGE', 'l', 0, -1],
    ],
    ['a', 'b'],
  ],
  [
    'LREM all',
    [
      ['RPUSH', 'l', 'a', 'b', 'a'],
      ['LREM', 'l', 0, 'a'],
    ],
    2,
  ],
  [
    'LMOVE',
    [
      ['RPUSH', 'l', 'a', 'b'],
      ['LMOVE', 'l', 'm', 'LEFT', 'RIGHT'],
      ['LRANGE', 'm', 0, -1],
    ],
    ['a'],
  ],
  [
    'LMOVE on itself turns',
    [
      ['RPUSH', 'l', 'a', 'b'],
      ['LMOVE', 'l', 'l', 'left', 'right'],
      ['LRANGE', 'l', 0, -1],
    ],
    ['b', 'a'],
  ],
  ['LMOVE of nothing', [['LMOVE', 'l', 'm', 'LEFT', 'RIGHT']], null],
  [
    'RPOPLPUSH',
    [
      ['RPUSH', 'l', 'a', 'b'],
      ['RPOPLPUSH', 'l', 'm'],
    ],
    'b',
  ],
  [
    'HSET counts new fields',
    [
      ['HSET', 'h', 'a', 1, 'b', 2],
      ['HSET', 'h', 'a', 3, 'c', 4],
    ],
    1,
  ],
  [
    'HGET',
    [
      ['HSET', 'h', 'a', 1],
      ['HGET', 'h', 'a'],
    ],
    '1',
  ],
  [
    'HMGET',
    [
      ['HSET', 'h', 'a', 1],
      ['HMGET', 'h', 'a', 'b'],
    ],
    ['1', null],
  ],
  [
    'HGETALL',
    [
      ['HSET', 'h', 'a', 1, 'b', 2],
      ['HGETALL', 'h'],
    ],
    ['a', '1', 'b', '2'],
  ],
  ['HGETALL of nothing', [['HGETALL', 'h']], []],
  [
    'HKEYS',
    [
      ['HSET', 'h', 'a', 1, 'b', 2],
      ['HKEYS', 'h'],
    ],
    ['a', 'b'],
  ],
  [
    'HVALS',
    [
      ['HSET', 'h', 'a', 1, 'b', 2],
      ['HVALS', 'h'],
    ],
    ['1', '2'],
  ],
  [
    'HDEL of the last removes',
    [
      ['HSET', 'h', 'a', 1],
      ['HDEL', 'h', 'a', 'b'],
      ['EXISTS', 'h'],
    ],
    0,
  ],
  [
    'HLEN',
    [
      ['HSET', 'h', 'a', 1],
      ['HLEN', 'h'],
    ],
    1,
  ],
  [
    'HEXISTS',
    [
      ['HSET', 'h', 'a', 1],
      ['HEXISTS', 'h', 'b'],
    ],
    0,
  ],
  [
    'HSETNX',
    [
      ['HSET', 'h', 'a', 1],
      ['HSETNX', 'h', 'a', 2],
    ],
    0,
  ],
  [
    'HINCRBY',
    [
      ['HSET', 'h', 'a', 1],
      ['HINCRBY', 'h', 'a', 41],
    ],
    42,
  ],
  ['SADD counts new members', [['SADD', 's', 'a', 'b', 'a']], 2],
  [
    'SREM',
    [
      ['SADD', 's', 'a', 'b'],
      ['SREM', 's', 'a', 'c'],
    ],
    1,
  ],
  [
    'SMEMBERS',
    [
      ['SADD', 's', 'a'],
      ['SMEMBERS', 's'],
    ],
    ['a'],
  ],
  [
    'SISMEMBER',
    [
      ['SADD', 's', 'a'],
      ['SISMEMBER', 's', 'a'],
    ],
    1,
  ],
  [
    'SMISMEMBER',
    [
      ['SADD', 's', 'a'],
      ['SMISMEMBER', 's', 'a', 'b'],
    ],
    [1, 0],
  ],
  [
    'SCARD',
    [
      ['SADD', 's', 'a', 'b'],
      ['SCARD', 's'],
    ],
    2,
  ],
  [
    'ZADD counts new members',
    [
      ['ZADD', 'z', 1, 'a', 2, 'b'],
      ['ZADD', 'z', 3, 'a', 4, 'c'],
    ],
    1,
  ],
  [
    'ZADD CH counts changed ones',
    [
      ['ZADD', 'z', 1, 'a'],
      ['ZADD', 'z', 'CH', 3, 'a', 4, 'c'],
    ],
    2,
  ],
  [
    'ZADD NX changes none',
    [
      ['ZADD', 'z', 1, 'a'],
      ['ZADD', 'z', 'NX', 3, 'a'],
      ['ZSCORE', 'z', 'a'],
    ],
    '1',
  ],
  [
    'ZADD XX adds none',
    [
      ['ZADD', 'z', 'XX', 3, 'a'],
      ['EXISTS', 'z'],
    ],
    0,
  ],
  [
    'ZSCORE',
    [
      ['ZADD', 'z', 1.5, 'a'],
      ['ZSCORE', 'z', 'a'],
    ],
    '1.5',
  ],
  [
    'ZSCORE infinite',
    [
      ['ZADD', 'z', '-inf', 'a'],
      ['ZSCORE', 'z', 'a'],
    ],
    '-inf',
  ],
  [
    'ZINCRBY',
    [
      ['ZADD', 'z', 1, 'a'],
      ['ZINCRBY', 'z', 2.5, 'a'],
    ],
    '3.5',
  ],
  [
    'ZRANGE orders by score, then bytes',
    [
      ['ZADD', 'z', 2, 'b', 2, 'a', 1, 'c'],
      ['ZRANGE', 'z', 0, -1],
    ],
    ['c', 'a', 'b'],
  ],
  [
    'ZRANGE REV WITHSCORES',
    [
      ['ZADD', 'z', 2, 'b', 1, 'c'],
      ['ZRANGE', 'z', 0, 0, 'REV', 'WITHSCORES'],
    ],
    ['b', '2'],
  ],
  [
    'ZRANGE BYSCORE',
    [
      ['ZADD', 'z', 1, 'a', 2, 'b', 3, 'c'],
      ['ZRANGE', 'z', '(1', '+inf', 'BYSCORE', 'LIMIT', 0, 1],
    ],
    ['b'],
  ],
  [
    'ZRANGE BYSCORE REV',
    [
      ['ZADD', 'z', 1, 'a', 2, 'b', 3, 'c'],
      ['ZRANGE', 'z', 3, '(1', 'BYSCORE', 'REV'],
    ],
    ['c', 'b'],
  ],
  [
    'ZRANK',
    [
      ['ZADD', 'z', 1, 'a', 2, 'b'],
      ['ZRANK', 'z', 'b'],
    ],
    1,
  ],
  [
    'ZCOUNT',
    [
      ['ZADD', 'z', 1, 'a', 2, 'b'],
      ['ZCOUNT', 'z', '-inf', '(2'],
    ],
    1,
  ],
  [
    'ZREM',
    [
      ['ZADD', 'z', 1, 'a'],
      ['ZREM', 'z', 'a'],
      ['EXISTS', 'z'],
    ],
    0,
  ],
  [
    'ZREMRANGEBYSCORE',
    [
      ['ZADD', 'z', 1, 'a', 2, 'b'],
      ['ZREMRANGEBYSCORE', 'z', 0, 1],
      ['ZRANGE', 'z', 0, -1],
    ],
    ['b'],
  ],
  [
    'ZPOPMIN',
    [
      ['ZADD', 'z', 1, 'a', 2, 'b'],
      ['ZPOPMIN', 'z'],
    ],
    ['a', '1'],
  ],
  [
    'ZCARD',
    [
      ['ZADD', 'z', 1, 'a', 2, 'b'],
      ['ZCARD', 'z'],
    ],
    2,
  ],
  ['FLUSHDB', [['SET', 'k', 1], ['FLUSHDB'], ['DBSIZE']], 0],
];

/** Commands that Redis refuses, and its words. */
const REFUSED: [commands: (string | number)[][], message: string][] = [
  [[['NOPE', 'a']], "ERR unknown command 'NOPE', with args beginning with: 'a' "],
  [[['GET']], "ERR wrong number of arguments for 'get' command"],
  [[['GET', 'a', 'b']], "ERR wrong number of arguments for 'get' command"],
  [[['SET', 'k', 'v', 'EX']], 'ERR syntax error'],
  [[['SET', 'k', 'v', 'NX', 'XX']], 'ERR syntax error'],
  [[['SET', 'k', 'v', 'EX', 0]], "ERR invalid expire time in 'set' command"],
  [[['SET', 'k', 'v', 'EX', 'ten']], 'ERR value is not an integer or out of range'],
  [[['SETEX', 'k', -1, 'v']], "ERR invalid expire time in 'setex' command"],
  [
    [
      ['SET', 'k', 'x'],
      ['INCR', 'k'],
    ],
    'ERR value is not an integer or out of range',
  ],
  [
    [
      ['SET', 'k', '9223372036854775807'],
      ['INCR', 'k'],
    ],
    'ERR increment or decrement would overflow',
  ],
  [
    [
      ['SET', 'k', ' 1'],
      ['INCR', 'k'],
    ],
    'ERR value is not an integer or out of range',
  ],
  [
    [
      ['RPUSH', 'l', 'a'],
      ['GET', 'l'],
    ],
    'WRONGTYPE Operation against a key holding the wrong kind of value',
  ],
  [
    [
      ['SET', 'k', 'a'],
      ['LPUSH', 'k', 'b'],
    ],
    'WRONGTYPE Operation against a key holding the wrong kind of value',
  ],
  [
    [
      ['SET', 'k', 'a'],
      ['HGET', 'k', 'b'],
    ],
    'WRONGTYPE Operation against a key holding the wrong kind of value',
  ],
  [
    [
      ['RPUSH', 'l', 'a'],
      ['SET', 'l', 'b', 'GET'],
    ],
    'WRONGTYPE Operation against a key holding the wrong kind of value',
  ],
  [
    [
      ['RPUSH', 'l', 'a'],
      ['LPOP', 'l', -1],
    ],
    'ERR value is out of range, must be positive',
  ],
  [[['LMOVE', 'a', 'b', 'UP', 'LEFT']], 'ERR syntax error'],
  [[['LSET', 'l', 0, 'a']], 'ERR no such key'],
  [[['HSET', 'h', 'a']], "ERR wrong number of arguments for 'hset' command"],
  [
    [
      ['HSET', 'h', 'a', 'x'],
      ['HINCRBY', 'h', 'a', 1],
    ],
    'ERR hash value is not an integer',
  ],
  [[['ZADD', 'z', 'one', 'a']], 'ERR value is not a valid float'],
  [
    [['ZRANGE', 'z', 0, 1, 'LIMIT', 0, 1]],
    'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
  ],
  [[['SCAN', 'x']], 'ERR invalid cursor'],
];

function sameAs(expected: string[]): (actual: unknown) => boolean {
  return (actual) => Array.isArray(actual) && JSON.stringify(actual.toSorted()) === JSON.stringify(expected);
}

function suite(start: () => Promise<RedisBackend> | RedisBackend): void {
  let backend: RedisBackend;
  let server: RedisServer;
  beforeAll(async () => {
    backend = await start();
    server = await startRedisServer(backend, 'token');
  });
  afterAll(async () => {
    await server.close();
    await backend.close();
  });
  beforeEach(() => backend.pipeline([['FLUSHALL']]));

  const post = async (
    path: string,
    body: unknown,
    headers = {},
  ): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(server.url + path, {
      method: 'POST',
      headers: { authorization: 'Bearer token', ...headers },
      body: body instanceof Uint8Array ? body : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };

  test.each(TABLE)('%s', async (_name, commands, answer) => {
    let last: unknown;
    for (const command of commands) last = (await post('/', command)).body;
    expect(last).toEqual({ result: answer });
  });

  test.each(REFUSED)('refuses %j with %j', async (commands, message) => {
    const answers = [];
    for (const command of commands) answers.push(await post('/', command));
    expect(answers.at(-1)).toEqual({ status: 400, body: { error: message } });
  });

  test('a key is gone when its time has come', async () => {
    await post('/pipeline', [
      ['SET', 'k', 'v', 'PX', 30],
      ['SET', 'l', 'v', 'PX', 60000],
    ]);
    await expect
      .poll(async () => (await post('/', ['GET', 'k'])).body, { interval: 5 })
      .toEqual({ result: null });
    expect((await post('/', ['GET', 'l'])).body).toEqual({ result: 'v' });
  });

  test('a pipeline goes on after an error', async () => {
    const { status, body } = await post('/pipeline', [
      ['SET', 'k', 'v'],
      ['INCR', 'k'],
      ['NOPE'],
      ['GET', 'k'],
    ]);
    expect(status).toBe(200);
    expect(body).toEqual([
      { result: 'OK' },
      { error: 'ERR value is not an integer or out of range' },
      { error: "ERR unknown command 'NOPE', with args beginning with: " },
      { result: 'v' },
    ]);
  });

  test('a transaction with a malformed command does nothing', async () => {
    const { status, body } = await post('/multi-exec', [['SET', 'k', 'v'], ['GET']]);
    expect(status).toBe(400);
    expect(body).toEqual({ error: 'EXECABORT Transaction discarded because of previous errors.' });
    expect((await post('/', ['EXISTS', 'k'])).body).toEqual({ result: 0 });
  });

  test('a transaction runs on after a command that fails', async () => {
    const { body } = await post('/multi-exec', [
      ['SET', 'k', 'v'],
      ['INCR', 'k'],
      ['GET', 'k'],
    ]);
    expect(body).toEqual([
      { result: 'OK' },
      { error: 'ERR value is not an integer or out of range' },
      { result: 'v' },
    ]);
  });

  test('base64 answers where they are asked for: every string but the status OK', async () => {
    const base64 = { 'upstash-encoding': 'base64' };
    const { body } = await post(
      '/pipeline',
      [['SET', 'k', 'OK'], ['GET', 'k'], ['PING'], ['MGET', 'k', 'no']],
      base64,
    );
    expect(body).toEqual([
      { result: 'OK' },
      { result: 'T0s=' },
      { result: 'UE9ORw==' },
      { result: ['T0s=', null] },
    ]);
  });

  test('bytes that are no UTF-8 come back as they went in', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await post('/set/k', bytes);
    const { body } = await post('/', ['GET', 'k'], { 'upstash-encoding': 'base64' });
    expect(body).toEqual({ result: Buffer.from(bytes).toString('base64') });
  });

  test('commands in the path, as Upstash takes them', async () => {
    const get = async (path: string) => (await fetch(`${server.url}${path}`)).json();
    expect(await get('/set/a%2Fb/v?EX=100&_token=token')).toEqual({ result: 'OK' });
    expect(await get('/get/a%2Fb?_token=token')).toEqual({ result: 'v' });
    expect(await get('/ttl/a%2Fb?_token=token')).toEqual({ result: 100 });
  });

  test('without the token nothing is done', async () => {
    const { status, body } = await post('/', ['SET', 'k', 'v'], { authorization: 'Bearer wrong' });
    expect(status).toBe(401);
    expect(body).toEqual({ error: 'WRONGPASS invalid or missing auth token' });
    expect((await post('/', ['EXISTS', 'k'])).body).toEqual({ result: 0 });
  });

  test.each([['{'], ['"GET"'], ['[]'], ['[["GET"]]'], ['[null]']])('%s is no command', async (text) => {
    const body = new TextEncoder().encode(text);
    expect((await post('/', body)).status).toBe(400);
  });

  test("Upstash's own client reads and writes", async () => {
    const redis = new Redis({ url: server.url, token: 'token', enableTelemetry: false });
    await redis.set('object', { a: [1, 'ü'] }, { ex: 100 });
    expect(await redis.get('object')).toEqual({ a: [1, 'ü'] });
    expect(await redis.hset('h', { a: 1, b: 'two' })).toBe(2);
    expect(await redis.hgetall('h')).toEqual({ a: 1, b: 'two' });
    expect(await redis.rpush('l', 'a', 'b')).toBe(2);
    expect(await redis.lmove('l', 'm', 'left', 'right')).toBe('a');
    expect(await redis.pipeline().incr('n').get('n').lpop('nothing').exec()).toEqual([1, 1, null]);
    expect(await redis.multi().incr('n').ttl('object').exec()).toEqual([2, 100]);
    expect((await redis.scan('0', { match: 'obj*', count: 100 }))[1]).toEqual(['object']);
    await expect(redis.incr('object')).rejects.toThrow('ERR value is not an integer or out of range');
  });
}

describe('Redis over REST, emulated', () => suite(() => emulateRedis(new Keyspace(Date.now))));
describe('Redis over REST, real', () =>
  withRealServer('redis-server', hasRedis, () => suite(startRealRedis)));
