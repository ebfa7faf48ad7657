import type { QueuedRecord, StepRecord } from '../pipeline/record.ts';
import { type Database, sqlStateOf } from '../stores/database.ts';
import type { Redis } from '../stores/redis.ts';
import { within } from '../stores/time-limit.ts';
import type { HeldSteps } from './held-steps.ts';
import { insertSteps } from './insertion.ts';
import { logLine } from './line.ts';
import { buryMessages, parkSteps } from './parking.ts';

export interface LogStores {
  /** A message is some steps that are sent together. */
  queue: { send(steps: QueuedRecord[], options?: { delaySeconds: number }): Promise<unknown> };
  database: Database;
  redis: Redis;
  /** One an isolate, shared by all its requests. */
  held: HeldSteps;
  /** Sleeps; tests put their own here. */
  wait?: (ms: number) => Promise<void>;
}

/**
 * Who has the step: the queue (as always), Postgres, Redis, this isolate's memory until a store is back, another
 * request that sends its own step in a moment, or nobody: all stores are down and the memory is full.
 */
export type LogOutcome = 'queued' | 'written' | 'parked' | 'held' | 'gathered' | 'lost';

/** ms before the second and the third try. A send throws above 5,000 messages/s, which passes quickly. */
const SEND_DELAYS = [100, 400];
const SEND_LIMIT_MS = 2_000;
/** As long as one delivery can take: three sends, Postgres and Redis at their limits; under the 30 s of waitUntil. */
const DELIVERY_MS = 20_000;
/** Steps that end within so many ms of each other are one message: one of its own costs as much as a request. */
const GATHER_MS = 25;
/** Of 0.8 to 1.7 KB each. A message may have 128 KB; where it has more, they are written to Postgres at once. */
const MOST_TOGETHER = 50;

/** Steps that one request of this isolate is about to send. */
interface Gathering {
  records: StepRecord[];
  /** ms since the epoch. A request that died may have left its gathering behind: nobody joins it any more then. */
  until: number;
}

const gatherings = new WeakMap<HeldSteps, Gathering>();

/**
 * Hands a finished step to the log. Never throws, and never fails the request: call it after the answer, and give
 * `waitUntil` what it returns, if that is a promise. As long as any of queue, Postgres and Redis lives, the step becomes
 * a row (T47).
 */
export function logStep(record: StepRecord, stores: LogStores): Promise<LogOutcome> | 'gathered' {
  const now = Date.now();
  const kept = stores.held.hold(record, now + DELIVERY_MS);
  const open = gatherings.get(stores.held);
  // What the isolate does not hold would be lost with the request that gathers.
  if (kept && open && now < open.until && open.records.length < MOST_TOGETHER) {
    open.records.push(record);
    return 'gathered';
  }
  return deliverFirst(record, stores, kept);
}

/** The step, and those that other requests leave to this one meanwhile. */
async function deliverFirst(record: StepRecord, stores: LogStores, kept: boolean): Promise<LogOutcome> {
  const records = kept ? await gather(record, stores) : [record];
  const outcome = await deliver(records, stores, SEND_DELAYS);
  if (outcome !== undefined) {
    await flushHeld(stores);
    return outcome;
  }
  if (!kept) {
    logLine('error', 'step_lost', { held: stores.held.size });
    return 'lost';
  }
  logLine('error', 'step_held', { held: stores.held.size });
  return 'held';
}

async function gather(record: StepRecord, stores: LogStores): Promise<StepRecord[]> {
  const gathering: Gathering = { records: [record], until: Date.now() + 2 * GATHER_MS };
  gatherings.set(stores.held, gathering);
  await sleeperOf(stores)(GATHER_MS);
  if (gatherings.get(stores.held) === gathering) gatherings.delete(stores.held);
  return gathering.records;
}

/** Tries again what this isolate still holds. Called with every step that got through, and by the scheduled job. */
export async function flushHeld(stores: LogStores): Promise<void> {
  const now = Date.now();
  const records = stores.held.take(now, now + DELIVERY_MS, MOST_TOGETHER);
  if (records.length > 0) await deliver(records, stores, []);
}

/** Undefined where no store took them: then this isolate holds them, as many as it has room for. */
async function deliver(
  records: StepRecord[],
  stores: LogStores,
  delays: number[],
): Promise<'queued' | 'written' | 'parked' | undefined> {
  const outcome = (await enqueue(records, stores, delays)) ? 'queued' : await writeOrPark(records, stores);
  if (outcome !== undefined) stores.held.release(records);
  else for (const record of records) stores.held.hold(record, 0);
  return outcome;
}

async function enqueue(records: StepRecord[], stores: LogStores, delays: number[]): Promise<boolean> {
  for (const delay of [...delays, undefined]) {
    try {
      await within(SEND_LIMIT_MS, stores.queue.send(records));
      return true;
    } catch {
      if (delay !== undefined) await sleeperOf(stores)(delay);
    }
  }
  return false;
}

function sleeperOf({ wait }: LogStores): (ms: number) => Promise<void> {
  return wait ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
}

/** Undefined where neither store took them. */
async function writeOrPark(
  records: StepRecord[],
  stores: LogStores,
): Promise<'written' | 'parked' | undefined> {
  try {
    const refused = await insertSteps(stores.database, records);
    if (refused.length > 0) await buryMessages(stores.redis, refused);
    logLine('warn', 'step_written', { count: records.length });
    return 'written';
  } catch (error) {
    logLine('warn', 'write_failed', { count: records.length, sql_state: sqlStateOf(error) });
  }
  try {
    await parkSteps(stores.redis, records);
    logLine('warn', 'step_parked', { count: records.length });
    return 'parked';
  } catch {
    logLine('error', 'park_failed', { count: records.length });
    return undefined;
  }
}
