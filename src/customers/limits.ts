import { and, asc, eq, sql } from 'drizzle-orm';
import type { Database } from '../stores/database.ts';
import { customerLimits } from '../stores/schema.ts';
import type { Limit } from './access.ts';
import { type Actor, tellOf } from './audit.ts';

/** A limit as it is shown. `key_id` and `tag` null: of all the customer's keys together. */
export interface SetLimit extends Limit {
  key_id: string | null;
  /** `team=search` */
  tag: string | null;
  updated_at: string;
  updated_by: string;
}

/** Whose limit it is; both null: the customer's own. */
export type LimitOwner = Pick<SetLimit, 'key_id' | 'tag'>;

/** They come with every key of the customer: no more than this. */
export const MOST_TAG_BUDGETS = 100;

/** A customer's limits, its own first. Without any there is none. */
export async function listLimits(database: Database, customer: string): Promise<SetLimit[]> {
  const rows = await database
    .select()
    .from(customerLimits)
    .where(eq(customerLimits.customer, customer))
    .orderBy(asc(customerLimits.key_id));
  return rows.map(({ customer: _customer, key_id, updated_at, ...row }) => {
    const isTag = key_id.includes('=');
    const isOwn = key_id === '';
    return {
      ...row,
      key_id: isTag || isOwn ? null : key_id,
      tag: isTag ? key_id : null,
      over_budget: isOwn ? (row.over_budget ?? 'refuse') : null,
      updated_at: updated_at.toISOString(),
    };
  });
}

/** Sets what `change` names of a limit, leaves the rest of it, and tells of it. Null: no limit. */
export async function setLimit(
  database: Database,
  customer: string,
  { key_id, tag }: LimitOwner,
  change: { [Name in keyof Limit]?: Limit[Name] | undefined },
  actor: Actor,
): Promise<void> {
  const deed = {
    action: 'limits.update' as const,
    target: sql`CASE key_id WHEN '' THEN ${customer} ELSE key_id END`,
    detail: { ...change },
  };
  const { requests_per_minute, tokens_per_minute, usd_per_day, usd_per_month, over_budget } = change;
  const kept = (name: string, value: unknown) => {
    const column = sql.identifier(name);
    return value === undefined ? sql`` : sql`${column} = excluded.${column},`;
  };
  await database.execute(sql`
    WITH changed AS (
      INSERT INTO ${customerLimits}
        (customer, key_id, requests_per_minute, tokens_per_minute, usd_per_day, usd_per_month, over_budget, updated_by)
      VALUES (${customer}, ${tag ?? key_id ?? ''}, ${requests_per_minute ?? null}::integer,
        ${tokens_per_minute ?? null}::integer, ${usd_per_day ?? null}::numeric, ${usd_per_month ?? null}::numeric,
        ${over_budget ?? null}, ${actor.keyId})
      ON CONFLICT (customer, key_id) DO UPDATE SET
        ${kept('requests_per_minute', requests_per_minute)} ${kept('tokens_per_minute', tokens_per_minute)}
        ${kept('usd_per_day', usd_per_day)} ${kept('usd_per_month', usd_per_month)}
        ${kept('over_budget', over_budget)} updated_at = now(), updated_by = excluded.updated_by
      RETURNING key_id),
    ${tellOf(sql`changed`, customer, actor, deed)}
    SELECT key_id FROM changed`);
}

/** Whether the customer may have a budget for this tag besides those it has. */
export async function hasRoomForTag(database: Database, customer: string, tag: string): Promise<boolean> {
  const others = and(eq(customerLimits.customer, customer), sql`key_id LIKE '%=%'`, sql`key_id <> ${tag}`);
  return (await database.$count(customerLimits, others)) < MOST_TAG_BUDGETS;
}
