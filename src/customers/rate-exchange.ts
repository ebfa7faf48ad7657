import type { Redis } from '../stores/redis.ts';
import { within } from '../stores/time-limit.ts';

/** What is counted. */
export type Metric = 'requests' | 'tokens';
export type Counts = Record<Metric, number>;

/** Sends counts and gives everybody's: one round trip. */
export type Exchange = (cells: { name: string; add: Counts; isNew: boolean }[]) => Promise<Counts[]>;

/** Two commands a counter and exchange, one more for a new one. Keys outlive the minute after theirs. */
export function exchangeOver(redis: Redis): Exchange {
  return async (cells) => {
    const pipeline = redis.pipeline();
    for (const { name, add, isNew } of cells) {
      const key = `flux:rate:${name}`;
      pipeline.hincrby(key, 'requests', add.requests);
      pipeline.hincrby(key, 'tokens', add.tokens);
      if (isNew) pipeline.expire(key, 180);
    }
    const replies = await within(2_000, pipeline.exec<unknown[]>());
    let at = 0;
    return cells.map(({ isNew }) => {
      const counts = { requests: Number(replies[at]), tokens: Number(replies[at + 1]) };
      at += isNew ? 3 : 2;
      return counts;
    });
  };
}
