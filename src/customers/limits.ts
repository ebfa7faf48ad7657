import { asc, eq, sql } from 'drizzle-orm';
import type { Database } from '../stores/database.ts';
import { customerLimits } from '../stores/schema.ts';
import type { Limit } from './access.ts';
import { type Actor, tellOf } from './audit.ts';

/** A limit as it is shown. `key_id` null: of all the customer's keys together. */
export interface SetLimit extends Limit {
  key_id: string | null;
  updated_at: string;
  updated_by: string;
}

/** A customer's limits, its own first. Without any there is none. */
export async function listLimits(database: Database, customer: string): Promise<SetLimit[]> {
  const rows = await database
    .select()
    .from(customerLimits)
    .where(eq(customerLimits.customer, customer))
    .orderBy(asc(customerLimits.key_id));
  return rows.map(({ customer: _customer, key_id, updated_at, ...row }) => ({
    ...row,
    key_id: key_id === '' ? null : key_id,
    updated_at: updated_at.toISOString(),
  }));
}

/** Sets the limit of a key, or of the customer where `keyId` is null, and tells of it. Both null: no limit. */
export async function setLimit(
  database: Database,
  customer: string,
  keyId: string | null,
  limit: Limit,
  actor: Actor,
): Promise<void> {
  const deed = {
    action: 'limits.update' as const,
    target: sql`CASE key_id WHEN '' THEN ${customer} ELSE key_id END`,
    detail: { ...limit },
  };
  await database.execute(sql`
    WITH changed AS (
      INSERT INTO ${customerLimits} (customer, key_id, requests_per_minute, tokens_per_minute, updated_by)
      VALUES (${customer}, ${keyId ?? ''}, ${limit.requests_per_minute}::integer,
        ${limit.tokens_per_minute}::integer, ${actor.keyId})
      ON CONFLICT (customer, key_id) DO UPDATE SET requests_per_minute = excluded.requests_per_minute,
        tokens_per_minute = excluded.tokens_per_minute, updated_at = now(), updated_by = excluded.updated_by
      RETURNING key_id),
    ${tellOf(sql`changed`, customer, actor, deed)}
    SELECT key_id FROM changed`);
}
