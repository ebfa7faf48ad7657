import type { BegunRecord } from '../pipeline/record.ts';
import { logLine } from './line.ts';
import type { LogStores } from './outbox.ts';

/** Seconds until a step that was sent, and of which nothing more was heard, is a row (house.md). */
const LATER_S = 15 * 60;
/**
 * Steps that begin within so many ms are kept together, and one that has ended by then needs no keeping: its row is on
 * its way (outbox.ts). A Worker that dies meanwhile takes both with it, as it takes the rows of as many ms.
 */
const GATHER_MS = 25;
/** Of some 0.7 KB each; a message may have 128 KB. */
const MOST_TOGETHER = 100;

/**
 * Keeps that a step was sent which touches no session: a message that comes back once it must be over, and becomes a
 * row unless there is one by then (log/insertion.ts). Never throws; a promise only where this request sends what has
 * begun with it. Where the queue does not take it, nothing closes a step whose Worker dies: its own row still comes on
 * every other way.
 * @param begun is called once the step has not ended at once
 */
export function beginLater(
  requestId: string,
  begun: () => BegunRecord,
  stores: Pick<LogStores, 'queue' | 'held' | 'wait'>,
): Promise<void> | undefined {
  const now = Date.now();
  return stores.held.begin(requestId, begun, now, now + 2 * GATHER_MS) ? sendBegun(stores) : undefined;
}

async function sendBegun({ queue, held, wait }: Pick<LogStores, 'queue' | 'held' | 'wait'>): Promise<void> {
  await (wait?.(GATHER_MS) ?? new Promise((resolve) => setTimeout(resolve, GATHER_MS)));
  const open = held.takeBegun();
  for (let at = 0; at < open.length; at += MOST_TOGETHER) {
    const records = open.slice(at, at + MOST_TOGETHER).map((begun) => begun());
    try {
      await queue.send(records, { delaySeconds: LATER_S });
    } catch {
      logLine('warn', 'begin_not_kept', { count: records.length });
    }
  }
}
