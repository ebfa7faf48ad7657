import type { Context } from 'hono';
import * as z from 'zod';
import { FluxError, invalidRequest } from '../../core/errors.ts';
import { createKey, listKeys, revokeKey } from '../../customers/api-keys.ts';
import { CUSTOMER_NAME, SCOPES } from '../../env-keys.ts';
import { actorOf, readFields, readObject, spread, withDatabase } from '../admin.ts';
import { customerOf } from '../auth.ts';
import type { AppEnv } from '../context.ts';

/**
 * Any scopes, also ones the asking key has not: `admin` is the scope that decides over keys, and a key for admins
 * need not be able to infer to make one for an agent that is. Only of its own customer, and only with `admin`.
 */
export const newKey = z.strictObject({
  name: z.string().regex(/^[\x20-\x7e]{1,64}$/, 'must be 1–64 printable ASCII characters'),
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .transform((scopes) => SCOPES.filter((scope) => scopes.includes(scope))),
  customer: z
    .string()
    .regex(CUSTOMER_NAME, 'must be 1–64 letters, digits, dots, dashes, underscores')
    .optional(),
});

/** GET /api/keys: the customer's keys, without the keys. */
export async function listApiKeys(c: Context<AppEnv>): Promise<Response> {
  const customer = customerOf(c.get('key'), c.req.query('customer'));
  const { keys } = c.get('settings');
  return c.json({ data: await withDatabase(c, (database) => listKeys(database, customer, keys)) });
}

/** POST /api/keys `{name, scopes}`: 201 with the key, which is never shown again. */
export async function createApiKey(c: Context<AppEnv>): Promise<Response> {
  // The key's own customer may be named too, so that one body serves the admin key as well.
  const {
    name,
    scopes,
    customer: named,
  } = readFields(newKey, await readObject(c), Object.keys(newKey.shape));
  const wanted = c.req.query('customer') ?? named;
  if (named !== undefined && named !== wanted) {
    throw invalidRequest('`customer` in the body and in the query differ: send one.', 'customer');
  }
  const customer = customerOf(c.get('key'), wanted);
  const key = await withDatabase(c, (database) =>
    createKey(database, { customer, name, scopes }, actorOf(c)),
  );
  return c.json(key, 201, { 'cache-control': 'no-store' });
}

/** DELETE /api/keys/{id}: revokes it, for good. Again: says when that was. */
export async function revokeApiKey(c: Context<AppEnv>): Promise<Response> {
  const customer = customerOf(c.get('key'), c.req.query('customer'));
  const id = c.req.param('id') ?? '';
  const { keys } = c.get('settings');
  const key = await withDatabase(c, (database) => revokeKey(database, customer, id, keys, actorOf(c)));
  if (!key) {
    throw new FluxError('There is no such key: GET /api/keys lists their ids.', {
      status: 404,
      code: 'unknown_key_id',
      param: 'id',
    });
  }
  await spread(c, customer);
  return c.json(key);
}
