import { type Bytes, RedisError, type RedisReply } from './backend.ts';
import { type CommandTable, command, integer, score, scoreText, slice, syntaxError } from './command.ts';
import type { Keyspace } from './keyspace.ts';

type Member = [member: Bytes, score: number];

/** Commands on sorted sets. They sort when they are read: local sets are small. */
export const SORTED_SET_COMMANDS: CommandTable = {
  ZADD: command(-4, (db, [key = '', ...args]) => add(db, key, args)),
  ZINCRBY: command(4, (db, [key = '', by, member = '']) => {
    const sum = (scoresOf(db, key).get(member) ?? 0) + score(by);
    if (Number.isNaN(sum)) throw new RedisError('ERR resulting score is not a number (NaN)');
    db.open(key, 'zset').scores.set(member, sum);
    db.touch(key);
    return scoreText(sum);
  }),
  ZREM: command(-3, (db, [key = '', ...gone]) => removeMembers(db, key, gone)),
  ZCARD: command(2, (db, [key = '']) => scoresOf(db, key).size),
  ZSCORE: command(3, (db, [key = '', member = '']) => {
    const found = scoresOf(db, key).get(member);
    return found === undefined ? null : scoreText(found);
  }),
  ZRANK: command(3, (db, [key = '', member = '']) => {
    const rank = sorted(db, key).findIndex(([name]) => name === member);
    return rank < 0 ? null : rank;
  }),
  ZCOUNT: command(4, (db, [key = '', min, max]) => between(sorted(db, key), min, max).length),
  ZRANGE: command(-4, (db, [key = '', start, stop, ...options]) => range(db, key, start, stop, options)),
  ZREMRANGEBYSCORE: command(4, (db, [key = '', min, max]) => {
    const gone = between(sorted(db, key), min, max);
    return removeMembers(
      db,
      key,
      gone.map(([member]) => member),
    );
  }),
  ZPOPMIN: command(-2, (db, [key = '', count]) => {
    const popped = sorted(db, key).slice(0, count === undefined ? 1 : integer(count));
    removeMembers(
      db,
      key,
      popped.map(([member]) => member),
    );
    return popped.flatMap(([member, value]) => [member, scoreText(value)]);
  }),
};

function scoresOf(db: Keyspace, key: Bytes): Map<Bytes, number> {
  return db.read(key, 'zset')?.scores ?? new Map();
}

/** By score, equal ones by their bytes. */
function sorted(db: Keyspace, key: Bytes): Member[] {
  return [...scoresOf(db, key)].sort(([a, x], [b, y]) => (x === y ? (a < b ? -1 : 1) : x < y ? -1 : 1));
}

/** `-inf`, `5`, `(5` (exclusive). */
function bound(text: Bytes | undefined): { value: number; exclusive: boolean } {
  const exclusive = text?.startsWith('(') ?? false;
  try {
    return { value: score(exclusive ? text?.slice(1) : text), exclusive };
  } catch {
    throw new RedisError('ERR min or max is not a float');
  }
}

function between(members: Member[], min: Bytes | undefined, max: Bytes | undefined): Member[] {
  const low = bound(min);
  const high = bound(max);
  return members.filter(
    ([, value]) =>
      (low.exclusive ? value > low.value : value >= low.value) &&
      (high.exclusive ? value < high.value : value <= high.value),
  );
}

function removeMembers(db: Keyspace, key: Bytes, gone: Bytes[]): number {
  const scores = scoresOf(db, key);
  const removed = gone.filter((member) => scores.delete(member)).length;
  if (removed > 0) db.touch(key);
  return removed;
}

/** `ZADD key [NX | XX] [CH] score member …`. */
function add(db: Keyspace, key: Bytes, args: Bytes[]): RedisReply {
  const flags = new Set<string>();
  let first = 0;
  while (['NX', 'XX', 'CH'].includes((args[first] ?? '').toUpperCase()))
    flags.add((args[first++] ?? '').toUpperCase());
  const pairs = args.slice(first);
  if (pairs.length === 0 || pairs.length % 2 !== 0) throw syntaxError();
  if (flags.has('NX') && flags.has('XX'))
    throw new RedisError('ERR XX and NX options at the same time are not compatible');
  const values = pairs.flatMap((text, i) => (i % 2 === 0 ? [score(text)] : []));
  const { scores } = db.open(key, 'zset');
  let added = 0;
  let changed = 0;
  values.forEach((value, i) => {
    const member = pairs[2 * i + 1] ?? '';
    const before = scores.get(member);
    if (before === undefined ? flags.has('XX') : flags.has('NX')) return;
    if (before === undefined) added++;
    else if (before !== value) changed++;
    scores.set(member, value);
  });
  db.touch(key);
  return flags.has('CH') ? added + changed : added;
}

/** `ZRANGE key start stop [BYSCORE] [REV] [LIMIT offset count] [WITHSCORES]`. */
function range(
  db: Keyspace,
  key: Bytes,
  start: Bytes | undefined,
  stop: Bytes | undefined,
  options: Bytes[],
): RedisReply {
  const words = options.map((option) => option.toUpperCase());
  const limitAt = words.indexOf('LIMIT');
  const limit =
    limitAt < 0 ? undefined : { offset: integer(options[limitAt + 1]), count: integer(options[limitAt + 2]) };
  if (limitAt >= 0) words.splice(limitAt, 3);
  if (words.some((word) => !['BYSCORE', 'REV', 'WITHSCORES'].includes(word))) throw syntaxError();
  const reversed = words.includes('REV');
  const byScore = words.includes('BYSCORE');
  if (limit !== undefined && !byScore) {
    throw new RedisError(
      'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX',
    );
  }
  const all = sorted(db, key);
  let members: Member[];
  if (byScore) {
    members = reversed ? between(all, stop, start).reverse() : between(all, start, stop);
    if (limit !== undefined) {
      const end = limit.count < 0 ? undefined : limit.offset + limit.count;
      members = limit.offset < 0 ? [] : members.slice(limit.offset, end);
    }
  } else {
    members = slice(reversed ? all.reverse() : all, integer(start), integer(stop));
  }
  return members.flatMap(([member, value]) =>
    words.includes('WITHSCORES') ? [member, scoreText(value)] : [member],
  );
}
