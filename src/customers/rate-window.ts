/** A minute, UTC (T52). */
export const WINDOW_MS = 60_000;

/**
 * The rate of the last minute out of two counters: what was counted in this minute, and the share of the minute
 * before that still lies within the last 60 s. Cloudflare's sliding window (blog.cloudflare.com/counting-things-a-lot-of-different-things):
 * no burst of twice the limit where minutes meet, and counters of many isolates simply add up.
 */
export function rateOf(previous: number, current: number, now: number): number {
  return previous * (1 - (now % WINDOW_MS) / WINDOW_MS) + current;
}

/**
 * Seconds until `amount` more fit under a limit, if nothing else comes; at least 1.
 * @param amount at most the limit: more never fits
 */
export function secondsUntilFit(
  previous: number,
  current: number,
  now: number,
  amount: number,
  limit: number,
): number {
  const passed = now % WINDOW_MS;
  const room = limit - amount;
  // In this minute the part of the one before runs out; in the next one this minute does.
  const wait =
    current <= room ? runOut(previous, room - current) - passed : WINDOW_MS - passed + runOut(current, room);
  return Math.max(1, Math.ceil(wait / 1000));
}

/** Milliseconds into a minute at which no more than `room` is left of the count of the one before. */
function runOut(count: number, room: number): number {
  return count <= room ? 0 : WINDOW_MS * (1 - room / count);
}
