import { eq, sql } from 'drizzle-orm';
import * as z from 'zod';
import { SCOPES } from '../env-keys.ts';
import type { Database } from '../stores/database.ts';
import type { Redis } from '../stores/redis.ts';
import {
  apiKeys,
  customerExperience,
  customerLimits,
  customerSettings,
  OVER_BUDGET,
} from '../stores/schema.ts';
import { within } from '../stores/time-limit.ts';
import { readKept } from './settings.ts';

/** A store that takes longer is one that failed (T46). */
const LIMIT_MS = 2_000;
/** Seconds that Redis answers for Postgres: less than an isolate trusts what it has read. */
const SHARED_S = 30;

/** US dollars of a UTC day and month; null: as many as they like. */
const budget = z.object({ usd_per_day: z.number().nullable(), usd_per_month: z.number().nullable() });
export type Budget = z.infer<typeof budget>;

const limit = budget.extend({
  requests_per_minute: z.number().nullable(),
  tokens_per_minute: z.number().nullable(),
  /** Of the customer alone; null is `refuse`. */
  over_budget: z.enum(OVER_BUDGET).nullable(),
});
export type Limit = z.infer<typeof limit>;

/** All that is known of a key and its customer, in one piece: what one read brings. */
const accessFacts = z.object({
  /** Milliseconds since the epoch: when Postgres was read, also where it comes out of Redis. */
  read_at: z.number(),
  /** Whose the key is: the configuration says it, else its row. */
  customer: z.string().nullable(),
  /** The row of `api_keys`; null for a configured key that nobody has revoked. */
  key: z
    .object({
      // A scope of a newer version is none of ours.
      scopes: z.array(z.string()).transform((names) => SCOPES.filter((scope) => names.includes(scope))),
      revoked: z.boolean(),
    })
    .nullable(),
  /** Null: the customer has set nothing. */
  settings: z
    .object({
      version: z.number(),
      settings: z.unknown().transform(readKept),
      sealed: z.record(z.string(), z.string()),
    })
    .nullable(),
  /** What the customer's lanes have shown, as counts; null: nothing yet. A default: Redis may have older facts. */
  experience: z.array(z.number()).nullable().default(null),
  limits: z.object({
    customer: limit.nullable(),
    key: limit.nullable(),
    /** All tags of the customer that have a budget, as `team=search`. */
    tags: z.record(z.string(), budget),
  }),
});
export type AccessFacts = z.infer<typeof accessFacts>;

export interface AccessStores {
  database: Database;
  redis: Redis;
}

/** What a key is asked for by. */
export interface AccessQuestion {
  /** SHA-256 of the key, hex. */
  hash: string;
  id: string;
  /** Where the configuration says whose it is. */
  customer: string | null;
}

/** Neither store answered. */
export class AccessUnavailable extends Error {}

/** What Redis has of a key. */
function redisKey(hash: string): string {
  return `flux:access:${hash}`;
}

/**
 * Reads a key from both stores at once and takes the first that knows: one wait, and a store that is slow or gone
 * costs nothing while the other answers.
 * @param background is given what may go on after the answer: telling Redis
 * @throws AccessUnavailable where nobody answered
 */
export async function readAccess(
  stores: AccessStores,
  question: AccessQuestion,
  background: (work: Promise<unknown>) => void,
): Promise<AccessFacts> {
  const fromRedis = readRedis(stores.redis, question).then((facts) => {
    if (facts === null) throw new AccessUnavailable();
    return facts;
  });
  const fromPostgres = readPostgres(stores.database, question);
  background(fromPostgres.then((facts) => keep(stores.redis, question.hash, facts)).catch(() => {}));
  try {
    return await Promise.any([fromRedis, fromPostgres]);
  } catch {
    throw new AccessUnavailable();
  }
}

/** The same where nobody waits: Postgres is asked only for what Redis has not. */
export async function refreshAccess(stores: AccessStores, question: AccessQuestion): Promise<AccessFacts> {
  const shared = await readRedis(stores.redis, question).catch(() => null);
  if (shared !== null) return shared;
  try {
    const facts = await readPostgres(stores.database, question);
    await keep(stores.redis, question.hash, facts);
    return facts;
  } catch {
    throw new AccessUnavailable();
  }
}

/** Makes Redis forget keys, after a change. What it gave out before is trusted no longer than any other read. */
export async function forgetAccess(redis: Redis, hashes: readonly string[]): Promise<void> {
  const [first, ...rest] = hashes.map(redisKey);
  if (first !== undefined) await within(LIMIT_MS, redis.del(first, ...rest));
}

/** Null where Redis has nothing, nothing of this version's form, or what was read for another owner. */
async function readRedis(redis: Redis, { hash, customer }: AccessQuestion): Promise<AccessFacts | null> {
  const text = await within(LIMIT_MS, redis.get<string>(redisKey(hash)));
  if (text === null) return null;
  try {
    const facts = accessFacts.parse(JSON.parse(text));
    return customer === null || customer === facts.customer ? facts : null;
  } catch {
    return null;
  }
}

/** Never rejects: an answer does not depend on it. A key nobody knows is not kept: a flood would fill Redis. */
async function keep(redis: Redis, hash: string, facts: AccessFacts): Promise<void> {
  if (facts.customer === null) return;
  await within(LIMIT_MS, redis.set(redisKey(hash), JSON.stringify(facts), { ex: SHARED_S })).catch(() => {});
}

/** One statement. */
async function readPostgres(database: Database, question: AccessQuestion): Promise<AccessFacts> {
  const readAt = Date.now();
  const { rows } = await within(
    LIMIT_MS,
    database.execute(sql`
      WITH key AS (
        SELECT customer, scopes, revoked_at IS NOT NULL AS revoked FROM ${apiKeys}
        WHERE ${eq(apiKeys.hash, question.hash)}),
      owner AS (SELECT coalesce(${question.customer}::text, (SELECT customer FROM key)) AS customer),
      limits AS (
        SELECT key_id, requests_per_minute, tokens_per_minute, usd_per_day, usd_per_month, over_budget
        FROM ${customerLimits} WHERE customer = (SELECT customer FROM owner)
          AND (key_id IN ('', ${question.id}) OR key_id LIKE '%=%'))
      SELECT
        (SELECT customer FROM owner) AS customer,
        (SELECT row_to_json(key) FROM key) AS key,
        (SELECT json_build_object('version', version, 'settings', settings, 'sealed', sealed)
          FROM ${customerSettings} WHERE customer = (SELECT customer FROM owner)
          ORDER BY version DESC LIMIT 1) AS settings,
        (SELECT to_json(counts) FROM ${customerExperience}
          WHERE customer = (SELECT customer FROM owner)) AS experience,
        json_build_object(
          'customer', (SELECT row_to_json(limits) FROM limits WHERE key_id = ''),
          'key', (SELECT row_to_json(limits) FROM limits WHERE key_id = ${question.id}),
          'tags', coalesce((SELECT json_object_agg(key_id, row_to_json(limits)) FROM limits
            WHERE key_id LIKE '%=%'), '{}'::json)) AS limits`),
  );
  return accessFacts.parse({ read_at: readAt, ...rows[0] });
}
