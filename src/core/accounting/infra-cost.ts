import { roundUsd } from './cost.ts';
import { INFRA_PRICES, type InfraUnit, WORKERS_PAID_USD } from './infra-prices.ts';

/** What something took of the infrastructure: units of the price table, and rows of the log. */
export type InfraUse = { [unit in InfraUnit | 'rowsWritten']?: number };

/**
 * What a row of the log takes: `npx node test/docs/measure-step.ts` of 2026-11-23 said 938 bytes with indexes and
 * 0.16 ms of a Postgres. Nothing drops a row before the longest period of the metrics, 366 days.
 */
export const ROW = { bytes: 1_000, months: 12, computeMs: 0.16 } as const;

/** Workers Logs keep seven days. What one invocation leaves there was not measured: 2 KB is assumed. */
export const LOG = { bytes: 2_000, months: 7 / 30 } as const;

/** Messages that one run of the queue's consumer takes: `max_batch_size` in wrangler.toml. */
const BATCH = 100;

/**
 * What one step takes today: the request, its share of a consumer's run, and its message written, read and
 * deleted. Nothing of Redis while Postgres is up. Processor time is what the same measurement said of workerd,
 * 2.7 ms (a question) to 3.3 ms (8 KB with tools), rounded up.
 */
export const STEP_USE = {
  requests: 1 + 1 / BATCH,
  cpuMs: 4,
  queueOps: 3,
  rowsWritten: 1,
  logBytes: LOG.bytes * (1 + 1 / BATCH),
  logByteMonths: LOG.bytes * (1 + 1 / BATCH) * LOG.months,
} as const satisfies InfraUse;

/** Steps of a lane, as the shipped prior has it (forecast.ts): what is done once a lane is shared among so many. */
const LANE = 12;

/**
 * What a step of a session takes besides: begin and settle in its Durable Object, 20 ms each; and once a lane an alarm
 * that tells what it has shown, by a message (its row in Postgres is one of 500 a customer, for weeks).
 */
export const SESSION_USE = {
  durableObjectRequests: 2 + 1 / LANE,
  // The step at begin; the step, the sums and the lane at settle (counted in workerd: session-object.test.ts). An alarm
  // is set once in many steps.
  durableObjectRows: 4 + 2 / LANE,
  durableObjectGbSeconds: (2 + 1 / LANE) * 0.128 * 0.02,
  queueOps: 3 / LANE,
} as const satisfies InfraUse;

/**
 * What a step takes besides that counts against so many budgets: reserve and settle in their object, 20 ms each, each a
 * row of the step's own and one for each budget (counted in workerd: budget-object.test.ts).
 */
export function budgetUse(budgets: number): InfraUse {
  return {
    durableObjectRequests: 2,
    durableObjectRows: 2 * (1 + budgets),
    durableObjectGbSeconds: 2 * 0.128 * 0.02,
  };
}

/** What a step besides takes whose model is given back what it thought: it is read, and what it thinks now is kept. */
export const THOUGHTS_USE = { redisCommands: 2 } as const satisfies InfraUse;

/**
 * USD at list price of what a step took (`infra_cost_usd`), beyond all included amounts: what one more costs.
 *
 * @example infraCostOf({ ...STEP_USE, redisCommands: 2 })
 */
export function infraCostOf(use: InfraUse): number {
  let usd = 0;
  for (const [unit, amount] of meters(use)) usd += amount * priceOf(unit);
  return roundUsd(usd);
}

/** `use` with the rows of the log as what they take: bytes kept, and compute. */
export function meters({ rowsWritten = 0, ...use }: InfraUse): Map<InfraUnit, number> {
  const all = new Map<InfraUnit, number>();
  const add = (unit: InfraUnit, amount: number) => all.set(unit, (all.get(unit) ?? 0) + amount);
  // The keys of the type, as its parameter is spelt out by callers.
  for (const [unit, amount] of Object.entries(use)) if (amount) add(unit as InfraUnit, amount);
  if (rowsWritten > 0) {
    add('postgresByteMonths', rowsWritten * ROW.bytes * ROW.months);
    add('postgresComputeHours', (rowsWritten * ROW.computeMs) / 3_600_000);
  }
  return all;
}

/** USD of a month's use of one unit, after what is included. */
export function monthlyCostOf(unit: InfraUnit, amount: number): number {
  return Math.max(0, amount - INFRA_PRICES[unit].included) * priceOf(unit);
}

/** USD of a month: the base fee and every unit's cost. */
export function monthlyTotal(use: InfraUse): number {
  let usd = WORKERS_PAID_USD;
  for (const [unit, amount] of meters(use)) usd += monthlyCostOf(unit, amount);
  return usd;
}

function priceOf(unit: InfraUnit): number {
  return INFRA_PRICES[unit].usd / INFRA_PRICES[unit].per;
}
