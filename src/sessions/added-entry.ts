import type { HistoryEntry } from '../core/dialects/history.ts';
import { again, BEGUN, secondsOf } from './begun-notes.ts';
import { entryFields, type HistoryPlace, keyOf, numberOf, openEntry, sealEntry } from './kept-entry.ts';
import { fetchAll, type KeptHistory } from './kept-history.ts';

/**
 * Adds an entry, unless another step was kept first: what two of them say at once is never mixed. Where that other one
 * was asked the very same thing (its client had given up on it), the newer answer takes its place. What begins anew
 * takes the place of everything but what began anew after it.
 * @returns whether it is kept
 * @throws where Redis does not take it
 */
export function keepEntry(place: HistoryPlace, history: KeptHistory, entry: HistoryEntry): Promise<boolean> {
  return again(() => addEntry(place, history, entry));
}

async function addEntry(place: HistoryPlace, history: KeptHistory, entry: HistoryEntry): Promise<boolean> {
  const { store, names, days } = place;
  const [name] = names;
  const key = keyOf(name);
  const { after } = entry;
  const lasting = history.numbers.filter((at) => after !== null && at <= after);
  const stale = new Set(history.fields.filter((field) => !lasting.includes(numberOf(field))));
  // What begins anew has no holes.
  if (after === null) for (const { id } of history.begun) stale.add(BEGUN + id);
  for (let at = history.next; ; at += 1) {
    const { head, tails } = await sealEntry(place, at, entry);
    for (const [field, tail] of tails) await store.redis.hset(key, { [field]: tail });
    const pipeline = store.redis.pipeline();
    pipeline.hsetnx(key, `e${at}`, head);
    pipeline.hdel(key, BEGUN + entry.id);
    pipeline.expire(key, secondsOf(days));
    const [isFirst] = await pipeline.exec();
    if (isFirst !== 1) {
      const [fields = new Map()] = await fetchAll(place, null, 'hgetall');
      const other = await openEntry(place, name, at, fields);
      // Otherwise it is written, and the store's answer was lost.
      if (other?.id !== entry.id) {
        if (!givesWay(other, history, entry)) return false;
        if (history.isAnew) for (const field of entryFields(fields)) stale.add(field);
        continue;
      }
    }
    await remove(
      place,
      history,
      [...stale].filter((field) => numberOf(field) !== at),
    );
    return true;
  }
}

/** Whether an entry that was written first counts less than the one that is to be added. */
function givesWay(
  other: HistoryEntry | null,
  { isAnew, begun }: KeptHistory,
  { after, sent }: HistoryEntry,
): boolean {
  if (other?.after === after && other.sent.text === sent.text) return true;
  // One that begins it too may have begun after this one: unless this one saw it under way.
  return isAnew && (other === null || other.after !== null || begun.some(({ id }) => id === other.id));
}

async function remove({ store, names }: HistoryPlace, history: KeptHistory, fields: string[]): Promise<void> {
  const removal = store.redis.pipeline();
  if (fields.length > 0) removal.hdel(keyOf(names[0]), ...fields);
  if (history.formerNames.length > 0) removal.del(...history.formerNames.map(keyOf));
  if (removal.length() > 0) await removal.exec();
}
