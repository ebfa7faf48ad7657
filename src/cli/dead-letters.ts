import type * as z from 'zod';
import { insertSteps } from '../log/insertion.ts';
import { drainParked } from '../log/parking.ts';
import { readItems } from '../log/steps-message.ts';
import { abandonedRecord, begunRecord, type StepRecord, stepRecord } from '../pipeline/record.ts';
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

/** Entries read in one go: of 2 KB each, or a message of 128 KB. Upstash takes no command of more than 10 MB. */
const PAGE = 50;

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
  const { records, wrong } = readEntry(entry);
  const [record, ...others] = records;
  if (!record || others.length > 0 || wrong !== null) {
    const why = wrong ?? `${records.length} steps in one message: replay them`;
    return { request_id: null, customer: null, started_at: null, age_s: null, why };
  }
  const { request_id, customer, started_at } = record;
  return {
    ...{ request_id, customer, started_at },
    age_s: Math.max(0, Math.round((now - Date.parse(started_at)) / 1000)),
    why: list === 'parked' ? 'waits for Postgres' : 'Postgres refused the row',
  };
}

/** The records of an entry, and why there is something else in it: names of our own fields, and never a value. */
interface Entry {
  records: StepRecord[];
  wrong: string | null;
}

/** One that has several is a message that a Worker of an older version could not read. */
function readEntry(entry: string): Entry {
  let json: unknown;
  try {
    json = JSON.parse(entry);
  } catch {
    return { records: [], wrong: 'not JSON' };
  }
  const records: StepRecord[] = [];
  const items = readItems(json);
  let wrong = items.length === 0 ? 'no step record' : null;
  for (const item of items) {
    const begun = begunRecord.safeParse(item);
    const step = begun.success ? null : stepRecord.safeParse(item);
    if (begun.success) records.push(abandonedRecord(begun.data));
    else if (step?.success) records.push(step.data);
    else if (step) wrong = wrongIn(step.error);
  }
  return { records, wrong };
}

function wrongIn({ issues }: z.ZodError): string {
  const field = issues[0]?.path[0];
  return field === undefined ? 'no step record' : `no step record: '${String(field)}' is missing or wrong`;
}

export interface Replayed {
  /** Rows now in Postgres, once each, however often they are replayed. */
  replayed: number;
  /** Entries still in the dead list: no step records, or refused by Postgres. */
  kept: number;
  /** Entries removed for good. */
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
    const { rows, written } = await insertReadable(stores.database, page);
    await removeEntries(stores.redis, discard ? page : written);
    const rest = page.length - written.length;
    result.replayed += rows;
    result[discard ? 'discarded' : 'kept'] += rest;
    progress(result.replayed);
  }
}

/** One of the two did not answer; log/parking.ts, which met it, does not say which. */
export class StoreSilent extends Error {}

/** @returns how many rows came of them, and the entries of which all is a row now */
async function insertReadable(
  database: Database,
  entries: readonly string[],
): Promise<{ rows: number; written: string[] }> {
  const read = new Map(entries.map((entry) => [entry, readEntry(entry)]));
  const refused = new Set(
    await insertSteps(
      database,
      [...read.values()].flatMap(({ records }) => records),
    ),
  );
  const written: string[] = [];
  let rows = 0;
  for (const entry of entries) {
    const { records, wrong } = read.get(entry) ?? { records: [], wrong: '' };
    const taken = records.filter((record) => !refused.has(record)).length;
    rows += taken;
    if (wrong === null && taken === records.length) written.push(entry);
  }
  return { rows, written };
}

async function removeEntries(redis: Redis, entries: readonly string[]): Promise<void> {
  if (entries.length === 0) return;
  const remove = redis.pipeline();
  for (const entry of entries) remove.lrem(REDIS_LISTS.dead, 1, entry);
  await remove.exec();
}
