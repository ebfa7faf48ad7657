import { insertSteps } from '../log/insertion.ts';
import { drainParked } from '../log/parking.ts';
import { readItems } from '../log/steps-message.ts';
import { type StepRecord, stepRecord } from '../pipeline/record.ts';
import type { Database } from '../stores/database.ts';
import { REDIS_LISTS, type Redis } from '../stores/redis.ts';

export type ListName = keyof typeof REDIS_LISTS;

/** One entry as it may be shown: what is in it, if it is no step, is not known to be harmless and is never shown. */
export interface ListedEntry {
  request_id: string | null;
  customer: string | null;
  started_at: string | null;
  age_s: number | null;
  /** Why it is not in Postgres. */
  why: string;
}

export interface ListedEntries {
  count: number;
  /** Ages in seconds of the first and the last in the list; null where they don't say. */
  oldest_s: number | null;
  newest_s: number | null;
  entries: ListedEntry[];
}

/** Entries read in one go: about 200 KB. */
const PAGE = 100;

/** How many there are, and the oldest `limit` of them. */
export async function listEntries(
  redis: Redis,
  list: ListName,
  limit: number,
  now: number,
): Promise<ListedEntries> {
  const key = REDIS_LISTS[list];
  const count = await redis.llen(key);
  const entries: ListedEntry[] = [];
  while (entries.length < Math.min(limit, count)) {
    const end = Math.min(limit, entries.length + PAGE) - 1;
    const page = await redis.lrange<string>(key, entries.length, end);
    if (page.length === 0) break;
    entries.push(...page.map((entry) => describe(entry, list, now)));
  }
  const [last] = await redis.lrange<string>(key, -1, -1);
  return {
    count,
    oldest_s: entries[0]?.age_s ?? null,
    newest_s: last === undefined ? null : describe(last, list, now).age_s,
    entries,
  };
}

function describe(entry: string, list: ListName, now: number): ListedEntry {
  const records = readRecords(entry);
  const [record, ...others] = typeof records === 'string' ? [] : records;
  if (typeof records === 'string' || !record || others.length > 0) {
    const why = typeof records === 'string' ? records : `${records.length} steps in one message: replay them`;
    return { request_id: null, customer: null, started_at: null, age_s: null, why };
  }
  const { request_id, customer, started_at } = record;
  return {
    ...{ request_id, customer, started_at },
    age_s: Math.max(0, Math.round((now - Date.parse(started_at)) / 1000)),
    why: list === 'parked' ? 'waits for Postgres' : 'Postgres refused the row',
  };
}

/**
 * The records of an entry, or why it has none: names of our own fields, and never a value. One that has several is a
 * message that a Worker of an older version could not read.
 */
function readRecords(entry: string): StepRecord[] | string {
  let json: unknown;
  try {
    json = JSON.parse(entry);
  } catch {
    return 'not JSON';
  }
  const records: StepRecord[] = [];
  for (const item of readItems(json)) {
    const parsed = stepRecord.safeParse(item);
    if (!parsed.success) {
      const field = parsed.error.issues[0]?.path[0];
      return field === undefined
        ? 'no step record'
        : `no step record: '${String(field)}' is missing or wrong`;
    }
    records.push(parsed.data);
  }
  return records;
}

export interface Replayed {
  /** Rows now in Postgres, once each, however often they are replayed. */
  replayed: number;
  /** Still in the dead list: no step record, or refused by Postgres. */
  kept: number;
  /** Removed for good. */
  discarded: number;
}

/**
 * Brings parked and dead steps into Postgres. An entry leaves its list only after its row is in, and by its value:
 * a run that is broken off, or meets another one or the scheduled job, loses nothing and writes nothing twice.
 *
 * @param discard removes what can't be a row; what can is written all the same
 * @param progress is told how many so far, now and then
 * @throws where a store does not answer
 */
export async function replayEntries(
  stores: { database: Database; redis: Redis },
  discard: boolean,
  progress: (replayed: number) => void,
): Promise<Replayed> {
  const result: Replayed = { replayed: 0, kept: 0, discarded: 0 };
  for (;;) {
    const outcome = await drainParked(stores);
    result.replayed += outcome.drained;
    progress(result.replayed);
    if (outcome.complete) break;
    if (outcome.drained + outcome.dead === 0) throw new StoreSilent();
  }
  for (;;) {
    const page = await stores.redis.lrange<string>(REDIS_LISTS.dead, result.kept, result.kept + PAGE - 1);
    if (page.length === 0) return result;
    const written = await insertReadable(stores.database, page);
    await removeEntries(stores.redis, discard ? page : written);
    const rest = page.length - written.length;
    result.replayed += written.length;
    result[discard ? 'discarded' : 'kept'] += rest;
    progress(result.replayed);
  }
}

/** One of the two did not answer; log/parking.ts, which met it, does not say which. */
export class StoreSilent extends Error {}

/** @returns the entries that are rows now */
async function insertReadable(database: Database, entries: readonly string[]): Promise<string[]> {
  const records = new Map<string, StepRecord[]>();
  for (const entry of entries) {
    const read = readRecords(entry);
    if (typeof read !== 'string') records.set(entry, read);
  }
  const refused = new Set(await insertSteps(database, [...records.values()].flat()));
  return entries.filter((entry) => records.get(entry)?.every((record) => !refused.has(record)));
}

async function removeEntries(redis: Redis, entries: readonly string[]): Promise<void> {
  if (entries.length === 0) return;
  const remove = redis.pipeline();
  for (const entry of entries) remove.lrem(REDIS_LISTS.dead, 1, entry);
  await remove.exec();
}
