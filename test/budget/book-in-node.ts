import {
  type Amounts,
  BudgetBook,
  type BudgetClaim,
  type Reservation,
} from '../../src/budget/budget-book.ts';
import { openSql } from '../stores/sql-in-node.ts';

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
  const book = new BudgetBook(openSql());
  return {
    reserve: async (reservation: Reservation, otherwise: Amounts | null) =>
      book.reserve(reservation, otherwise),
    settle: async (requestId: string, cost: number) => book.settle(requestId, cost),
    standing: async (claims: BudgetClaim[], at: number) => book.standing(claims, at),
  };
}
