import type { StepRecord } from '../pipeline/record.ts';
import { logLine } from './line.ts';
import type { LogStores } from './outbox.ts';

/** Seconds until a step that was sent, and of which nothing more was heard, is a row (house.md). */
const LATER_S = 15 * 60;

/**
 * Keeps that a step was sent which touches no session: a message that comes back once it must be over, and becomes a
 * row unless there is one by then (log/insertion.ts). Never throws. Where the queue does not take it, nothing closes a
 * step whose Worker dies: its own row still comes on every other way.
 */
export async function beginLater(record: StepRecord, { queue }: LogStores): Promise<void> {
  try {
    await queue.sendBatch([{ body: record, delaySeconds: LATER_S }]);
  } catch {
    logLine('warn', 'begin_not_kept');
  }
}
