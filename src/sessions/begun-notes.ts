import { type Fields, type HistoryPlace, keyOf } from './kept-entry.ts';

/*
 * A step notes in its session's history that it has begun, and takes the note away with the entry it adds, or when it
 * has come to nothing: a note that stays is of a step that is under way, or of an answer that is not there.
 */

/** As long as answers are kept at most; from the last step on. */
const DAYS = 30;
/** Before another try to write. */
const WRITE_AGAIN_MS = [200, 2_000];

export const BEGUN = 'begun:';

/** Steps that a history has notes of. */
export function begunIn(fields: Fields = new Map()): string[] {
  return [...fields.keys()].flatMap((name) => (name.startsWith(BEGUN) ? [name.slice(BEGUN.length)] : []));
}

/** A step that came to nothing: its client was not answered. */
export async function dropBegun(place: HistoryPlace, id: string): Promise<void> {
  await again(() => forgetBegun(place, [id]));
}

/** Notes of steps that nobody will ever end. */
export async function forgetBegun({ store, names }: HistoryPlace, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await store.redis.hdel(keyOf(names[0]), ...ids.map((id) => BEGUN + id));
}

/** A write, and again where it fails. */
export async function again<T>(write: () => Promise<T>): Promise<T> {
  for (const pause of WRITE_AGAIN_MS) {
    try {
      return await write();
    } catch {
      await sleep(pause);
    }
  }
  return write();
}

/** Seconds that a history lasts. @param days of the customer's own retention */
export function secondsOf(days = DAYS): number {
  return Math.min(DAYS, days) * 86_400;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
