import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emulateRedis } from '../../../src/local/redis/emulation.ts';
import { keepKeyspace } from '../../../src/local/redis/snapshot.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flux-snapshot-'));
  file = join(folder, 'redis.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Opens the file at the given time, runs the commands, closes, and gives the replies. */
async function session(now: number, commands: string[][]): Promise<unknown[]> {
  const kept = await keepKeyspace(file, () => now);
  const replies = await emulateRedis(kept.db).pipeline(commands);
  await kept.close();
  return replies;
}

test('every type, byte for byte, is there after a restart', async () => {
  const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
  await session(0, [
    ['SET', bytes, bytes],
    ['RPUSH', 'list', 'b', 'a'],
    ['HSET', 'hash', 'f', 'v'],
    ['SADD', 'set', 'm'],
    ['ZADD', 'zset', '1.5', 'x', '-inf', 'y'],
  ]);
  const replies = await session(0, [
    ['GET', bytes],
    ['LRANGE', 'list', '0', '-1'],
    ['HGETALL', 'hash'],
    ['SMEMBERS', 'set'],
    ['ZRANGE', 'zset', '0', '-1', 'WITHSCORES'],
  ]);
  expect(replies).toEqual([bytes, ['b', 'a'], ['f', 'v'], ['m'], ['y', '-inf', 'x', '1.5']]);
});

test('an expiry runs on while nothing runs', async () => {
  await session(0, [
    ['SET', 'short', 'v', 'PX', '1000'],
    ['SET', 'long', 'v', 'PX', '9000'],
  ]);
  expect(
    await session(4000, [
      ['EXISTS', 'short'],
      ['PTTL', 'long'],
    ]),
  ).toEqual([0, 5000]);
});

test('what is written is whole and only the owner may read it', async () => {
  await session(0, [['SET', 'k', 'v']]);
  expect(readdirSync(folder)).toEqual(['redis.json']);
  expect(JSON.parse(readFileSync(file, 'utf8')).entries).toHaveLength(1);
});

test('a change is written soon, without a stop', async () => {
  const kept = await keepKeyspace(file);
  await emulateRedis(kept.db).pipeline([['SET', 'k', 'v']]);
  await expect.poll(() => readdirSync(folder), { timeout: 5000 }).toEqual(['redis.json']);
  await kept.close();
});

test.each(['', '{', '{"version":2}', '{"version":1,"entries":[["k"]]}'])(
  'a file with %j says what to do',
  async (text) => {
    writeFileSync(file, text);
    await expect(keepKeyspace(file)).rejects.toThrow(/is no Redis snapshot.*delete the file/);
  },
);
