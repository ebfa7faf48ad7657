import { and, desc, eq, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../stores/database.ts';
import { audit } from '../stores/schema.ts';

/** Who does something, for the row that tells of it. */
export interface Actor {
  /** Of the request: the row's id. */
  requestId: string;
  /** The id of its key. */
  keyId: string;
}

/** What was done. Names, numbers and words of ours: no content and no secret (T48). */
export interface Deed {
  action: 'key.create' | 'key.revoke' | 'settings.update' | 'limits.update';
  target: SQL;
  detail: Record<string, unknown>;
}

/**
 * The part of a statement that tells of what its part `source` did, for each row of it: both happen, or neither.
 * @example sql`WITH made AS (INSERT … RETURNING id), ${tellOf(sql`made`, …)} SELECT …`
 */
export function tellOf(source: SQL, customer: string, actor: Actor, { action, target, detail }: Deed): SQL {
  return sql`told AS (
    INSERT INTO ${audit} (id, customer, key_id, action, target, detail)
    SELECT ${actor.requestId}, ${customer}, ${actor.keyId}, ${action}, ${target}, ${JSON.stringify(detail)}::jsonb
    FROM ${source})`;
}

export interface AuditEntry {
  id: string;
  at: string;
  customer: string;
  key_id: string;
  action: string;
  target: string;
  detail: unknown;
}

/**
 * A customer's audit, newest first.
 * @param after the id of the last entry of the page before; one that is not there ends the list
 */
export async function listAudit(
  database: Database,
  customer: string,
  limit: number,
  after: string | null,
): Promise<{ data: AuditEntry[]; next_cursor: string | null }> {
  // By the row itself: its time has microseconds, which a cursor in JavaScript's dates would lose.
  const older = sql`(${audit.at}, ${audit.id}) < (
    SELECT at, id FROM ${audit} WHERE id = ${after} AND customer = ${customer})`;
  const rows = await database
    .select()
    .from(audit)
    .where(and(eq(audit.customer, customer), after === null ? undefined : older))
    .orderBy(desc(audit.at), desc(audit.id))
    .limit(limit + 1);
  const data = rows.slice(0, limit).map((row) => ({ ...row, at: row.at.toISOString() }));
  return { data, next_cursor: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
}
