import type { Context } from 'hono';
import * as z from 'zod';
import { FluxError, invalidRequest } from '../../core/errors.ts';
import { listKeys } from '../../customers/api-keys.ts';
import {
  hasRoomForTag,
  type LimitOwner,
  listLimits,
  MOST_TAG_BUDGETS,
  setLimit,
} from '../../customers/limits.ts';
import type { Database } from '../../stores/database.ts';
import { OVER_BUDGET } from '../../stores/schema.ts';
import { actorOf, readFields, readObject, spread, withDatabase } from '../admin.ts';
import { customerOf } from '../auth.ts';
import { withStanding } from '../budget.ts';
import type { AppEnv } from '../context.ts';
import { TAG } from '../step-headers.ts';

const perMinute = z.number().int().min(1).max(1_000_000_000).nullable().optional();
// Whole numbers of nano-USD stay exact far above it.
const usd = z.number().positive().max(1_000_000).nullable().optional();
export const limit = z
  .strictObject({
    key_id: z.string().nullable().default(null),
    tag: z.string().regex(TAG, 'must look like team=search').nullable().default(null),
    requests_per_minute: perMinute,
    tokens_per_minute: perMinute,
    usd_per_day: usd,
    usd_per_month: usd,
    over_budget: z.enum(OVER_BUDGET).optional(),
  })
  .superRefine((set, { addIssue }) => {
    const wrong = (path: string, message: string) => addIssue({ code: 'custom', path: [path], message });
    if (set.tag !== null && set.key_id !== null) wrong('tag', 'name a tag or a key, not both');
    if (set.over_budget !== undefined && (set.tag ?? set.key_id) !== null) {
      wrong('over_budget', "is the customer's own: set it without key_id and tag");
    }
    const isBudget =
      set.usd_per_day !== undefined || set.usd_per_month !== undefined || set.over_budget !== undefined;
    for (const name of ['requests_per_minute', 'tokens_per_minute'] as const) {
      const other = name === 'requests_per_minute' ? set.tokens_per_minute : set.requests_per_minute;
      if (set.tag !== null) {
        if (set[name] !== undefined) wrong(name, 'tags have budgets only');
      } else if (set[name] === undefined && (other !== undefined || !isBudget)) {
        wrong(name, 'give a number, or null for no limit');
      }
    }
    if (set.tag !== null && !isBudget) wrong('usd_per_day', 'give a number, or null for no budget');
  });

/** GET /api/limits: what is limited, and what stands against it; an empty list: nothing is. */
export async function getLimits(c: Context<AppEnv>): Promise<Response> {
  const customer = customerOf(c.get('key'), c.req.query('customer'));
  const limits = await withDatabase(c, (database) => listLimits(database, customer));
  return c.json({ data: await withStanding(c, customer, limits) });
}

/**
 * PUT /api/limits `{key_id? or tag?, requests_per_minute, tokens_per_minute, usd_per_day, usd_per_month, over_budget}`;
 * null is no limit. What is left out stays as it is: who knows of rates only lifts no budget.
 */
export async function putLimits(c: Context<AppEnv>): Promise<Response> {
  const customer = customerOf(c.get('key'), c.req.query('customer'));
  const { key_id, tag, ...limits } = readFields(limit, await readObject(c), Object.keys(limit.shape));
  const data = await withDatabase(c, async (database) => {
    await requireOwner(c, database, customer, { key_id, tag });
    await setLimit(database, customer, { key_id, tag }, limits, actorOf(c));
    return listLimits(database, customer);
  });
  await spread(c, customer);
  return c.json({ data: await withStanding(c, customer, data) });
}

/** @throws FluxError 404 where the customer has no such key; 400 where it has budgets for too many tags */
async function requireOwner(
  c: Context<AppEnv>,
  database: Database,
  customer: string,
  { key_id, tag }: LimitOwner,
): Promise<void> {
  if (key_id !== null) {
    const keys = await listKeys(database, customer, c.get('settings').keys);
    if (keys.some(({ id }) => id === key_id)) return;
    throw new FluxError('There is no such key: GET /api/keys lists their ids.', {
      status: 404,
      code: 'unknown_key_id',
      param: 'key_id',
    });
  }
  if (tag !== null && !(await hasRoomForTag(database, customer, tag))) {
    throw invalidRequest(`At most ${MOST_TAG_BUDGETS} tags have a budget.`, 'tag');
  }
}
