import * as z from 'zod';
import type { HistoryEntry } from '../core/dialects/history.ts';
import { CHUNK, type ContentStore, openText, sealText } from './kept-content.ts';

/*
 * A history is one hash in Redis, which expires as a whole: entries `e0`, `e1`, … that are only ever added, the first
 * to write a number having it (HSETNX); long ones go on in `t…`; `begun:<request>` of each step that is under way.
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

/** The hash as it was read. */
export type Fields = ReadonlyMap<string, string>;

/** As Redis has it: name, value, name, value. */
const flat = z.array(z.string()).nullable();

export function toFields(answer: unknown): Fields {
  const list = flat.parse(answer) ?? [];
  const fields = new Map<string, string>();
  for (let index = 0; index < list.length; index += 2) fields.set(list[index] ?? '', list[index + 1] ?? '');
  return fields;
}

/** Names without values. */
export function toNames(answer: unknown): Fields {
  return new Map((flat.parse(answer) ?? []).map((name) => [name, '']));
}

/** An entry as it is kept under its number: the field that has the number, and those in which a long one goes on. */
export async function sealEntry(
  { store, customer, names: [name] }: HistoryPlace,
  at: number,
  entry: HistoryEntry,
): Promise<{ head: string; tails: [string, string][] }> {
  const text = JSON.stringify(entry);
  const sealed = await sealText(text, store.secrets, sealFor(customer, name, at));
  const count = Math.max(1, Math.ceil(sealed.length / CHUNK));
  const chunk = (index: number) => sealed.slice(index * CHUNK, (index + 1) * CHUNK);
  return {
    head: `${entry.id} ${count} ${text.length} ${chunk(0)}`,
    tails: Array.from({ length: count - 1 }, (_, index) => [tailName(at, entry.id, index), chunk(index + 1)]),
  };
}

/** Null where it does not open under these secrets for this place and number. */
export async function openEntry(
  { store, customer }: HistoryPlace,
  name: string,
  at: number,
  fields: Fields,
): Promise<HistoryEntry | null> {
  const parts = (fields.get(`e${at}`) ?? '').split(' ');
  const [id = '', count = ''] = parts;
  const head = parts.at(-1) ?? '';
  const tails = Array.from({ length: Number(count) - 1 }, (_, index) => fields.get(tailName(at, id, index)));
  const text = await openText([head, ...tails].join(''), store.secrets, sealFor(customer, name, at));
  const parsed = text === null ? null : entrySchema.safeParse(JSON.parse(text));
  return parsed?.data ?? null;
}

/** Characters of all its entries once they are opened; of one that does not say so (it is older), those it has now. */
export function roomOf(found: readonly Fields[]): number {
  let room = 0;
  for (const fields of found) {
    for (const [name, value] of fields) {
      const [, , length] = /^e\d/.test(name) ? value.split(' ', 3) : [];
      room += Number(length) || (length === undefined ? 0 : value.length);
    }
  }
  return room;
}

function sealFor(customer: string, name: string, at: number) {
  return { purpose: 'kept content', owner: ['history', customer, name, String(at)] };
}

function tailName(at: number, id: string, index: number): string {
  return `t${at}:${id}:${index}`;
}

/** -1 where there is none. */
export function newestOf(fields: Fields): number {
  return Math.max(-1, ...entriesIn(fields));
}

/** The names of all that holds entries. */
export function entryFields(fields: Fields): string[] {
  return [...fields.keys()].filter((name) => /^[et]\d/.test(name));
}

/** Their numbers. */
export function entriesIn(fields: Fields): number[] {
  return [...fields.keys()].flatMap((name) => (/^e\d/.test(name) ? [numberOf(name)] : []));
}

/** Of the name of an entry or of a part of one. */
export function numberOf(name: string): number {
  return Number.parseInt(name.slice(1), 10);
}

/** An HMAC under the customer's secret: neither session nor customer can be told from it. */
export function keyOf(name: string): string {
  return `flux:history:${name}`;
}
