import { sql } from 'drizzle-orm';
import type { Database } from '../stores/database.ts';

/**
 * Makes the monthly partitions of `queries` that are missing, up to `monthsAhead` months from now (T45).
 * Safe to call at any time and from many isolates; a step whose month has none goes to the default partition
 * and is moved once it has.
 *
 * @returns how many it made
 */
export async function ensurePartitions(database: Database, monthsAhead = 3): Promise<number> {
  const { rows } = await database.execute<{ made: number }>(
    sql`SELECT ensure_query_partitions(${monthsAhead}::integer) AS made`,
  );
  return rows[0]?.made ?? 0;
}
