import type { Context } from 'hono';
import type { BudgetClaim } from '../budget/budget-book.ts';
import type { BudgetObject } from '../budget/budget-object.ts';
import { endOf, openBudget } from '../budget/customer-budget.ts';
import type { Budget as UsdLimits } from '../customers/access.ts';
import type { SetLimit } from '../customers/limits.ts';
import { logLine } from '../log/line.ts';
import type { Budget } from '../pipeline/ports.ts';
import { within } from '../stores/time-limit.ts';
import type { AppEnv } from './context.ts';
import { backgroundOf } from './rate-limit.ts';

/** The budgets that a request of these tags counts against; null: none does, and nothing is asked. */
export function budgetOf(
  c: Context<AppEnv>,
  { customer, tags }: { customer: string; tags: Readonly<Record<string, string>> },
): Budget | null {
  const { key, limits } = c.get('access');
  const claims = [
    ...claimsOf('customer', limits.customer),
    ...claimsOf(`key:${key.id}`, limits.key),
    ...Object.entries(tags).flatMap(([name, value]) => {
      const tag = `${name}=${value}`;
      return claimsOf(`tag:${tag}`, Object.hasOwn(limits.tags, tag) ? (limits.tags[tag] ?? null) : null);
    }),
  ];
  if (claims.length === 0) return null;
  return openBudget({
    object: objectOf(c, customer),
    claims,
    overBudget: limits.customer?.over_budget ?? 'refuse',
    background: backgroundOf(c),
    failed: (what) =>
      what === 'reserve'
        ? logLine('error', 'budget_reserve_failed')
        : logLine('error', 'budget_settle_failed'),
    now: () => Date.now(),
  });
}

/** What stands against a budget in the UTC day or month that is now. */
export interface Standing {
  spent_usd: number;
  /** Of requests under way. */
  reserved_usd: number;
  ends_at: string;
}

/** A limit with what stands against its budgets; null where there is none, or nobody can tell. */
export interface LimitStanding extends SetLimit {
  today: Standing | null;
  this_month: Standing | null;
}

/** Asks the budgets' object, if any of the limits is a budget. */
export async function withStanding(
  c: Context<AppEnv>,
  customer: string,
  limits: readonly SetLimit[],
): Promise<LimitStanding[]> {
  const claims = limits.flatMap((limit) => claimsOf(scopeOf(limit), limit));
  const now = Date.now();
  const sums = claims.length === 0 ? [] : await standingOf(objectOf(c, customer), claims, now);
  const find = (limit: SetLimit, period: BudgetClaim['period']): Standing | null => {
    const sum = sums[claims.findIndex((one) => one.scope === scopeOf(limit) && one.period === period)];
    return sum
      ? {
          spent_usd: sum.spent / 1e9,
          reserved_usd: sum.reserved / 1e9,
          ends_at: new Date(endOf(period, now)).toISOString(),
        }
      : null;
  };
  return limits.map((limit) => ({ ...limit, today: find(limit, 'day'), this_month: find(limit, 'month') }));
}

/** Nothing where it does not answer: what is set is shown all the same. */
async function standingOf(object: BudgetObject | null, claims: readonly BudgetClaim[], now: number) {
  if (object === null) return [];
  try {
    return await within(2_000, object.standing([...claims], now));
  } catch {
    return [];
  }
}

function scopeOf({ key_id, tag }: Pick<SetLimit, 'key_id' | 'tag'>): string {
  return tag !== null ? `tag:${tag}` : key_id !== null ? `key:${key_id}` : 'customer';
}

function claimsOf(scope: string, limits: UsdLimits | null): BudgetClaim[] {
  if (limits === null) return [];
  const { usd_per_day: day, usd_per_month: month } = limits;
  return [
    ...(day === null ? [] : [{ scope, period: 'day' as const, limit: Math.round(day * 1e9) }]),
    ...(month === null ? [] : [{ scope, period: 'month' as const, limit: Math.round(month * 1e9) }]),
  ];
}

function objectOf(c: Context<AppEnv>, customer: string): BudgetObject | null {
  // Its class, as wrangler.toml binds it (src/budget/budget-object.ts).
  return (c.env.BUDGETS?.getByName(customer) as unknown as BudgetObject | undefined) ?? null;
}
