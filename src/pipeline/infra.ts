import { roundUsd } from '../core/accounting/cost.ts';
import {
  budgetUse,
  infraCostOf,
  SESSION_USE,
  STEP_USE,
  THOUGHTS_USE,
} from '../core/accounting/infra-cost.ts';
import type { Budget } from './ports.ts';
import type { StepState } from './step-state.ts';

// The same for every step of its kind.
const STEP_USD = infraCostOf(STEP_USE);
const SESSION_USD = infraCostOf(SESSION_USE);
const THOUGHTS_USD = infraCostOf(THOUGHTS_USE);

/** What running a step takes, in USD: its session and its budgets, if it has any, are objects of their own. */
export function infraUsd(
  { object, thoughts }: Pick<StepState, 'object' | 'thoughts'>,
  budget: Pick<Budget, 'count'> | null,
): number {
  const session = object === null ? 0 : SESSION_USD + (thoughts?.size ? THOUGHTS_USD : 0);
  return roundUsd(STEP_USD + session + (budget ? infraCostOf(budgetUse(budget.count)) : 0));
}
