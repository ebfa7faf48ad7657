import { sql } from 'drizzle-orm';
import type { Database } from './database.ts';
import type { Redis } from './redis.ts';
import { within } from './time-limit.ts';

export interface StoreHealth {
  state: 'up' | 'slow' | 'down';
  latency_ms: number;
}

const LIMIT_MS = 2_000;
const REMEMBERED = 32;
/** Below this many samples there is no median to speak of: slow is half the limit. */
const FEW = 5;

/**
 * A store's recent latencies in this isolate. Slow is judged against the store's own median, never a fixed number:
 * a region 160 ms away is not broken (T46). Slow answers count too, so that a store that moved becomes normal.
 */
export class LatencyHistory {
  readonly #samples: number[] = [];

  /** Remembers a latency and says whether it was slow for this store: five times its median, and 100 ms over it. */
  add(ms: number): 'up' | 'slow' {
    const sorted = this.#samples.toSorted((a, b) => a - b);
    const median = sorted[sorted.length >> 1] ?? 0;
    const limit = sorted.length < FEW ? LIMIT_MS / 2 : Math.max(5 * median, median + 100);
    this.#samples.push(ms);
    if (this.#samples.length > REMEMBERED) this.#samples.shift();
    return ms > limit ? 'slow' : 'up';
  }
}

const databaseHistory = new LatencyHistory();
const redisHistory = new LatencyHistory();

/** Asks Postgres for nothing and times it, at most two seconds. Never throws and never says why: errors quote URLs. */
export function checkDatabase(database: Database, history = databaseHistory): Promise<StoreHealth> {
  return check(() => database.execute(sql`SELECT 1`), history);
}

/** The same for Redis, by a PING. */
export function checkRedis(redis: Redis, history = redisHistory): Promise<StoreHealth> {
  return check(() => redis.ping(), history);
}

async function check(ask: () => Promise<unknown>, history: LatencyHistory): Promise<StoreHealth> {
  const start = performance.now();
  const elapsed = () => Math.round(performance.now() - start);
  try {
    await within(LIMIT_MS, ask());
    const latency_ms = elapsed();
    return { state: history.add(latency_ms), latency_ms };
  } catch {
    return { state: 'down', latency_ms: elapsed() };
  }
}
