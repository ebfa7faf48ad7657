import * as z from 'zod';
import { invalidRequest } from '../core/errors.ts';

const MOST = 200;
const USUAL = 50;
/** Clocks of isolates differ. */
const SKEW_MS = 60_000;

/** Where a page of a list ended. Times in milliseconds since the epoch. */
export interface Cursor {
  /** The list is read as it stood then: later pages speak of the same period as the first one. */
  to: number;
  /** The next page begins after the item `id` at this time. */
  at: number;
  id: string;
}

const time = z.number().int().nonnegative();
const written = z.tuple([time, time, z.string().regex(/^[\w-]{1,64}$/)]);

/** Opaque to the client, who gets it as `next_cursor` and sends it back as `?cursor=`. It opens no other's data. */
export function writeCursor({ to, at, id }: Cursor): string {
  return Buffer.from(JSON.stringify([to, at, id])).toString('base64url');
}

/** @throws FluxError 400 for anything that was not given out as a cursor */
export function readCursor(text: string | undefined, now: number): Cursor | null {
  if (text === undefined) return null;
  const found = written.safeParse(parse(Buffer.from(text, 'base64url').toString()));
  if (found.success) {
    const [to, at, id] = found.data;
    const cursor = { to, at, id };
    if (at < to && to <= now + SKEW_MS && writeCursor(cursor) === text) return cursor;
  }
  throw invalidRequest(
    'cursor must be a next_cursor of this list: leave it out to begin with the first page.',
    'cursor',
  );
}

/** `?limit=`: items a page. @throws FluxError 400 */
export function readLimit(text: string | undefined): number {
  if (text === undefined) return USUAL;
  const limit = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MOST) throw invalidRequest(`limit must be 1–${MOST}.`, 'limit');
  return limit;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
