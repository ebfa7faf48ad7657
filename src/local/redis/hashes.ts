import { type Bytes, RedisError } from './backend.ts';
import { addIntegers, bigInteger, type CommandTable, command, OK } from './command.ts';
import type { Keyspace } from './keyspace.ts';

/** Commands on hashes. */
export const HASH_COMMANDS: CommandTable = {
  HSET: command(-4, (db, [key = '', ...pairs]) => setFields(db, 'hset', key, pairs)),
  HMSET: command(-4, (db, [key = '', ...pairs]) => {
    setFields(db, 'hmset', key, pairs);
    return OK;
  }),
  HSETNX: command(4, (db, [key = '', field = '', value = '']) =>
    fieldsOf(db, key).has(field) ? 0 : setFields(db, 'hsetnx', key, [field, value]),
  ),
  HGET: command(3, (db, [key = '', field = '']) => fieldsOf(db, key).get(field) ?? null),
  HMGET: command(-3, (db, [key = '', ...names]) => {
    const fields = fieldsOf(db, key);
    return names.map((name) => fields.get(name) ?? null);
  }),
  HGETALL: command(2, (db, [key = '']) => [...fieldsOf(db, key)].flat()),
  HKEYS: command(2, (db, [key = '']) => [...fieldsOf(db, key).keys()]),
  HVALS: command(2, (db, [key = '']) => [...fieldsOf(db, key).values()]),
  HLEN: command(2, (db, [key = '']) => fieldsOf(db, key).size),
  HEXISTS: command(3, (db, [key = '', field = '']) => (fieldsOf(db, key).has(field) ? 1 : 0)),
  HDEL: command(-3, (db, [key = '', ...names]) => {
    const fields = fieldsOf(db, key);
    const removed = names.filter((name) => fields.delete(name)).length;
    if (removed > 0) db.touch(key);
    return removed;
  }),
  HINCRBY: command(4, (db, [key = '', field = '', by]) => {
    const sum = addIntegers(currentCount(db, key, field), bigInteger(by));
    setFields(db, 'hincrby', key, [field, String(sum)]);
    return Number(sum);
  }),
};

function fieldsOf(db: Keyspace, key: Bytes): Map<Bytes, Bytes> {
  return db.read(key, 'hash')?.fields ?? new Map();
}

function setFields(db: Keyspace, name: string, key: Bytes, pairs: Bytes[]): number {
  if (pairs.length % 2 !== 0) throw new RedisError(`ERR wrong number of arguments for '${name}' command`);
  const { fields } = db.open(key, 'hash');
  const before = fields.size;
  for (let i = 0; i < pairs.length; i += 2) fields.set(pairs[i] ?? '', pairs[i + 1] ?? '');
  db.touch(key);
  return fields.size - before;
}

function currentCount(db: Keyspace, key: Bytes, field: Bytes): bigint {
  try {
    return bigInteger(fieldsOf(db, key).get(field) ?? '0');
  } catch (error) {
    if (error instanceof RedisError && error.message.startsWith('WRONGTYPE')) throw error;
    throw new RedisError('ERR hash value is not an integer');
  }
}
