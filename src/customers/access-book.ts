import { hash as hashOnce, timingSafeEqual } from 'node:crypto';
import type { KnownKey } from '../env-keys.ts';
import type { StepSettings } from '../pipeline/settings.ts';
import { type AccessFacts, type AccessQuestion, AccessUnavailable } from './access.ts';
import { MADE_KEY } from './api-keys.ts';
import { remember } from './bounded.ts';
import { keysUnavailable, revokedKey, unknownKey } from './key-errors.ts';

/** What a request may do, and by which settings and limits. */
export interface Access {
  key: KnownKey;
  step: StepSettings;
  limits: AccessFacts['limits'];
}

/** Work that goes on after the answer. */
export type Background = (work: Promise<unknown>) => void;

export interface AccessPorts {
  /** @throws AccessUnavailable */
  read(question: AccessQuestion, background: Background): Promise<AccessFacts>;
  /** @throws AccessUnavailable */
  refresh(question: AccessQuestion): Promise<AccessFacts>;
  /** A customer's settings, laid over the deployment's. */
  compile(customer: string, facts: AccessFacts): Promise<StepSettings>;
  /** No store answered, and this many requests were let in since by what was known before. */
  held(requests: number): void;
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** What was read is good for this long; then it is read anew beside the answers, which don't wait for it. */
const FRESH_MS = 30_000;
/** And no request is answered by what is older, unless no store answers: so long does a revoked key work at most. */
const LONGEST_MS = 60_000;
/** Between two tries of a store that did not answer. */
const RETRY_MS = 5_000;
const UNKNOWN_MS = 60_000;
/** An entry is some 200 bytes beside settings that customers share. */
const MOST_KEYS = 5_000;
const MOST_UNKNOWN = 10_000;
/** Of some 200 bytes too. */
const MOST_DIGESTS = 1_000;
/** Keys this isolate asks the stores for at the same time that it has never seen. */
const MOST_ASKING = 32;
/** A little more than the stores' own limit: whoever asked longer is gone. */
const ASKING_MS = 2_500;
const POLL_MS = 10;

/** What a key is known by: its SHA-256, and the first 12 hex digits of that. */
interface Digest {
  hash: Buffer;
  id: string;
}

interface Entry {
  hash: Uint8Array;
  question: AccessQuestion;
  /** Null: revoked, which is for good, so that nobody asks again. */
  access: Access | null;
  readAt: number;
  triedAt: number;
  failedAt: number;
}

/**
 * The keys an isolate knows. A warm request waits for nothing: it costs two looks into maps. Keys are known by the
 * first 12 hex digits of their hash, and the whole hash is then compared in constant time: what timing could tell of
 * a prefix of a hash helps nobody to find a key. Nor does what it could tell of the look for a hash made before: a map
 * finds text by a number with the isolate's own random seed in it.
 */
export class AccessBook {
  readonly #configured: ReadonlyMap<string, KnownKey>;
  readonly #ports: AccessPorts;
  readonly #deployment: StepSettings;
  readonly #entries = new Map<string, Entry>();
  /** Hashes of keys that no store knows, and until when that is believed. */
  readonly #unknown = new Map<string, number>();
  /** Hashes that a request of this isolate asks the stores for, and since when. */
  readonly #asking = new Map<string, number>();
  /** Of keys that were let in, by the key: workerd's SHA-256 takes longer than to read a small request. */
  readonly #digests = new Map<string, Digest>();
  #held = 0;

  constructor(configured: readonly KnownKey[], deployment: StepSettings, ports: AccessPorts) {
    this.#configured = new Map(configured.map((key) => [key.id, key]));
    this.#deployment = deployment;
    this.#ports = ports;
  }

