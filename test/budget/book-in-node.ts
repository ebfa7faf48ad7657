import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import {
  type Amounts,
  BudgetBook,
  type BudgetClaim,
  type Reservation,
} from '../../src/budget/budget-book.ts';

/** As much of a Durable Object's database as the book uses, over Node's own SQLite. */
function openSql() {
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

/** The binding `BUDGETS` without workerd: an object a name, each with its book, and no alarm. */
export function budgetsInNode() {
  const objects = new Map<string, ReturnType<typeof openObject>>();
  const getByName = (name: string) => {
    const object = objects.get(name) ?? openObject();
    objects.set(name, object);
    return object;
  };
  return { getByName };
}

function openObject() {
  // Of its database the book calls `exec` alone.
  const book = new BudgetBook(openSql() as never);
  return {
    reserve: async (reservation: Reservation, otherwise: Amounts | null) =>
      book.reserve(reservation, otherwise),
    settle: async (requestId: string, cost: number) => book.settle(requestId, cost),
    standing: async (claims: BudgetClaim[], at: number) => book.standing(claims, at),
  };
}
