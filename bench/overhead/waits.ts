import { BODIES } from './bodies.ts';
import { quantile, round } from './contest.ts';
import type { Contestant } from './contestant.ts';
import { type Load, load, writeRequest } from './load.ts';
import { COLD_KEYS } from './workers.ts';

/** One wait for a store, as between a Worker and a store of another region. */
const WAIT_MS = 40;
/** Of house.md: a cold isolate may wait once, a warm request never. */
const MOST_COLD_WAITS = 1.2;
/** Of a warm request's median: a busy machine's noise, and well below one wait. */
const NOISE_MS = WAIT_MS / 4;
const BLOCKS = 4;

export interface Waits {
  wait_ms: number;
  warm: { p50_ms: number; p50_slow_ms: number; gained_ms: number };
  cold: { p50_ms: number; p50_slow_ms: number; gained_ms: number };
  ok: boolean;
}

/**
 * Small requests one after the other, with every store call 40 ms longer and not, in turns. `cold` is the first
 * request of a key that the isolate has never seen.
 */
export async function measureWaits(
  worker: Contestant,
  slow: (ms: number) => Promise<void>,
  requests: number,
  counted: (load: Load) => void,
): Promise<Waits> {
  const latencies = { warm: [[], []] as number[][], cold: [[], []] as number[][] };
  const body = BODIES.small ?? '';
  const send = async (key: string | null, most: number): Promise<number[]> => {
    const headers = key === null ? worker.target.headers : { authorization: `Bearer ${key}` };
    const request = writeRequest({ ...worker.target, headers }, body);
    const result = await load(worker.target.port, () => request, 1, { ms: 20_000, most });
    counted(result);
    if (result.failed > 0) throw new Error('the Worker failed while its stores were slow');
    return result.latencies;
  };
  const keysABlock = COLD_KEYS.length / BLOCKS;
  for (let block = 0; block < BLOCKS; block += 1) {
    const isSlow = block % 2;
    await slow(isSlow * WAIT_MS);
    latencies.warm[isSlow]?.push(...(await send(null, requests / BLOCKS)));
    for (const key of COLD_KEYS.slice(block * keysABlock, (block + 1) * keysABlock)) {
      latencies.cold[isSlow]?.push(...(await send(key, 1)));
    }
    await slow(0);
    await worker.settle();
  }
  const [warm, cold] = [latencies.warm, latencies.cold].map(([fast = [], slowed = []]) => {
    const p50 = quantile(fast, 0.5);
    const p50Slow = quantile(slowed, 0.5);
    return { p50_ms: round(p50), p50_slow_ms: round(p50Slow), gained_ms: round(p50Slow - p50) };
  });
  if (!warm || !cold) throw new RangeError('two kinds of requests were sent');
  const ok = warm.gained_ms < NOISE_MS && cold.gained_ms < MOST_COLD_WAITS * WAIT_MS;
  return { wait_ms: WAIT_MS, warm, cold, ok };
}