  /**
   * What a key may do; a promise only where the stores have to be asked.
   * @throws FluxError 401; 503 where no store answers and the key was never seen here
   */
  find(secret: string, background: Background): Access | Promise<Access> {
    const known = this.#digests.get(secret);
    const digest = known ?? digestOf(secret);
    const found = this.#findBy(digest, secret, background);
    if (!known && !(found instanceof Promise)) remember(this.#digests, secret, digest, MOST_DIGESTS);
    return found;
  }

  #findBy({ hash, id }: Digest, secret: string, background: Background): Access | Promise<Access> {
    const configured = equal(this.#configured.get(id), hash);
    if (configured?.customer === null) return this.#openAccess(configured);
    const entry = equal(this.#entries.get(id), hash);
    const now = this.#ports.now();
    if (entry) {
      if (isCurrent(entry, now)) return admit(entry);
      if (now - entry.readAt < LONGEST_MS || now - entry.failedAt < LONGEST_MS) {
        if (now - entry.triedAt >= RETRY_MS) background(this.#refresh(entry));
        if (now - entry.readAt >= LONGEST_MS) this.#held++;
        return admit(entry);
      }
    }
    const question = { hash: hash.toString('hex'), id, customer: configured?.customer ?? null };
    if (!entry && !configured && (!MADE_KEY.test(secret) || this.#isUnknown(question.hash)))
      throw unknownKey();
    return this.#ask(hash, question, background);
  }

  /** After a change: what this isolate knows of a customer is read anew. */
  forget(customer: string): void {
    for (const [id, { access, question }] of this.#entries) {
      if (access && (access.key.customer ?? question.customer) === customer) this.#entries.delete(id);
    }
  }

  async #ask(hash: Uint8Array, question: AccessQuestion, background: Background): Promise<Access> {
    // Another request may be asking the same. A promise of its own is no good to us: workerd ends what waits for a
    // request that ended (cloudflare/cloudflare-docs#29797). So we look again until it has put its answer here.
    while (this.#ports.now() - (this.#asking.get(question.hash) ?? -ASKING_MS) < ASKING_MS) {
      await this.#ports.sleep(POLL_MS);
      const entry = equal(this.#entries.get(question.id), hash);
      const now = this.#ports.now();
      if (entry && (isCurrent(entry, now) || now - entry.failedAt < LONGEST_MS)) return admit(entry);
      if (this.#isUnknown(question.hash)) throw unknownKey();
    }
    if (question.customer === null && !this.#mayAsk()) throw keysUnavailable(1);
    this.#asking.set(question.hash, this.#ports.now());
    try {
      const entry = await this.#enter(hash, question, await this.#ports.read(question, background));
      return admit(entry);
    } catch (error) {
      if (!(error instanceof AccessUnavailable)) throw error;
      return admit(this.#hold(hash, question));
    } finally {
      this.#asking.delete(question.hash);
    }
  }

  /** In the background: the entry there is serves meanwhile. */
  async #refresh(entry: Entry): Promise<void> {
    entry.triedAt = this.#ports.now();
    try {
      await this.#enter(entry.hash, entry.question, await this.#ports.refresh(entry.question));
    } catch (error) {
      // A key that is gone from the database is known as unknown now.
      if (error instanceof AccessUnavailable) this.#hold(entry.hash, entry.question);
    }
  }

  /** @throws FluxError 401 where nobody knows the key */
  async #enter(hash: Uint8Array, question: AccessQuestion, facts: AccessFacts): Promise<Entry> {
    const configured = equal(this.#configured.get(question.id), hash);
    const { customer, key: row } = facts;
    if (customer === null || (!configured && !row)) {
      this.#entries.delete(question.id);
      remember(this.#unknown, question.hash, this.#ports.now() + UNKNOWN_MS, MOST_UNKNOWN);
      throw unknownKey();
    }
    const key = configured ?? { hash, id: question.id, customer, scopes: new Set(row?.scopes) };
    const revoked = row?.revoked === true;
    const entry: Entry = {
      hash,
      question,
      access: revoked
        ? null
        : { key, step: await this.#ports.compile(customer, facts), limits: facts.limits },
      readAt: facts.read_at,
      triedAt: this.#ports.now(),
      failedAt: Number.NEGATIVE_INFINITY,
    };
    const before = equal(this.#entries.get(question.id), hash);
    // A slow answer must not undo a newer one.
    if (before && (before.access === null || before.readAt > entry.readAt)) return before;
    remember(this.#entries, question.id, entry, MOST_KEYS);
    return entry;
  }

  /** No store answers: what is known of a key holds, and a configured one is known (contract.md: fails open). */
  #hold(hash: Uint8Array, question: AccessQuestion): Entry {
    const now = this.#ports.now();
    const configured = equal(this.#configured.get(question.id), hash);
    const entry =
      equal(this.#entries.get(question.id), hash) ?? (configured && this.#assumed(configured, question));
    if (!entry) throw keysUnavailable(RETRY_MS / 1000);
    entry.failedAt = now;
    entry.triedAt = now;
    remember(this.#entries, question.id, entry, MOST_KEYS);
    this.#ports.held(this.#held);
    this.#held = 0;
    return entry;
  }

  #assumed(key: KnownKey, question: AccessQuestion): Entry {
    const at = Number.NEGATIVE_INFINITY;
    return { hash: key.hash, question, access: this.#openAccess(key), readAt: at, triedAt: at, failedAt: at };
  }

  #openAccess(key: KnownKey): Access {
    return { key, step: this.#deployment, limits: { customer: null, key: null, tags: {} } };
  }

  #isUnknown(hash: string): boolean {
    return (this.#unknown.get(hash) ?? 0) > this.#ports.now();
  }

  /** Keys never seen here may ask a few at a time: a flood of wrong ones must not reach the stores all at once. */
  #mayAsk(): boolean {
    if (this.#asking.size < MOST_ASKING) return true;
    const now = this.#ports.now();
    for (const [hash, since] of this.#asking) if (now - since >= ASKING_MS) this.#asking.delete(hash);
    return this.#asking.size < MOST_ASKING;
  }
}

function digestOf(secret: string): Digest {
  const hash = hashOnce('sha256', secret, 'buffer');
  return { hash, id: hash.toString('hex', 0, 6) };
}

function equal<T extends { hash: Uint8Array }>(known: T | undefined, hash: Uint8Array): T | undefined {
  return known && timingSafeEqual(known.hash, hash) ? known : undefined;
}

function isCurrent({ access, readAt }: Entry, now: number): boolean {
  return access === null || now - readAt < FRESH_MS;
}

/** @throws FluxError 401 */
function admit({ access }: Entry): Access {
  if (access) return access;
  throw revokedKey();
}
