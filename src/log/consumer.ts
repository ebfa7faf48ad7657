import type { Message, MessageBatch } from '@cloudflare/workers-types';
import { type StepRecord, stepRecord } from '../pipeline/record.ts';
import { type Database, sqlStateOf } from '../stores/database.ts';
import type { Redis } from '../stores/redis.ts';
import { insertSteps } from './insertion.ts';
import { logLine } from './line.ts';
import { buryMessages, parkSteps } from './parking.ts';

interface ConsumerStores {
  database: Database;
  redis: Redis;
}

type Batch = Pick<MessageBatch<unknown>, 'messages'>;

/** Seconds. 100 retries (wrangler.toml) of at most this outlast nearly eight hours. */
const LONGEST_DELAY = 300;

/** Seconds until the next try: 2, 4, 8 … 300, so that a short outage heals within seconds of its end. */
export function retryDelay(attempts: number): number {
  return Math.min(LONGEST_DELAY, 2 ** attempts);
}

/**
 * Writes a batch of the log queue to Postgres. Messages may come twice, in any order, or after a consumer that
 * died half-way: each step becomes one row. Where Postgres is down every message is retried, later each time.
 * What can never be a row goes to Redis' dead list and is not retried: its messages would only hold up others.
 */
export async function consumeSteps(batch: Batch, stores: ConsumerStores): Promise<void> {
  const { steps, unreadable } = readMessages(batch);
  let refused = new Set<StepRecord>();
  try {
    refused = new Set(await insertSteps(stores.database, [...steps.keys()]));
  } catch (error) {
    retry([...steps.values()]);
    steps.clear();
    logLine('warn', 'write_failed', { count: batch.messages.length, sql_state: sqlStateOf(error) });
  }
  const dead = [...unreadable];
  for (const [record, message] of steps) {
    if (refused.has(record)) dead.push(message);
    else message.ack();
  }
  await ackOnceKept(dead, () =>
    buryMessages(
      stores.redis,
      dead.map((message) => message.body),
    ),
  );
}

/**
 * Takes what the log queue gave up on: without a consumer Cloudflare deletes it after four days (T47). Steps are
 * parked, from where the scheduled job brings them back once Postgres is there; the rest goes to the dead list.
 */
export async function consumeDead(batch: Batch, stores: ConsumerStores): Promise<void> {
  const { steps, unreadable } = readMessages(batch);
  logLine('error', 'dead_letter', { steps: steps.size, unreadable: unreadable.length });
  await ackOnceKept([...steps.values()], () => parkSteps(stores.redis, [...steps.keys()]));
  await ackOnceKept(unreadable, () =>
    buryMessages(
      stores.redis,
      unreadable.map((message) => message.body),
    ),
  );
}

function readMessages(batch: Batch): { steps: Map<StepRecord, Message>; unreadable: Message[] } {
  const steps = new Map<StepRecord, Message>();
  const unreadable: Message[] = [];
  for (const message of batch.messages) {
    const parsed = stepRecord.safeParse(message.body);
    if (parsed.success) steps.set(parsed.data, message);
    else unreadable.push(message);
  }
  return { steps, unreadable };
}

/** Acknowledges the messages once `keep` has them, else leaves them to the queue. */
async function ackOnceKept(messages: readonly Message[], keep: () => Promise<void>): Promise<void> {
  if (messages.length === 0) return;
  try {
    await keep();
    for (const message of messages) message.ack();
  } catch {
    logLine('error', 'park_failed', { count: messages.length });
    retry(messages);
  }
}

function retry(messages: readonly Message[]): void {
  for (const message of messages) message.retry({ delaySeconds: retryDelay(message.attempts) });
}
