import { type RedisBackend, type RedisCommand, RedisError, type RedisReply } from './backend.ts';
import type { CommandRule, CommandTable } from './command.ts';
import { HASH_COMMANDS } from './hashes.ts';
import { KEY_COMMANDS } from './keys.ts';
import type { Keyspace } from './keyspace.ts';
import { LIST_COMMANDS } from './lists.ts';
import { SET_COMMANDS } from './sets.ts';
import { SORTED_SET_COMMANDS } from './sorted-sets.ts';
import { STRING_COMMANDS } from './strings.ts';

/**
 * The commands there are. Written here rather than taken from `ioredis-mock`, which copies a whole value on every
 * access, takes options only in upper case, has no errors for wrong types and keeps nothing on disk.
 * The tests run each of them against a real Redis too.
 */
const COMMANDS = new Map<string, CommandRule>(
  Object.entries({
    ...KEY_COMMANDS,
    ...STRING_COMMANDS,
    ...LIST_COMMANDS,
    ...HASH_COMMANDS,
    ...SET_COMMANDS,
    ...SORTED_SET_COMMANDS,
  } satisfies CommandTable),
);

/** Redis in this process, over `db`. Each command runs at once, so a transaction is simply its commands in a row. */
export function emulateRedis(db: Keyspace): RedisBackend {
  return {
    pipeline: async (commands) => commands.map((words) => attempt(() => find(words).run(db, words.slice(1)))),
    multi: async (commands) => {
      const rules = commands.map((words) => attempt(() => find(words)));
      if (rules.some((rule) => rule instanceof RedisError)) {
        throw new RedisError('EXECABORT Transaction discarded because of previous errors.');
      }
      return commands.map((words) => attempt(() => find(words).run(db, words.slice(1))));
    },
    close: async () => {},
  };
}

function find(words: RedisCommand): CommandRule {
  const name = words[0] ?? '';
  const rule = COMMANDS.get(name.toUpperCase());
  if (rule === undefined) {
    const shown = words.slice(1).map((word) => `'${word}' `);
    throw new RedisError(`ERR unknown command '${name}', with args beginning with: ${shown.join('')}`);
  }
  const fits = rule.arity < 0 ? words.length >= -rule.arity : words.length === rule.arity;
  if (!fits) throw new RedisError(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
  return rule;
}

function attempt<T extends RedisReply | CommandRule>(run: () => T): T | RedisError {
  try {
    return run();
  } catch (error) {
    if (error instanceof RedisError) return error;
    throw error;
  }
}
