import { type StepRecord, stepRecord } from '../pipeline/record.ts';
import { type Database, sqlStateOf } from '../stores/database.ts';
import { REDIS_LISTS, type Redis } from '../stores/redis.ts';
import { insertSteps } from './insertion.ts';
import { logLine } from './line.ts';

/** Steps read back in one go: one LRANGE, one insert, one pipeline. */
const PAGE = 100;
/** Pages a run may take: a scheduled Worker has 1,000 subrequests. */
const MAX_PAGES = 100;

interface DrainOutcome {
  /** Steps brought back into Postgres. */
  drained: number;
  /** Entries moved to the dead list. */
  dead: number;
  /** False where a store failed, or more is left than one run may take. */
  complete: boolean;
}

/** Keeps steps in Redis until {@link drainParked} brings them back. Rejects where Redis doesn't answer. */
export async function parkSteps(redis: Redis, records: StepRecord[]): Promise<void> {
  const [first, ...rest] = records.map((record) => JSON.stringify(record));
  if (first !== undefined) await redis.rpush(REDIS_LISTS.parked, first, ...rest);
}

/** Keeps what can't be a row in Redis, for someone to look at. Rejects where Redis doesn't answer. */
export async function buryMessages(redis: Redis, bodies: unknown[]): Promise<void> {
  const [first, ...rest] = bodies.map((body) => JSON.stringify(body) ?? 'null');
  if (first !== undefined) await redis.rpush(REDIS_LISTS.dead, first, ...rest);
  logLine('error', 'dead_message', { count: bodies.length });
}

/**
 * Moves parked steps into Postgres, oldest first. For the scheduled job. Never throws.
 * An entry leaves the list only after its row is in, and by its value: a run that dies half-way or meets another
 * run loses nothing and writes nothing twice.
 */
export async function drainParked(stores: { database: Database; redis: Redis }): Promise<DrainOutcome> {
  const outcome: DrainOutcome = { drained: 0, dead: 0, complete: false };
  try {
    for (let page = 0; page < MAX_PAGES; page++) {
      const entries = await stores.redis.lrange<string>(REDIS_LISTS.parked, 0, PAGE - 1);
      if (entries.length === 0) {
        outcome.complete = true;
        break;
      }
      const records = new Map(entries.flatMap(readEntry));
      const refused = new Set(await insertSteps(stores.database, [...records.values()]));
      const move = stores.redis.multi();
      for (const entry of entries) {
        const record = records.get(entry);
        const written = record !== undefined && !refused.has(record);
        if (!written) move.rpush(REDIS_LISTS.dead, entry);
        move.lrem(REDIS_LISTS.parked, 1, entry);
        outcome[written ? 'drained' : 'dead']++;
      }
      await move.exec();
    }
  } catch (error) {
    logLine('warn', 'drain_failed', { sql_state: sqlStateOf(error) });
  }
  if (outcome.dead > 0) logLine('error', 'dead_message', { count: outcome.dead });
  return outcome;
}

/** None where the entry is no step record. */
function readEntry(entry: string): [string, StepRecord][] {
  const parsed = stepRecord.safeParse(parseJson(entry));
  return parsed.success ? [[entry, parsed.data]] : [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
