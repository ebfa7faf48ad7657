import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { SqlStorage } from '@cloudflare/workers-types';

/** As much of a Durable Object's database as our books use, over Node's own SQLite. */
export function openSql(): SqlStorage {
  const database = new DatabaseSync(':memory:');
  const storage = {
    exec(text: string, ...values: SQLInputValue[]) {
      if (values.length === 0 && text.trimStart().startsWith('CREATE')) return void database.exec(text);
      const statement = database.prepare(text);
      if (!/^\s*SELECT|\bRETURNING\b/.test(text))
        return { rowsWritten: Number(statement.run(...values).changes) };
      const rows = statement.all(...values);
      return Object.assign(rows, { one: () => rows[0] });
    },
  };
  // Of it the books call `exec` alone.
  return storage as never;
}
