import type { Context } from 'hono';
import { FluxError } from '../../core/errors.ts';
import { parsePeriod } from '../../log/period.ts';
import { summary } from '../../log/queries.ts';
import { customerOf } from '../auth.ts';
import type { AppEnv } from '../context.ts';

/** GET /api/metrics/summary?period=7d: totals of the key's own customer. */
export async function metricsSummary(c: Context<AppEnv>): Promise<Response> {
  const period = parsePeriod(c.req.query('period') ?? '7d', new Date());
  const customer = customerOf(c.get('key'), c.req.query('customer'));
  try {
    return c.json(await summary(c.get('stores').database, customer, period));
  } catch {
    // The driver's error quotes the statement and its parameters: it goes nowhere.
    throw new FluxError('The log could not be read: Postgres did not answer. See /health, and try again.', {
      status: 503,
      code: 'log_unavailable',
      retryAfter: 5,
    });
  }
}
