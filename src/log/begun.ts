import type { BegunRecord } from '../pipeline/record.ts';
import { logLine } from './line.ts';
import type { LogStores } from './outbox.ts';

/** Seconds: what a queue can hold a message back for at most. */
const LONGEST_DELAY_S = 43_200;
/** Steps that begin within so many ms are kept together: a message of its own costs as much as a request. */
const GATHER_MS = 10;
/**
 * So many ms after the first of them. One that has ended by then needs no keeping: its row is on its way (outbox.ts).
 * A Worker that dies takes the begins of so many ms with it, as it takes the rows of as many.
 */
const KEEP_MS = 25;
/** Of some 0.5 KB each; a message may have 128 KB. */
const MOST_TOGETHER = 50;

type BeginStores = Pick<LogStores, 'queue' | 'held' | 'wait'>;

/**
 * Keeps that a step was sent which touches no session: a message that comes back once it must be over, and becomes a
 * row unless there is one by then (log/insertion.ts). Never throws; a promise only where this request sends what has
 * begun with it. Where the queue does not take it, nothing closes a step whose Worker dies: its own row still comes on
 * every other way.
 * @param begun is called where the step has not ended at once
 * @param abandoned ms after which it must be over (`FLUX_ABANDONED_AFTER_MS`)
 */
export function beginLater(
  requestId: string,
  begun: () => BegunRecord,
  abandoned: number,
  stores: BeginStores,
): Promise<void> | undefined {
  const now = Date.now();
  if (!stores.held.begin(requestId, begun, now, GATHER_MS)) return undefined;
  return sendBegun(stores, now + GATHER_MS, Math.min(LONGEST_DELAY_S, Math.ceil(abandoned / 1_000)));
}

async function sendBegun(
  { queue, held, wait }: BeginStores,
  end: number,
  delaySeconds: number,
): Promise<void> {
  await (wait?.(KEEP_MS) ?? new Promise((resolve) => setTimeout(resolve, KEEP_MS)));
  const open = held.takeBegun(end);
  for (let at = 0; at < open.length; at += MOST_TOGETHER) {
    const records = open.slice(at, at + MOST_TOGETHER).map((begun) => begun());
    try {
      await queue.send(records, { delaySeconds });
    } catch {
      logLine('warn', 'begin_not_kept', { count: records.length });
    }
  }
}
