import type { HistoryEntry } from '../core/dialects/history.ts';
import { FluxError } from '../core/errors.ts';
import { within } from '../stores/time-limit.ts';
import {
  entriesIn,
  type Fields,
  type HistoryPlace,
  keyOf,
  newestOf,
  numberOf,
  openEntry,
  sealEntry,
  toFields,
} from './kept-entry.ts';

/** As long as answers are kept at most; from the last step on. */
const DAYS = 30;
/** A store that takes longer than this to read counts as one that failed (T46). */
const READ_LIMIT_MS = 2_000;
/** Before another look, while what another step was answered may still be on its way here. */
const LOOK_AGAIN_MS = [100, 300, 600];
/** Before another try to write. */
const WRITE_AGAIN_MS = [200, 2_000];

/** A step that notes in the history that it has begun. */
export interface BeginningStep {
  id: string;
  /** Is given what goes on after the answer. */
  background(work: Promise<unknown>): void;
}

export interface KeptHistory {
  /** Oldest first. */
  entries: HistoryEntry[];
  /** Their numbers. */
  numbers: number[];
  /** Number of the next. */
  next: number;
  /** Steps that were begun by others, and have neither been kept nor come to nothing. */
  begun: string[];
  /** A step has come to nothing since the newest entry. */
  hasFailed: boolean;
  /** The name it was found under, where that is one of a secret before today's. */
  formerName?: string | undefined;
  /** The fields that hold entries. */
  fields: string[];
}

/**
 * Reads a session's history, and notes in the same breath that a step of it has begun: one wait. Where another step
 * has begun it is looked at again: its client may be quicker than the write of what it was answered.
 * @param step the one that begins; null: none does
 * @throws FluxError 503 where the store does not answer, or an entry does not open: the conversation can't be guessed
 */
export async function readHistory(place: HistoryPlace, step: BeginningStep | null): Promise<KeptHistory> {
  let found = await look(place, step);
  for (const pause of LOOK_AGAIN_MS) {
    if (!begunIn(found[0]).some((id) => id !== step?.id)) break;
    await sleep(pause);
    found = await look(place, step);
  }
  // A secret that was changed changes the name; what is found under the old one moves with the next step.
  const at = Math.max(
    0,
    found.findIndex((fields) => newestOf(fields) >= 0),
  );
  const chain = await openChain(place, place.names[at] ?? place.names[0], found[at] ?? new Map());
  return { ...beginningOf(found), ...chain, ...(at > 0 ? { formerName: place.names[at] } : {}) };
}

/**
 * As {@link readHistory}, for a step that begins anew: of what there was nothing is opened, and with it all goes.
 * @throws FluxError 503 where the store does not answer
 */
export async function beginHistory(place: HistoryPlace, step: BeginningStep | null): Promise<KeptHistory> {
  return beginningOf(await look(place, step));
}

function beginningOf([own = new Map()]: readonly Fields[]): KeptHistory {
  const newest = newestOf(own);
  return {
    ...{ entries: [], numbers: [], next: newest + 1, begun: begunIn(own) },
    hasFailed: own.get('failed') === String(newest),
    fields: [...own.keys()].filter((name) => /^[et]\d/.test(name)),
  };
}

function begunIn(fields: Fields = new Map()): string[] {
  return [...fields.keys()].flatMap((name) => (name.startsWith(BEGUN) ? [name.slice(BEGUN.length)] : []));
}

async function look(place: HistoryPlace, step: BeginningStep | null): Promise<Fields[]> {
  const asked = fetchAll(place, step?.id ?? null);
  return within(READ_LIMIT_MS, asked).catch(() => {
    // A store that is slow may do it all the same: then the note of a step that was refused goes after it.
    step?.background(asked.catch(() => {}).then(() => dropBegun(place, null, step.id).catch(() => {})));
    throw new FluxError(
      "What was said before can't be read just now. Try again in a moment, or send the whole conversation, without X-FluxCompute-History.",
      { status: 503, code: 'history_unavailable', param: 'X-FluxCompute-History', retryAfter: 5 },
    );
  });
}

async function fetchAll({ store, names, days }: HistoryPlace, requestId: string | null): Promise<Fields[]> {
  const pipeline = store.redis.pipeline();
  for (const name of names) pipeline.hgetall(keyOf(name));
  if (requestId !== null) {
    pipeline.hset(keyOf(names[0]), { [BEGUN + requestId]: '1' });
    pipeline.expire(keyOf(names[0]), secondsOf(days));
  }
  const answers = await pipeline.exec();
  return names.map((_name, index) => toFields(answers[index]));
}

/** The entries from the newest back to the first. */
async function openChain(
  place: HistoryPlace,
  name: string,
  fields: Fields,
): Promise<Pick<KeptHistory, 'entries' | 'numbers'>> {
  const all = entriesIn(fields);
  const opened = new Map(
    await Promise.all(all.map(async (at) => [at, await openEntry(place, name, at, fields)] as const)),
  );
  const entries: HistoryEntry[] = [];
  const numbers: number[] = [];
  for (let at = all.length > 0 ? Math.max(...all) : null; at !== null; ) {
    const entry = opened.get(at);
    if (!entry || (entry.after !== null && entry.after >= at)) throw incompleteHistory();
    entries.unshift(entry);
    numbers.unshift(at);
    at = entry.after;
  }
  return { entries, numbers };
}

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

/** A step that came to nothing: its client was not answered. */
export async function dropBegun(place: HistoryPlace, history: KeptHistory | null, id: string): Promise<void> {
  const key = keyOf(place.names[0]);
  await again(async () => {
    const pipeline = place.store.redis.pipeline();
    pipeline.hdel(key, BEGUN + id);
    if (history && history.next > 0) {
      pipeline.hset(key, { failed: String(history.next - 1) });
      pipeline.expire(key, secondsOf(place.days));
    }
    await pipeline.exec();
  });
}

/** Notes of steps that nobody will ever end. */
export async function forgetBegun({ store, names }: HistoryPlace, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await store.redis.hdel(keyOf(names[0]), ...ids.map((id) => BEGUN + id));
}

/** What was answered in it is not all there. */
export function incompleteHistory(): FluxError {
  return new FluxError(
    "Of this session's history something is missing: an answer could not be kept, or is being kept still. Try again in a moment; if it stays so, send the whole conversation with X-FluxCompute-History: start.",
    { status: 503, code: 'history_incomplete', param: 'X-FluxCompute-History', retryAfter: 1 },
  );
}

async function again<T>(write: () => Promise<T>): Promise<T> {
  for (const pause of WRITE_AGAIN_MS) {
    try {
      return await write();
    } catch {
      await sleep(pause);
    }
  }
  return write();
}

const BEGUN = 'begun:';

function secondsOf(days = DAYS): number {
  return Math.min(DAYS, days) * 86_400;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
