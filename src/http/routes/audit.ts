import type { Context } from 'hono';
import { invalidRequest } from '../../core/errors.ts';
import { listAudit } from '../../customers/audit.ts';
import { withDatabase } from '../admin.ts';
import { customerOf } from '../auth.ts';
import type { AppEnv } from '../context.ts';
import { readLimit } from '../paging.ts';

/** GET /api/audit?limit=50&cursor=…: who changed what of the customer, newest first. */
export async function listEntries(c: Context<AppEnv>): Promise<Response> {
  const customer = customerOf(c.get('key'), c.req.query('customer'));
  const limit = readLimit(c.req.query('limit'));
  const cursor = c.req.query('cursor');
  if (cursor !== undefined && !/^[0-9a-f-]{36}$/.test(cursor)) {
    throw invalidRequest('cursor must be a next_cursor of this list: leave it out to begin.', 'cursor');
  }
  return c.json(await withDatabase(c, (database) => listAudit(database, customer, limit, cursor ?? null)));
}
