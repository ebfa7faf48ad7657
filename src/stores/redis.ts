import { Redis } from '@upstash/redis/cloudflare';

export type { Redis };

/** Lists of JSON, oldest first. Both hold step records only: numbers, names and enums. */
export const REDIS_LISTS = {
  /** Steps that neither queue nor Postgres took; the scheduled job brings them back. */
  parked: 'flux:parked',
  /** Messages that are no step record, and records Postgres refuses: someone must look at them. */
  dead: 'flux:dead',
} as const;

/**
 * Redis over Upstash's REST protocol. Values go in and out as the strings they are; no telemetry; one try a
 * command, aborted after `timeoutMs`: who calls knows better when to try again.
 */
export function openRedis(url: string, token: string, timeoutMs = 5_000): Redis {
  return new Redis({
    url,
    token,
    automaticDeserialization: false,
    enableTelemetry: false,
    enableAutoPipelining: false,
    retry: { retries: 0 },
    // A function: a new signal for every command, and an abort rejects. (With a bare signal it resolves.)
    signal: () => AbortSignal.timeout(timeoutMs),
  });
}
