import { type Bytes, RedisError, type RedisReply, RedisStatus } from './backend.ts';
import { type CommandTable, command, integer, OK, syntaxError } from './command.ts';
import { absoluteTime } from './expiry.ts';
import { globPattern } from './glob.ts';
import type { Keyspace } from './keyspace.ts';

/** Commands on keys of any type, and on the connection. */
export const KEY_COMMANDS: CommandTable = {
  PING: command(-1, (_db, [message]) => message ?? new RedisStatus('PONG')),
  ECHO: command(2, (_db, [message = '']) => message),
  DBSIZE: command(1, (db) => [...db.live()].length),
  FLUSHDB: command(-1, flush),
  FLUSHALL: command(-1, flush),
  DEL: command(-2, remove),
  UNLINK: command(-2, remove),
  EXISTS: command(-2, (db, keys) => keys.filter((key) => db.entry(key) !== undefined).length),
  TYPE: command(2, (db, [key = '']) => new RedisStatus(db.entry(key)?.value.type ?? 'none')),
  KEYS: command(2, (db, [pattern = '']) => {
    const matcher = globPattern(pattern);
    return [...db.live()].flatMap(([key]) => (matcher.test(key) ? [key] : []));
  }),
  SCAN: command(-2, scan),
  EXPIRE: command(-3, (db, args) => expire(db, 'expire', 'EX', args)),
  PEXPIRE: command(-3, (db, args) => expire(db, 'pexpire', 'PX', args)),
  EXPIREAT: command(-3, (db, args) => expire(db, 'expireat', 'EXAT', args)),
  PEXPIREAT: command(-3, (db, args) => expire(db, 'pexpireat', 'PXAT', args)),
  // Redis rounds half a second up.
  TTL: command(2, (db, [key = '']) =>
    remaining(db, key, (milliseconds) => Math.floor((milliseconds + 500) / 1000)),
  ),
  PTTL: command(2, (db, [key = '']) => remaining(db, key, (milliseconds) => milliseconds)),
  PERSIST: command(2, (db, [key = '']) => {
    const entry = db.entry(key);
    if (entry === undefined || entry.expiresAt === null) return 0;
    db.put(key, { ...entry, expiresAt: null });
    return 1;
  }),
};

function flush(db: Keyspace): RedisReply {
  db.clear();
  return OK;
}

function remove(db: Keyspace, keys: Bytes[]): RedisReply {
  return keys.filter((key) => db.entry(key) !== undefined && db.remove(key)).length;
}

function remaining(db: Keyspace, key: Bytes, unit: (milliseconds: number) => number): number {
  const entry = db.entry(key);
  if (entry === undefined) return -2;
  return entry.expiresAt === null ? -1 : unit(entry.expiresAt - db.now());
}

/** `EXPIRE key time [NX | XX | GT | LT]`. */
function expire(db: Keyspace, name: string, unit: string, [key = '', time, ...options]: Bytes[]): RedisReply {
  const expiresAt = absoluteTime(unit, integer(time), db.now());
  if (!Number.isSafeInteger(expiresAt)) throw new RedisError(`ERR invalid expire time in '${name}' command`);
  const condition = options[0]?.toUpperCase();
  if (condition !== undefined && !['NX', 'XX', 'GT', 'LT'].includes(condition)) {
    throw new RedisError(`ERR Unsupported option ${options[0]}`);
  }
  const entry = db.entry(key);
  if (entry === undefined) return 0;
  // A key that stays counts as one that expires never.
  const current = entry.expiresAt ?? Number.POSITIVE_INFINITY;
  if (condition === 'NX' && entry.expiresAt !== null) return 0;
  if (condition === 'XX' && entry.expiresAt === null) return 0;
  if (condition === 'GT' && expiresAt <= current) return 0;
  if (condition === 'LT' && expiresAt >= current) return 0;
  if (expiresAt <= db.now()) db.remove(key);
  else db.put(key, { ...entry, expiresAt });
  return 1;
}

/** `SCAN cursor [MATCH glob] [COUNT n] [TYPE t]`: everything in one page, since COUNT is a hint. */
function scan(db: Keyspace, [cursor, ...options]: Bytes[]): RedisReply {
  if (!/^\d+$/.test(cursor ?? '')) throw new RedisError('ERR invalid cursor');
  let matcher: RegExp | undefined;
  let type: string | undefined;
  for (let i = 0; i < options.length; i += 2) {
    const value = options[i + 1];
    const option = options[i]?.toUpperCase();
    if (value === undefined) throw syntaxError();
    if (option === 'MATCH') matcher = globPattern(value);
    else if (option === 'TYPE') type = value.toLowerCase();
    else if (option !== 'COUNT' || integer(value) < 1) throw syntaxError();
  }
  const keys: Bytes[] = [];
  for (const [key, { value }] of db.live()) {
    if ((matcher?.test(key) ?? true) && (type ?? value.type) === value.type) keys.push(key);
  }
  return ['0', keys];
}
