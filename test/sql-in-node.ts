import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

/** As much of a Durable Object's database as the book uses, over Node's own SQLite. */
export function openSql() {
  const database = new DatabaseSync(':memory:');
  return {
    exec(text: string, ...values: SQLInputValue[]) {
      if (values.length === 0 && text.trimStart().startsWith('CREATE')) return void database.exec(text);
      const statement = database.prepare(text);
      if (!text.trimStart().startsWith('SELECT'))
        return { rowsWritten: Number(statement.run(...values).changes) };
      const rows = statement.all(...values);
      return Object.assign(rows, { one: () => rows[0] });
    },
  };
}
