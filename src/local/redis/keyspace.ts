import { type Bytes, RedisError } from './backend.ts';

export interface Values {
  string: { type: 'string'; bytes: Bytes };
  list: { type: 'list'; items: Bytes[] };
  hash: { type: 'hash'; fields: Map<Bytes, Bytes> };
  set: { type: 'set'; members: Set<Bytes> };
  zset: { type: 'zset'; scores: Map<Bytes, number> };
}
export type ValueType = keyof Values;
export type Value = Values[ValueType];

/** One key. `expiresAt` is in Unix milliseconds, null for a key that stays. */
export interface Entry {
  value: Value;
  expiresAt: number | null;
}

const EMPTY: { [T in ValueType]: () => Values[T] } = {
  string: () => ({ type: 'string', bytes: '' }),
  list: () => ({ type: 'list', items: [] }),
  hash: () => ({ type: 'hash', fields: new Map() }),
  set: () => ({ type: 'set', members: new Set() }),
  zset: () => ({ type: 'zset', scores: new Map() }),
};

/** All keys. An expired one is never seen, and goes when it is next looked at. */
export class Keyspace {
  readonly #entries = new Map<Bytes, Entry>();
  readonly #now: () => number;
  /** Counts changes, so that a snapshot knows whether there is anything to write. */
  changes = 0;

  constructor(now: () => number, entries: Iterable<[Bytes, Entry]> = []) {
    this.#now = now;
    for (const [key, entry] of entries) this.#entries.set(key, entry);
  }

  now(): number {
    return this.#now();
  }

  entry(key: Bytes): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.expiresAt !== null && entry.expiresAt <= this.#now()) {
      this.remove(key);
      return undefined;
    }
    return entry;
  }

  /** The value of a key. @throws RedisError WRONGTYPE if it is of another type. */
  read<T extends ValueType>(key: Bytes, type: T): Values[T] | undefined {
    const value = this.entry(key)?.value;
    if (value === undefined) return undefined;
    if (value.type !== type)
      throw new RedisError('WRONGTYPE Operation against a key holding the wrong kind of value');
    // `type` has just been compared: TypeScript doesn't narrow a type parameter by it.
    return value as Values[T];
  }

  /** The value to change in place, made if the key is new. {@link touch} comes after. */
  open<T extends ValueType>(key: Bytes, type: T): Values[T] {
    const found = this.read(key, type);
    if (found !== undefined) return found;
    const value = EMPTY[type]();
    this.#entries.set(key, { value, expiresAt: null });
    return value;
  }

  /** Notes that a key changed; a collection that is empty now is gone. */
  touch(key: Bytes): void {
    this.changes++;
    const value = this.#entries.get(key)?.value;
    if (value !== undefined && sizeOf(value) === 0) this.#entries.delete(key);
  }

  put(key: Bytes, entry: Entry): void {
    this.#entries.set(key, entry);
    this.changes++;
  }

  remove(key: Bytes): boolean {
    const existed = this.#entries.delete(key);
    if (existed) this.changes++;
    return existed;
  }

  clear(): void {
    this.#entries.clear();
    this.changes++;
  }

  /** Every key that has not expired. */
  *live(): Generator<[Bytes, Entry]> {
    const now = this.#now();
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAt === null || entry.expiresAt > now) yield [key, entry];
    }
  }
}

function sizeOf(value: Value): number {
  switch (value.type) {
    case 'string':
      return 1; // An empty string is still there.
    case 'list':
      return value.items.length;
    case 'hash':
      return value.fields.size;
    case 'set':
      return value.members.size;
    case 'zset':
      return value.scores.size;
  }
}
