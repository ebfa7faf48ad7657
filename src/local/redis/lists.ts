import { type Bytes, RedisError, type RedisReply } from './backend.ts';
import { type CommandTable, command, integer, OK, slice, syntaxError } from './command.ts';
import type { Keyspace } from './keyspace.ts';

/** Commands on lists. */
export const LIST_COMMANDS: CommandTable = {
  LPUSH: command(-3, (db, [key = '', ...items]) => push(db, key, 'LEFT', items)),
  RPUSH: command(-3, (db, [key = '', ...items]) => push(db, key, 'RIGHT', items)),
  LPUSHX: command(-3, (db, [key = '', ...items]) =>
    itemsOf(db, key).length ? push(db, key, 'LEFT', items) : 0,
  ),
  RPUSHX: command(-3, (db, [key = '', ...items]) =>
    itemsOf(db, key).length ? push(db, key, 'RIGHT', items) : 0,
  ),
  LPOP: command(-2, (db, args) => pop(db, 'LEFT', 'lpop', args)),
  RPOP: command(-2, (db, args) => pop(db, 'RIGHT', 'rpop', args)),
  LLEN: command(2, (db, [key = '']) => itemsOf(db, key).length),
  LRANGE: command(4, (db, [key = '', start, stop]) => slice(itemsOf(db, key), integer(start), integer(stop))),
  LINDEX: command(3, (db, [key = '', index]) => itemsOf(db, key).at(integer(index)) ?? null),
  LSET: command(4, (db, [key = '', index, item = '']) => {
    const items = itemsOf(db, key);
    if (items.length === 0) throw new RedisError('ERR no such key');
    const position = integer(index) < 0 ? items.length + integer(index) : integer(index);
    if (position < 0 || position >= items.length) throw new RedisError('ERR index out of range');
    items[position] = item;
    db.touch(key);
    return OK;
  }),
  LTRIM: command(4, (db, [key = '', start, stop]) => {
    const kept = slice(itemsOf(db, key), integer(start), integer(stop));
    db.open(key, 'list').items = kept;
    db.touch(key);
    return OK;
  }),
  LREM: command(4, (db, [key = '', count, item = '']) => removeItems(db, key, integer(count), item)),
  LMOVE: command(5, (db, [from = '', to = '', source, target]) =>
    move(db, from, to, side(source), side(target)),
  ),
  RPOPLPUSH: command(3, (db, [from = '', to = '']) => move(db, from, to, 'RIGHT', 'LEFT')),
};

type Side = 'LEFT' | 'RIGHT';

function side(text: Bytes | undefined): Side {
  const name = text?.toUpperCase();
  if (name !== 'LEFT' && name !== 'RIGHT') throw syntaxError();
  return name;
}

function itemsOf(db: Keyspace, key: Bytes): Bytes[] {
  return db.read(key, 'list')?.items ?? [];
}

function push(db: Keyspace, key: Bytes, at: Side, added: Bytes[]): number {
  const list = db.open(key, 'list');
  // Each is pushed after the other, so that the last one given stands outermost.
  if (at === 'LEFT') list.items = [...added.toReversed(), ...list.items];
  else for (const item of added) list.items.push(item);
  db.touch(key);
  return list.items.length;
}

function take(db: Keyspace, key: Bytes, at: Side): Bytes | null {
  const items = itemsOf(db, key);
  const item = at === 'LEFT' ? items.shift() : items.pop();
  if (item === undefined) return null;
  db.touch(key);
  return item;
}

function pop(db: Keyspace, at: Side, name: string, [key = '', count, ...rest]: Bytes[]): RedisReply {
  if (rest.length > 0) throw new RedisError(`ERR wrong number of arguments for '${name}' command`);
  if (count === undefined) return take(db, key, at);
  const wanted = /^\d+$/.test(count) ? integer(count) : -1;
  if (wanted < 0) throw new RedisError('ERR value is out of range, must be positive');
  const items = itemsOf(db, key);
  if (items.length === 0) return null;
  const taken =
    at === 'LEFT' ? items.splice(0, wanted) : items.splice(Math.max(items.length - wanted, 0)).toReversed();
  if (taken.length > 0) db.touch(key);
  return taken;
}

function move(db: Keyspace, from: Bytes, to: Bytes, source: Side, target: Side): RedisReply {
  if (itemsOf(db, from).length === 0) return null;
  // The target's type is checked before anything is taken.
  itemsOf(db, to);
  const item = take(db, from, source);
  if (item !== null) push(db, to, target, [item]);
  return item;
}

/** `count` > 0 from the head, < 0 from the tail, 0 all. */
function removeItems(db: Keyspace, key: Bytes, count: number, item: Bytes): number {
  const items = itemsOf(db, key);
  const order = count < 0 ? items.toReversed() : [...items];
  let left = count === 0 ? items.length : Math.abs(count);
  const kept = order.filter((candidate) => candidate !== item || left-- <= 0);
  const removed = items.length - kept.length;
  if (removed > 0) {
    db.open(key, 'list').items = count < 0 ? kept.reverse() : kept;
    db.touch(key);
  }
  return removed;
}
