/** One prefix a provider keeps. Times in milliseconds of the virtual clock. */
interface CachedPrefix {
  expires: number;
  lifetime: number;
}

/** Entries kept before the expired ones are swept out. */
const SWEEP_AT = 20_000;

/** The prefixes a provider keeps, by a key that names account, model and everything up to a place. */
export class PromptCache {
  readonly #prefixes = new Map<string, CachedPrefix>();

  /** Whether a live entry stands under this key. */
  holds(key: string, now: number): boolean {
    const prefix = this.#prefixes.get(key);
    return prefix !== undefined && prefix.expires > now;
  }

  /** When the entry would expire. */
  expiry(key: string): number | undefined {
    return this.#prefixes.get(key)?.expires;
  }

  /** A read renews the entry, free of charge, from the start of the request that read it. */
  refresh(key: string, start: number): void {
    const prefix = this.#prefixes.get(key);
    if (prefix !== undefined && prefix.expires > start) {
      prefix.expires = Math.max(prefix.expires, start + prefix.lifetime);
    }
  }

  /** Keeps a prefix for `lifetime` from the start of the request that wrote it. A longer life already there stays. */
  write(key: string, start: number, lifetime: number): void {
    if (this.#prefixes.size >= SWEEP_AT) this.#sweep(start);
    const expires = start + lifetime;
    const old = this.#prefixes.get(key);
    if (old !== undefined && old.expires >= expires) return;
    this.#prefixes.set(key, { expires, lifetime });
  }

  clear(): void {
    this.#prefixes.clear();
  }

  #sweep(now: number): void {
    for (const [key, prefix] of this.#prefixes) if (prefix.expires <= now) this.#prefixes.delete(key);
    // Nothing had expired: the oldest half goes, as a provider's cache under pressure would lose it.
    if (this.#prefixes.size >= SWEEP_AT) {
      for (const key of [...this.#prefixes.keys()].slice(0, SWEEP_AT / 2)) this.#prefixes.delete(key);
    }
  }
}
