import { type Bytes, RedisError, type RedisReply } from './backend.ts';
import { addIntegers, bigInteger, type CommandTable, command, OK, syntaxError } from './command.ts';
import { expiryTime } from './expiry.ts';
import type { Keyspace } from './keyspace.ts';

/** Commands on strings. Arities and errors are Redis 7's. */
export const STRING_COMMANDS: CommandTable = {
  GET: command(2, (db, [key = '']) => bytesOf(db, key)),
  SET: command(-3, (db, [key = '', value = '', ...options]) => set(db, key, value, options)),
  SETNX: command(3, (db, [key = '', value = '']) => {
    if (db.entry(key) !== undefined) return 0;
    store(db, key, value, null);
    return 1;
  }),
  SETEX: command(4, (db, [key = '', seconds, value = '']) => {
    store(db, key, value, expiryTime('setex', 'EX', seconds, db.now()));
    return OK;
  }),
  PSETEX: command(4, (db, [key = '', milliseconds, value = '']) => {
    store(db, key, value, expiryTime('psetex', 'PX', milliseconds, db.now()));
    return OK;
  }),
  GETSET: command(3, (db, [key = '', value = '']) => {
    const before = bytesOf(db, key);
    store(db, key, value, null);
    return before;
  }),
  GETDEL: command(2, (db, [key = '']) => {
    const before = bytesOf(db, key);
    db.remove(key);
    return before;
  }),
  MGET: command(-2, (db, keys) =>
    keys.map((key) => {
      const value = db.entry(key)?.value;
      return value?.type === 'string' ? value.bytes : null;
    }),
  ),
  MSET: command(-3, (db, pairs) => {
    if (pairs.length % 2 !== 0) throw new RedisError("ERR wrong number of arguments for 'mset' command");
    for (let i = 0; i < pairs.length; i += 2) store(db, pairs[i] ?? '', pairs[i + 1] ?? '', null);
    return OK;
  }),
  APPEND: command(3, (db, [key = '', more = '']) => {
    const value = db.open(key, 'string');
    value.bytes += more;
    db.touch(key);
    return value.bytes.length;
  }),
  STRLEN: command(2, (db, [key = '']) => bytesOf(db, key)?.length ?? 0),
  INCR: command(2, (db, [key = '']) => increment(db, key, 1n)),
  DECR: command(2, (db, [key = '']) => increment(db, key, -1n)),
  INCRBY: command(3, (db, [key = '', by]) => increment(db, key, bigInteger(by))),
  DECRBY: command(3, (db, [key = '', by]) => increment(db, key, -bigInteger(by))),
};

function bytesOf(db: Keyspace, key: Bytes): Bytes | null {
  return db.read(key, 'string')?.bytes ?? null;
}

function store(db: Keyspace, key: Bytes, bytes: Bytes, expiresAt: number | null): void {
  db.put(key, { value: { type: 'string', bytes }, expiresAt });
}

function increment(db: Keyspace, key: Bytes, by: bigint): number {
  const sum = addIntegers(bigInteger(bytesOf(db, key) ?? '0'), by);
  db.open(key, 'string').bytes = String(sum);
  db.touch(key);
  return Number(sum);
}

/** `SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`. */
function set(db: Keyspace, key: Bytes, value: Bytes, options: Bytes[]): RedisReply {
  let condition: string | undefined;
  let giveOld = false;
  let keepTtl = false;
  let expiresAt: number | null | undefined;
  for (let i = 0; i < options.length; i++) {
    const option = (options[i] ?? '').toUpperCase();
    if ((option === 'NX' || option === 'XX') && condition === undefined) condition = option;
    else if (option === 'GET') giveOld = true;
    else if (option === 'KEEPTTL' && expiresAt === undefined) keepTtl = true;
    else if (
      /^(EX|PX|EXAT|PXAT)$/.test(option) &&
      expiresAt === undefined &&
      !keepTtl &&
      i + 1 < options.length
    ) {
      expiresAt = expiryTime('set', option, options[++i], db.now());
    } else throw syntaxError();
  }
  const before = db.entry(key);
  const old = giveOld ? bytesOf(db, key) : null;
  const allowed = condition === undefined || (condition === 'NX') === (before === undefined);
  if (allowed) store(db, key, value, keepTtl ? (before?.expiresAt ?? null) : (expiresAt ?? null));
  if (giveOld) return old;
  return allowed ? OK : null;
}
