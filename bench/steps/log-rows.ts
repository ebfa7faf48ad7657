import { setTimeout as sleep } from 'node:timers/promises';
import { count } from 'drizzle-orm';
import { openDatabase } from '../../src/stores/database.ts';
import { queries } from '../../src/stores/schema.ts';

/** What the log says of one step. */
export type LogRow = Pick<
  typeof queries.$inferSelect,
  | 'request_id'
  | 'started_at'
  | 'state'
  | 'model'
  | 'cost_usd'
  | 'baseline_cost_usd'
  | 'tokens_fresh'
  | 'tokens_write_5m'
  | 'tokens_write_1h'
  | 'tokens_write_30m'
  | 'tokens_write_12h'
  | 'tokens_read'
  | 'tokens_output'
>;

/** A step is visible within 10 s of its answer (contract.md); the queue of a loaded machine gets twice that. */
const VISIBLE_WITHIN_MS = 20_000;

/** Every row of the log, once there are `expected` of them or none has come for too long. */
export async function readLog(databaseUrl: string, expected: number): Promise<LogRow[]> {
  const database = openDatabase(databaseUrl, 30_000);
  let seen = 0;
  let end = Date.now() + VISIBLE_WITHIN_MS;
  while (Date.now() < end) {
    const rows = (await database.select({ rows: count() }).from(queries))[0]?.rows ?? 0;
    if (rows >= expected) break;
    if (rows > seen) end = Date.now() + VISIBLE_WITHIN_MS;
    seen = rows;
    await sleep(250);
  }
  return database
    .select({
      request_id: queries.request_id,
      started_at: queries.started_at,
      state: queries.state,
      model: queries.model,
      cost_usd: queries.cost_usd,
      baseline_cost_usd: queries.baseline_cost_usd,
      tokens_fresh: queries.tokens_fresh,
      tokens_write_5m: queries.tokens_write_5m,
      tokens_write_1h: queries.tokens_write_1h,
      tokens_write_30m: queries.tokens_write_30m,
      tokens_write_12h: queries.tokens_write_12h,
      tokens_read: queries.tokens_read,
      tokens_output: queries.tokens_output,
    })
    .from(queries);
}

/** The log's tokens, by the providers' classes. */
export function tokensOf(row: LogRow) {
  return {
    fresh: row.tokens_fresh,
    write_5m: row.tokens_write_5m,
    write_1h: row.tokens_write_1h,
    write_30m: row.tokens_write_30m,
    write_12h: row.tokens_write_12h,
    read: row.tokens_read,
    output: row.tokens_output,
  };
}
