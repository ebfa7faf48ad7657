import { bodyOf } from './bodies.ts';
import type { Contestant } from './contestant.ts';
import { type Load, load, writeRequest } from './load.ts';
import { readCost } from './process-cost.ts';

const AT_ONCE = 16;
/** A little under the limit of 10 MiB. */
const BYTES = 10_000_000;
const MOST_MEBIBYTES = 100;
const READ_EVERY_MS = 20;

export interface LargeBodies {
  answered: number;
  /** 503s, each of which says when to try again. */
  refused: number;
  statuses: Load['statuses'];
  memory_added_mib: number | null;
  ok: boolean;
}

/** Sixteen bodies of 10 MB at once: workerd's memory may grow by 100 MiB, the rest is refused (T63). */
export async function measureLargeBodies(
  worker: Contestant,
  counted: (load: Load) => void,
): Promise<LargeBodies> {
  const before = readCost(worker.pid)?.mebibytes ?? null;
  let peak = before;
  const timer = setInterval(() => {
    const now = readCost(worker.pid)?.mebibytes;
    if (now !== undefined) peak = Math.max(peak ?? 0, now);
  }, READ_EVERY_MS);
  const request = writeRequest(worker.target, bodyOf(BYTES));
  const result = await load(worker.target.port, () => request, AT_ONCE, { ms: 60_000, most: AT_ONCE });
  clearInterval(timer);
  counted(result);
  const refused = result.statuses[503] ?? 0;
  const added = before === null || peak === null ? null : peak - before;
  return {
    answered: result.answered,
    refused,
    statuses: result.statuses,
    memory_added_mib: added,
    ok: result.answered + refused === AT_ONCE && (added === null || added <= MOST_MEBIBYTES || refused > 0),
  };
}
