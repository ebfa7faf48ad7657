import type { Bytes } from './backend.ts';
import { type CommandTable, command } from './command.ts';
import type { Keyspace } from './keyspace.ts';

/** Commands on sets. */
export const SET_COMMANDS: CommandTable = {
  SADD: command(-3, (db, [key = '', ...added]) => {
    const { members } = db.open(key, 'set');
    const before = members.size;
    for (const member of added) members.add(member);
    db.touch(key);
    return members.size - before;
  }),
  SREM: command(-3, (db, [key = '', ...gone]) => {
    const members = membersOf(db, key);
    const removed = gone.filter((member) => members.delete(member)).length;
    if (removed > 0) db.touch(key);
    return removed;
  }),
  SMEMBERS: command(2, (db, [key = '']) => [...membersOf(db, key)]),
  SISMEMBER: command(3, (db, [key = '', member = '']) => (membersOf(db, key).has(member) ? 1 : 0)),
  SMISMEMBER: command(-3, (db, [key = '', ...asked]) => {
    const members = membersOf(db, key);
    return asked.map((member) => (members.has(member) ? 1 : 0));
  }),
  SCARD: command(2, (db, [key = '']) => membersOf(db, key).size),
};

function membersOf(db: Keyspace, key: Bytes): Set<Bytes> {
  return db.read(key, 'set')?.members ?? new Set();
}
