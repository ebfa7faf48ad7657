import * as z from 'zod';
import type { HistoryEntry } from '../core/dialects/history.ts';
import { FluxError } from '../core/errors.ts';
import { within } from '../stores/time-limit.ts';
import { CHUNK, type ContentStore, openText, sealText } from './kept-content.ts';

/** As long as answers are kept at most; from the last step on. */
const DAYS = 30;
/** A store that takes longer than this to read counts as one that failed (T46). */
const READ_LIMIT_MS = 2_000;
/** Before another look, while what another step was answered may still be on its way here. */
const LOOK_AGAIN_MS = [100, 300, 600];
/** Before another try to write. */
const WRITE_AGAIN_MS = [200, 2_000];

/*
 * A history is one hash in Redis, which expires as a whole: entries `e0`, `e1`, … that are only ever added, the first
 * to write a number having it (HSETNX); long ones go on in `t…`; `begun:<request>` of each step that is under way, and
 * `failed`, the newest entry when a step last came to nothing.
 */

/** Where a history is kept. */
export interface HistoryPlace {
  store: ContentStore;
  customer: string;
  /** What stores know the session by: HMACs under the secret of today, then under those before it. */
  names: readonly [string, ...string[]];
  /** Days of the customer's own retention. */
  days?: number | undefined;
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

const texts = z.object({ text: z.string(), count: z.number() });
const entrySchema = z.object({
  id: z.string(),
  wire: z.enum(['openai-chat', 'openai-responses', 'anthropic-messages']),
  after: z.number().nullable(),
  before: texts.optional(),
  head: z.object({ lead: z.string().optional(), settings: z.record(z.string(), z.string()) }),
  sent: texts,
  answer: texts,
}) satisfies z.ZodType<HistoryEntry>;

type Fields = ReadonlyMap<string, string>;

/**
 * Reads a session's history, and notes in the same breath that a step of it has begun: one wait. Where another step
 * has begun it is looked at again: its client may be quicker than the write of what it was answered.
 * @param requestId the step that begins; null: none does
 * @throws FluxError 503 where the store does not answer, or an entry does not open: the conversation can't be guessed
 */
export async function readHistory(place: HistoryPlace, requestId: string | null): Promise<KeptHistory> {
  let found = await look(place, requestId);
  for (const pause of LOOK_AGAIN_MS) {
    if (!begunIn(found[0]).some((id) => id !== requestId)) break;
    await sleep(pause);
    found = await look(place, requestId);
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
export async function beginHistory(place: HistoryPlace, requestId: string | null): Promise<KeptHistory> {
  return beginningOf(await look(place, requestId));
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

async function look(place: HistoryPlace, requestId: string | null): Promise<Fields[]> {
  return within(READ_LIMIT_MS, fetchAll(place, requestId)).catch(() => {
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

/** As Redis has it: name, value, name, value. */
const flat = z.array(z.string()).nullable();

function toFields(answer: unknown): Fields {
  const list = flat.parse(answer) ?? [];
  const fields = new Map<string, string>();
  for (let index = 0; index < list.length; index += 2) fields.set(list[index] ?? '', list[index + 1] ?? '');
  return fields;
}

/** The entries from the newest back to the first. */
async function openChain(
  place: HistoryPlace,
  name: string,
  fields: Fields,
): Promise<Pick<KeptHistory, 'entries' | 'numbers'>> {
  const entries: HistoryEntry[] = [];
  const numbers: number[] = [];
  const newest = newestOf(fields);
  for (let at = newest === -1 ? null : newest; at !== null; ) {
    const entry = await openEntry(place, name, at, fields);
    if (!entry || (entry.after !== null && entry.after >= at)) throw incompleteHistory();
    entries.unshift(entry);
    numbers.unshift(at);
    at = entry.after;
  }
  return { entries, numbers };
}

async function openEntry(
  { store, customer }: HistoryPlace,
  name: string,
  at: number,
  fields: Fields,
): Promise<HistoryEntry | null> {
  const [id = '', count = '', head = ''] = (fields.get(`e${at}`) ?? '').split(' ');
  const tails = Array.from({ length: Number(count) - 1 }, (_, index) => fields.get(tailName(at, id, index)));
  const text = await openText([head, ...tails].join(''), store.secrets, sealFor(customer, name, at));
  const parsed = text === null ? null : entrySchema.safeParse(JSON.parse(text));
  return parsed?.data ?? null;
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
  const { store, customer, names, days } = place;
  const [name] = names;
  const key = keyOf(name);
  const { after } = entry;
  const lasting = history.numbers.filter((at) => after !== null && at <= after);
  const stale = history.fields.filter((field) => !lasting.includes(numberOf(field)));
  // What begins anew has no holes.
  if (after === null) stale.push(...history.begun.map((id) => BEGUN + id));
  for (let at = history.next; ; at += 1) {
    const sealed = await sealText(JSON.stringify(entry), store.secrets, sealFor(customer, name, at));
    const count = Math.max(1, Math.ceil(sealed.length / CHUNK));
    for (let index = 0; index < count - 1; index += 1) {
      const tail = sealed.slice((index + 1) * CHUNK, (index + 2) * CHUNK);
      await store.redis.hset(key, { [tailName(at, entry.id, index)]: tail });
    }
    const pipeline = store.redis.pipeline();
    pipeline.hsetnx(key, `e${at}`, `${entry.id} ${count} ${sealed.slice(0, CHUNK)}`);
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

function newestOf(fields: Fields): number {
  return Math.max(-1, ...[...fields.keys()].flatMap((name) => (/^e\d/.test(name) ? [numberOf(name)] : [])));
}

/** Of the name of an entry or of a part of one. */
function numberOf(name: string): number {
  return Number.parseInt(name.slice(1), 10);
}

function tailName(at: number, id: string, index: number): string {
  return `t${at}:${id}:${index}`;
}

function sealFor(customer: string, name: string, at: number) {
  return { purpose: 'kept content', owner: ['history', customer, name, String(at)] };
}

/** An HMAC under the customer's secret: neither session nor customer can be told from it. */
function keyOf(name: string): string {
  return `flux:history:${name}`;
}

function secondsOf(days = DAYS): number {
  return Math.min(DAYS, days) * 86_400;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
