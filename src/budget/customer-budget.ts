import type { CostBound } from '../core/accounting/reservation.ts';
import { FluxError } from '../core/errors.ts';
import type { Budget } from '../pipeline/ports.ts';
import { within } from '../stores/time-limit.ts';
import type { Amounts, BudgetClaim, BudgetExcess } from './budget-book.ts';
import type { BudgetObject } from './budget-object.ts';

/** As much of the object as a step asks. */
export type BudgetAsked = Pick<BudgetObject, 'reserve' | 'settle'>;

/** The budgets of one request, in their customer's object. */
export interface CustomerBudget {
  /** Opens the object; null: none is bound. */
  object: BudgetAsked | null;
  claims: readonly BudgetClaim[];
  /** Where there is no room: no step, or one on the easy tier. */
  overBudget: 'refuse' | 'easy';
  /** Work that goes on after the answer. */
  background(work: Promise<unknown>): void;
  /** The object did not answer, or did not take what a step cost. */
  failed(what: 'reserve' | 'settle'): void;
  now(): number;
}

/** An object that is silent for this long is one that failed (T46). */
const SILENCE_MS = 2_000;
/** A step of which nothing is heard for this long counts as abandoned. */
const ABANDONED_MS = 15 * 60 * 1_000;
/** Until some of the steps under way may have settled. */
const SOON_S = 10;

/**
 * Reserves in one wait, and settles in none. Fails closed: a budget that nobody can count is one that anybody could
 * pass, so where the object does not answer the step is not made. (Everything else about routing fails open.)
 */
export function openBudget({ object, claims, overBudget, ...ports }: CustomerBudget): Budget {
  let open: Amounts | null = null;
  const settle = (requestId: string, cost: number): void => {
    if (object === null) return;
    ports.background(object.settle(requestId, cost).catch(() => ports.failed('settle')));
  };
  return {
    count: claims.length,
    async reserve({ requestId, at, bound, easy }) {
      const asked = amountsOf(bound);
      const otherwise = overBudget === 'easy' && easy ? amountsOf(easy) : null;
      const tooSmall = claims.find(({ limit }) => limit < asked.amount);
      if (tooSmall && !otherwise) throw neverFits(tooSmall, asked.amount);
      const dueAt = ports.now() + ABANDONED_MS;
      let excess: BudgetExcess | null;
      try {
        if (object === null) throw new TypeError('no BUDGETS is bound');
        excess = await within(
          SILENCE_MS,
          object.reserve({ requestId, at, dueAt, claims: [...claims], ...asked }, otherwise),
        );
      } catch {
        ports.failed('reserve');
        // It may have been slow and not dead: then this comes after it, and frees what nobody uses.
        settle(requestId, 0);
        throw unavailable();
      }
      if (excess && !otherwise) throw exceeded(excess, asked.amount, at, ports.now());
      open = (excess && otherwise) || asked;
      return { reservedUsd: open.amount / 1e9, isCapped: excess !== null };
    },
    settle(requestId, usd) {
      if (open === null) return;
      settle(requestId, usd === null ? open.estimate : Math.round(usd * 1e9));
      open = null;
    },
  };
}

/** Upwards: what is reserved must not be less than what is spent. */
function amountsOf({ most, likely }: CostBound): Amounts {
  return { amount: Math.ceil(most * 1e9), estimate: Math.ceil(likely * 1e9) };
}

function exceeded(
  { claim, spent, reserved }: BudgetExcess,
  asked: number,
  at: number,
  now: number,
): FluxError {
  const ends = endOf(claim.period, at);
  const untilThen = Math.max(1, Math.ceil((ends - now) / 1_000));
  const isSpent = spent + asked > claim.limit;
  const advice = isSpent
    ? `It begins anew at ${new Date(ends).toISOString()}; an admin can raise it with PUT /api/limits.`
    : 'Try again when some of them are done, or ask for fewer `max_tokens`.';
  return new FluxError(
    `${budgetOf(claim)} (UTC): ${dollars(spent)} is spent and ${dollars(reserved)} reserved by requests under way, and this one may cost ${dollars(asked)}. ${advice}`,
    {
      status: 429,
      code: 'budget_exceeded',
      retryAfter: isSpent ? untilThen : Math.min(untilThen, SOON_S),
    },
  );
}

function neverFits(claim: BudgetClaim, asked: number): FluxError {
  return new FluxError(
    `${budgetOf(claim)} (UTC), and this request alone may cost ${dollars(asked)}: waiting won't help. Ask for fewer \`max_tokens\`, shorten it, or have an admin raise the budget with PUT /api/limits.`,
    { status: 429, code: 'request_exceeds_budget', retryAfter: 3_600 },
  );
}

function unavailable(): FluxError {
  return new FluxError(
    "A budget applies to this key, and what it has left can't be told just now, so nothing was sent. Try again in a moment.",
    { status: 503, code: 'budget_unavailable', retryAfter: 5 },
  );
}

function budgetOf({ scope, period, limit }: BudgetClaim): string {
  const [kind, name] = [scope.slice(0, scope.indexOf(':')), scope.slice(scope.indexOf(':') + 1)];
  const whose =
    kind === 'key'
      ? 'this API key'
      : kind === 'tag'
        ? `the tag ${name}`
        : "all of this customer's API keys together";
  return `The budget of ${whose} is ${dollars(limit)} a ${period}`;
}

/** When a UTC day or month ends, milliseconds since the epoch (T52). */
export function endOf(period: BudgetClaim['period'], at: number): number {
  const day = new Date(at);
  const [year, month] = [day.getUTCFullYear(), day.getUTCMonth()];
  return period === 'day' ? Date.UTC(year, month, day.getUTCDate() + 1) : Date.UTC(year, month + 1);
}

/** `$0.0123`: to the last nano-dollar, without zeros at the end. */
function dollars(nano: number): string {
  return `$${(nano / 1e9).toFixed(9).replace(/\.?0+$/, '')}`;
}
