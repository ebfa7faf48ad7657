import type { StepRecord } from '../pipeline/record.ts';
import { logLine } from './line.ts';
import type { LogStores } from './outbox.ts';

/** Seconds until a step that was sent, and of which nothing more was heard, is a row (house.md). */
const LATER_S = 15 * 60;
/** Steps that begin within so many ms are kept together: a message of its own costs as much as a request. */
const GATHER_MS = 10;
const MOST_TOGETHER = 50;

const gatherings = new WeakMap<object, StepRecord[]>();

/**
 * Keeps that a step was sent which touches no session: a message that comes back once it must be over, and becomes a
 * row unless there is one by then (log/insertion.ts). Never throws. Where the queue does not take it, nothing closes a
 * step whose Worker dies: its own row still comes on every other way.
 */
export async function beginLater(record: StepRecord, { queue }: Pick<LogStores, 'queue'>): Promise<void> {
  const open = gatherings.get(queue);
  if (open && open.length < MOST_TOGETHER) {
    open.push(record);
    return;
  }
  const records = [record];
  gatherings.set(queue, records);
  await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
  if (gatherings.get(queue) === records) gatherings.delete(queue);
  try {
    await queue.send(records, { delaySeconds: LATER_S });
  } catch {
    logLine('warn', 'begin_not_kept', { count: records.length });
  }
}
