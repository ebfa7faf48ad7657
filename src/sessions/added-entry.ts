import type { HistoryEntry } from '../core/dialects/history.ts';
import { again, BEGUN, secondsOf } from './begun-notes.ts';
import { type HistoryPlace, keyOf, numberOf, openEntry, sealEntry } from './kept-entry.ts';
import { fetchAll, type KeptHistory } from './kept-history.ts';

/**
 * Adds an entry, unless another step was kept first: what two of them say at once is never mixed. Where that other one
 * was asked the very same thing (its client had given up on it), the newer answer takes its place.
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
  const stale = history.fields.filter((field) => !lasting.includes(numberOf(field)));
  // What begins anew has no holes.
  if (after === null) stale.push(...history.begun.map((id) => BEGUN + id));
  for (let at = history.next; ; at += 1) {
    const { head, tails } = await sealEntry(place, at, entry);
    for (const [field, tail] of tails) await store.redis.hset(key, { [field]: tail });
    const pipeline = store.redis.pipeline();
    pipeline.hsetnx(key, `e${at}`, head);
    pipeline.hdel(key, BEGUN + entry.id);
    pipeline.expire(key, secondsOf(days));
    const [isFirst] = await pipeline.exec();
    if (isFirst === 1) {
      const removal = store.redis.pipeline();
      if (stale.length > 0) removal.hdel(key, ...stale);
      if (history.formerName !== undefined) removal.del(keyOf(history.formerName));
      if (removal.length() > 0) await removal.exec();
      return true;
    }
    const [fields] = await fetchAll(place, null);
    const other = await openEntry(place, name, at, fields ?? new Map());
    // Written, and the store's answer was lost.
    if (other?.id === entry.id) return true;
    const isSame = other?.after === after && other.sent.text === entry.sent.text;
    if (!isSame) return false;
  }
}
