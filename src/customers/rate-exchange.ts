import type { Redis } from '../stores/redis.ts';
import { within } from '../stores/time-limit.ts';

/** What is counted. */
export type Metric = 'requests' | 'tokens';
export type Counts = Record<Metric, number>;

/** What is sent of one counter. */
export interface SentCell {
  name: string;
  add: Counts;
  /** What somebody limits: nothing else is sent. */
  metrics: readonly Metric[];
  isNew: boolean;
}

/** Sends counts and gives everybody's: one round trip. */
export type Exchange = (cells: SentCell[]) => Promise<Counts[]>;

/** A command a limited metric and exchange, one more for a new counter. Keys outlive the minute after theirs. */
export function exchangeOver(redis: Redis): Exchange {
  return async (cells) => {
    const pipeline = redis.pipeline();
    for (const { name, add, metrics, isNew } of cells) {
      const key = `flux:rate:${name}`;
      for (const metric of metrics) pipeline.hincrby(key, metric, add[metric]);
      if (isNew) pipeline.expire(key, 180);
    }
    const replies = await within(2_000, pipeline.exec<unknown[]>());
    let at = 0;
    return cells.map(({ metrics, isNew }) => {
      const counts = { requests: 0, tokens: 0 };
      for (const metric of metrics) counts[metric] = Number(replies[at++]);
      if (isNew) at++;
      return counts;
    });
  };
}
