import type { Context } from 'hono';
import * as z from 'zod';
import { FluxError } from '../../core/errors.ts';
import { listKeys } from '../../customers/api-keys.ts';
import { listLimits, setLimit } from '../../customers/limits.ts';
import { actorOf, readFields, readObject, spread, withDatabase } from '../admin.ts';
import { customerOf } from '../auth.ts';
import type { AppEnv } from '../context.ts';

const perMinute = z.number().int().min(1).max(1_000_000_000).nullable();
export const limit = z.strictObject({
  key_id: z.string().nullable().default(null),
  requests_per_minute: perMinute,
  tokens_per_minute: perMinute,
});

/** GET /api/limits: what is limited; `key_id` null is the customer's own limit. An empty list: nothing is. */
export async function getLimits(c: Context<AppEnv>): Promise<Response> {
  const customer = customerOf(c.get('key'), c.req.query('customer'));
  return c.json({ data: await withDatabase(c, (database) => listLimits(database, customer)) });
}

/** PUT /api/limits `{key_id?, requests_per_minute, tokens_per_minute}`; null is no limit. */
export async function putLimits(c: Context<AppEnv>): Promise<Response> {
  const customer = customerOf(c.get('key'), c.req.query('customer'));
  const { key_id, ...limits } = readFields(limit, await readObject(c), Object.keys(limit.shape));
  const data = await withDatabase(c, async (database) => {
    if (key_id !== null) {
      const keys = await listKeys(database, customer, c.get('settings').keys);
      if (!keys.some(({ id }) => id === key_id)) {
        throw new FluxError('There is no such key: GET /api/keys lists their ids.', {
          status: 404,
          code: 'unknown_key_id',
          param: 'key_id',
        });
      }
    }
    await setLimit(database, customer, key_id, limits, actorOf(c));
    return listLimits(database, customer);
  });
  await spread(c, customer);
  return c.json({ data });
}
