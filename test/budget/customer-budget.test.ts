import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { BudgetExcess } from '../../src/budget/budget-book.ts';
import { type BudgetAsked, openBudget } from '../../src/budget/customer-budget.ts';

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 10, 27, 12) }));
afterEach(() => void vi.useRealTimers());

const CLAIM = { scope: 'customer', period: 'day', limit: 1e9 } as const;
const asked = (most = 0.1) => ({
  ...{ requestId: 'r', at: Date.now(), easy: null },
  bound: { most, likely: most / 10 },
});

function budgetOver(reserve: BudgetAsked['reserve']) {
  const settled: [string, number][] = [];
  const failed: string[] = [];
  const object = {
    reserve: vi.fn(reserve),
    settle: async (id: string, cost: number) => void settled.push([id, cost]),
  };
  const budget = openBudget({
    object,
    claims: [CLAIM],
    overBudget: 'refuse',
    background: () => {},
    failed: (what) => failed.push(what),
    now: () => Date.now(),
  });
  return { budget, object, settled, failed };
}

describe('the budgets of one request', () => {
  test('one wait to reserve, due after 15 minutes; none to settle, and only the first settle counts', async () => {
    const { budget, object, settled } = budgetOver(async () => null);
    expect(await budget.reserve(asked())).toEqual({ reservedUsd: 0.1, isCapped: false });
    expect(object.reserve.mock.calls).toEqual([
      [
        {
          ...{ requestId: 'r', at: Date.now(), dueAt: Date.now() + 900_000, claims: [CLAIM] },
          ...{ amount: 100_000_000, estimate: 10_000_000 },
        },
        null,
      ],
    ]);
    budget.settle('r', 0.0000355);
    budget.settle('r', 0);
    expect(settled).toEqual([['r', 35_500]]);
  });

  test('traps T42: what is not known counts as it probably was', async () => {
    const { budget, settled } = budgetOver(async () => null);
    await budget.reserve(asked());
    budget.settle('r', null);
    expect(settled).toEqual([['r', 10_000_000]]);
  });

  test('traps T46: silent for two seconds: closed, and if it was only slow, what it reserved is free again', async () => {
    const { budget, settled, failed } = budgetOver(() => new Promise(() => {}));
    const refused = expect(budget.reserve(asked())).rejects.toMatchObject({
      ...{ status: 503, code: 'budget_unavailable', retryAfter: 5 },
    });
    await vi.advanceTimersByTimeAsync(1_999);
    expect(failed).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await refused;
    expect([failed, settled]).toEqual([['reserve'], [['r', 0]]]);
    // Nothing is open: the end of the request says nothing more.
    budget.settle('r', 0);
    expect(settled).toHaveLength(1);
  });

  test('a request larger than the budget is refused without a wait', async () => {
    const { budget, object } = budgetOver(async () => null);
    await expect(budget.reserve(asked(1.5))).rejects.toMatchObject({ code: 'request_exceeds_budget' });
    expect(object.reserve).not.toHaveBeenCalled();
  });

  test('full of requests under way: come back soon, not at midnight', async () => {
    const excess: BudgetExcess = { claim: CLAIM, spent: 2e8, reserved: 8e8 };
    const { budget, settled } = budgetOver(async () => excess);
    await expect(budget.reserve(asked())).rejects.toMatchObject({
      ...{ status: 429, code: 'budget_exceeded', retryAfter: 10 },
      message: expect.stringContaining('$0.2 is spent and $0.8 reserved by requests under way'),
    });
    budget.settle('r', 0);
    expect(settled).toEqual([]);
  });
});
