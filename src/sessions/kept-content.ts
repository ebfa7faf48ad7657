import { createHash } from 'node:crypto';
// Of a lane's answers there are hundreds: a stream for each takes ten times as long.
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Redis } from '../stores/redis.ts';
import { openBytes, type Seal, sealBytes } from '../stores/sealing.ts';

/** Where a piece of content is kept: what it is, whose, and its name. */
export interface Place {
  kind: 'response' | 'item' | 'summary' | 'thoughts';
  customer: string;
  id: string;
}

/** Redis and what content is sealed under. */
export interface ContentStore {
  redis: Redis;
  /** FLUX_SECRET, which seals; then those before it, which still open. */
  secrets: readonly [string, ...string[]];
}

/** Characters of a value; Upstash takes requests of 1 MB on its smallest plan. */
export const CHUNK = 900_000;

/** A text and for how long it is kept. */
export interface Content {
  place: Place;
  text: string;
  seconds: number;
}

/**
 * Keeps texts: gzipped, sealed for their places, in chunks. The first chunk of each comes last, so that nobody reads
 * half of one.
 * @throws where Redis does not take them
 */
export async function keepContent(
  { redis, secrets }: ContentStore,
  contents: readonly Content[],
): Promise<void> {
  const heads: Entry[] = [];
  const tails: Entry[] = [];
  for (const { place, text, seconds } of contents) {
    const sealed = await sealText(text, secrets, sealFor(place));
    const count = Math.max(1, Math.ceil(sealed.length / CHUNK));
    const key = keyOf(place);
    heads.push([key, `${count}:${sealed.slice(0, CHUNK)}`, seconds]);
    for (let chunk = 1; chunk < count; chunk++) {
      tails.push([chunkKey(key, chunk), sealed.slice(chunk * CHUNK, (chunk + 1) * CHUNK), seconds]);
    }
  }
  for (const batch of batches([...tails, ...heads])) {
    const pipeline = redis.pipeline();
    for (const [key, value, seconds] of batch) pipeline.set(key, value, { ex: seconds });
    await pipeline.exec();
  }
}

/** A text that was read and takes no more memory than its sealed characters yet. */
export interface SealedText {
  characters: number;
  /** @returns null where it can't be opened under these secrets, or was kept for someone else */
  open(): Promise<string | null>;
}

/**
 * Reads texts in one go, or in two where one is larger than a chunk.
 * @returns null for each that is not there, can't be opened under these secrets, or was kept for someone else
 * @throws where Redis does not answer
 */
export async function readContent(store: ContentStore, places: readonly Place[]): Promise<(string | null)[]> {
  const found = await readSealed(store, places);
  return Promise.all(found.map((sealed) => sealed?.open() ?? null));
}

/**
 * The same for texts that together may be large: whoever opens them counts them first (T63).
 * @returns null for each that is not there
 * @throws where Redis does not answer
 */
export async function readSealed(
  { redis, secrets }: ContentStore,
  places: readonly Place[],
): Promise<(SealedText | null)[]> {
  const keys = places.map(keyOf);
  const [first, ...rest] = keys;
  if (first === undefined) return [];
  const heads = await redis.mget<(string | null)[]>(first, ...rest);
  return Promise.all(
    places.map(async (place, index) => {
      const [count = '', head] = split(heads[index] ?? '');
      const key = keys[index];
      if (head === undefined || key === undefined) return null;
      const more = Array.from({ length: Number(count) - 1 }, (_, chunk) => chunkKey(key, chunk + 1));
      const tails = await Promise.all(more.map((name) => redis.get<string>(name)));
      const sealed = [head, ...tails].join('');
      return { characters: sealed.length, open: () => openText(sealed, secrets, sealFor(place)) };
    }),
  );
}

/** Gzipped, and sealed under the secret of today. */
export async function sealText(text: string, [secret]: ContentStore['secrets'], seal: Seal): Promise<string> {
  return sealBytes(new Uint8Array(gzipSync(text)), secret, seal);
}

/** @returns null where none of the secrets opens it for this owner */
export async function openText(
  sealed: string,
  secrets: ContentStore['secrets'],
  seal: Seal,
): Promise<string | null> {
  const bytes = await openBytes(sealed, secrets, seal);
  return bytes && gunzipSync(bytes).toString();
}

/** A key, its value and its seconds. */
type Entry = [key: string, value: string, seconds: number];

/** Pipelines that each fit one request. */
function* batches(entries: readonly Entry[]): Generator<Entry[]> {
  let batch: Entry[] = [];
  let size = 0;
  for (const entry of entries) {
    if (batch.length > 0 && size + entry[1].length > CHUNK) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(entry);
    size += entry[1].length;
  }
  if (batch.length > 0) yield batch;
}

function split(value: string): string[] {
  const at = value.indexOf(':');
  return at === -1 ? [] : [value.slice(0, at), value.slice(at + 1)];
}

function sealFor({ kind, customer, id }: Place): Seal {
  return { purpose: 'kept content', owner: [kind, customer, id] };
}

/** The customer is in it, so nobody's name for a thing leads to another's; no secret, so it outlives a rotation. */
function keyOf({ kind, customer, id }: Place): string {
  const name = createHash('sha256')
    .update(JSON.stringify([customer, id]))
    .digest('base64url');
  return `flux:kept:${kind}:${name}`;
}

function chunkKey(key: string, chunk: number): string {
  return `${key}:${chunk}`;
}
