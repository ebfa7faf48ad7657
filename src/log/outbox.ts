import type { StepRecord } from '../pipeline/record.ts';
import { type Database, sqlStateOf } from '../stores/database.ts';
import type { Redis } from '../stores/redis.ts';
import { within } from '../stores/time-limit.ts';
import type { HeldSteps } from './held-steps.ts';
import { insertSteps } from './insertion.ts';
import { logLine } from './line.ts';
import { buryMessages, parkSteps } from './parking.ts';

export interface LogStores {
  queue: { send(record: StepRecord): Promise<unknown> };
  database: Database;
  redis: Redis;
  /** One an isolate, shared by all its requests. */
  held: HeldSteps;
  /** Sleeps; tests put their own here. */
  wait?: (ms: number) => Promise<void>;
}

/**
 * Who has the step: the queue (as always), Postgres, Redis, this isolate's memory until a store is back, or
 * nobody: all stores are down and the memory is full.
 */
export type LogOutcome = 'queued' | 'written' | 'parked' | 'held' | 'lost';

/** ms before the second and the third try. `send()` throws above 5,000 messages/s, which passes quickly. */
const SEND_DELAYS = [100, 400];
const SEND_LIMIT_MS = 2_000;
/** As long as one delivery can take: three sends, Postgres and Redis at their limits; under the 30 s of waitUntil. */
const DELIVERY_MS = 20_000;
/** Held steps that one call takes along. */
const PAGE = 100;

/**
 * Hands a finished step to the log. Never throws, and never fails the request: call it after the answer, in
 * `waitUntil`. As long as any of queue, Postgres and Redis lives, the step becomes a row (T47).
 */
export async function logStep(record: StepRecord, stores: LogStores): Promise<LogOutcome> {
  const kept = stores.held.hold(record, Date.now() + DELIVERY_MS);
  const outcome = (await enqueue(record, stores, SEND_DELAYS))
    ? 'queued'
    : await writeOrPark([record], stores);
  if (outcome !== undefined) {
    stores.held.release([record]);
    await flushHeld(stores);
    return outcome;
  }
  if (!kept) {
    logLine('error', 'step_lost', { held: stores.held.size });
    return 'lost';
  }
  stores.held.hold(record, 0);
  logLine('error', 'step_held', { held: stores.held.size });
  return 'held';
}

/** Tries again what this isolate still holds. Called with every step that got through, and by the scheduled job. */
export async function flushHeld(stores: LogStores): Promise<void> {
  const now = Date.now();
  const records = stores.held.take(now, now + DELIVERY_MS, PAGE);
  let sent = 0;
  for (const record of records) {
    if (!(await enqueue(record, stores, []))) break;
    stores.held.release([record]);
    sent++;
  }
  const rest = records.slice(sent);
  if (rest.length === 0) return;
  if ((await writeOrPark(rest, stores)) !== undefined) stores.held.release(rest);
  else for (const record of rest) stores.held.hold(record, 0);
}

async function enqueue(record: StepRecord, stores: LogStores, delays: number[]): Promise<boolean> {
  const wait = stores.wait ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
  for (const delay of [...delays, undefined]) {
    try {
      await within(SEND_LIMIT_MS, stores.queue.send(record));
      return true;
    } catch {
      if (delay !== undefined) await wait(delay);
    }
  }
  return false;
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
