import type { Message, MessageBatch } from '@cloudflare/workers-types';
import { exactCheck } from '../core/exact-check.ts';
import { type LaneCounts, laneCounts } from '../pipeline/lane-counts.ts';
import { abandonedRecord, queuedRecord, type StepRecord, stepRecord } from '../pipeline/record.ts';
import { type Database, sqlStateOf } from '../stores/database.ts';
import type { Redis } from '../stores/redis.ts';
import { keepEndedLanes } from './experience.ts';
import { insertSteps } from './insertion.ts';
import { logLine } from './line.ts';
import { buryMessages, parkSteps } from './parking.ts';
import { readItems } from './steps-message.ts';

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

/** A message of the log queue: steps, or lanes that ended, that were sent together. */
interface Delivery {
  message: Message;
  steps: StepRecord[];
  lanes: LaneCounts[];
  /** What in it is neither. */
  unreadable: unknown[];
}

/**
 * Writes a batch of the log queue to Postgres. Messages may come twice, in any order, or after a consumer that
 * died half-way: each step becomes one row. Where Postgres is down every message is retried, later each time.
 * What can never be a row goes to Redis' dead list and is not retried: its messages would only hold up others.
 */
export async function consumeSteps(batch: Batch, stores: ConsumerStores): Promise<void> {
  let failure: ReturnType<typeof sqlStateOf> | null = null;
  let retried = 0;
  for (const messages of inParts(batch.messages)) {
    const deliveries = messages.map(readMessage);
    const rows = deliveries.filter(({ steps, lanes }) => steps.length + lanes.length > 0);
    let refused = new Set<StepRecord>();
    // Where Postgres did not take a part, nobody waits for it with the next.
    if (failure === null) {
      try {
        refused = await write(rows, stores);
      } catch (error) {
        failure = sqlStateOf(error);
      }
    }
    const lost = new Set(failure === null ? [] : rows);
    retry([...lost]);
    retried += lost.size;
    const dead: Delivery[] = [];
    for (const delivery of deliveries) {
      if (lost.has(delivery)) continue;
      delivery.unreadable.push(...delivery.steps.filter((step) => refused.has(step)));
      if (delivery.unreadable.length > 0) dead.push(delivery);
      else delivery.message.ack();
    }
    await ackOnceKept(dead, () => bury(dead, stores));
  }
  if (failure !== null) logLine('warn', 'write_failed', { count: retried, sql_state: failure });
}

/** Characters of messages that are read and written together: as objects they take several times as many bytes. */
const TOGETHER = 128 * 1024;

/** What a message of objects counts as: Durable Objects send a few steps in one. */
const OBJECTS = 8 * 1024;

function* inParts(messages: Batch['messages']): Generator<Message[]> {
  let part: Message[] = [];
  let length = 0;
  for (const message of messages) {
    part.push(message);
    length += typeof message.body === 'string' ? message.body.length : OBJECTS;
    if (length < TOGETHER) continue;
    yield part;
    part = [];
    length = 0;
  }
  if (part.length > 0) yield part;
}

/**
 * @returns the steps that can never be a row
 * @throws where Postgres did not take them
 */
async function write(
  deliveries: readonly Delivery[],
  { database }: ConsumerStores,
): Promise<Set<StepRecord>> {
  const refused = await insertSteps(
    database,
    deliveries.flatMap(({ steps }) => steps),
  );
  await keepEndedLanes(
    database,
    deliveries.flatMap(({ lanes }) => lanes),
  );
  return new Set(refused);
}

/**
 * Takes what the log queue gave up on: without a consumer Cloudflare deletes it after four days (T47). Steps are
 * parked, from where the scheduled job brings them back once Postgres is there; what is no record goes to the dead
 * list. What lanes have shown is let go: it makes forecasts better, and the next lanes will show the same.
 */
export async function consumeDead(batch: Batch, stores: ConsumerStores): Promise<void> {
  for (const messages of inParts(batch.messages)) {
    const deliveries = messages.map(readMessage);
    const steps = deliveries.flatMap((delivery) => delivery.steps);
    const unreadable = deliveries.reduce((count, delivery) => count + delivery.unreadable.length, 0);
    logLine('error', 'dead_letter', { steps: steps.length, unreadable });
    await ackOnceKept(deliveries, async () => {
      await parkSteps(stores.redis, steps);
      await bury(deliveries, stores);
    });
  }
}

const isStep = exactCheck(stepRecord);

/** Sessions send arrays as they are; a step by itself is a message of an older version. */
function readMessage(message: Message): Delivery {
  const delivery: Delivery = { message, steps: [], lanes: [], unreadable: [] };
  for (const item of readItems(message.body)) {
    const record = isStep(item) ? item : queuedRecord.safeParse(item).data;
    const lane = record ? null : laneCounts.safeParse(item).data;
    if (record) delivery.steps.push(record.state === 'begun' ? abandonedRecord(record) : record);
    else if (lane) delivery.lanes.push(lane);
    else delivery.unreadable.push(item);
  }
  return delivery;
}

async function bury(deliveries: readonly Delivery[], { redis }: ConsumerStores): Promise<void> {
  const bodies = deliveries.flatMap(({ unreadable }) => unreadable);
  if (bodies.length > 0) await buryMessages(redis, bodies);
}

/** Acknowledges the messages once `keep` has what is in them, else leaves them to the queue. */
async function ackOnceKept(deliveries: readonly Delivery[], keep: () => Promise<void>): Promise<void> {
  if (deliveries.length === 0) return;
  try {
    await keep();
    for (const { message } of deliveries) message.ack();
  } catch {
    logLine('error', 'park_failed', { count: deliveries.length });
    retry(deliveries);
  }
}

function retry(deliveries: readonly Delivery[]): void {
  for (const { message } of deliveries) message.retry({ delaySeconds: retryDelay(message.attempts) });
}
