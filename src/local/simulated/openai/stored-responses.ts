import { digest } from '../digest.ts';
import { CacheComparisons } from './cache-diagnostics.ts';
import type { InputItem } from './responses-request.ts';

/** Kept at most; the oldest go first. The real ones keep them for 30 days. */
const MAX_STORED = 500;

/** Responses kept with `store: true`, the default: each with all that was said up to and in it. */
export class StoredResponses {
  readonly comparisons = new CacheComparisons();
  readonly #responses = new Map<string, InputItem[]>();
  readonly #items = new Map<string, InputItem>();
  /** The reasoning item that came right before an item. */
  readonly #reasons = new Map<string, string>();

  /** Keeps a response; `said` are its input items and its own. */
  save(organisation: string, id: string, said: InputItem[], own: InputItem[]): void {
    this.#responses.set(digest(organisation, id), [...said, ...own]);
    for (const [index, item] of own.entries()) {
      if (!('id' in item) || typeof item.id !== 'string') continue;
      this.#items.set(digest(organisation, item.id), item);
      const before = own[index - 1];
      if (before?.type === 'reasoning') this.#reasons.set(digest(organisation, item.id), before.id);
    }
    for (const key of this.#responses.keys()) {
      if (this.#responses.size <= MAX_STORED) break;
      this.#responses.delete(key);
    }
    for (const key of this.#items.keys()) {
      if (this.#items.size <= MAX_STORED * 4) break;
      this.#items.delete(key);
      this.#reasons.delete(key);
    }
  }

  /** Id of the reasoning an item of a kept response came out of. */
  reasonOf(organisation: string, id: string): string | undefined {
    return this.#reasons.get(digest(organisation, id));
  }

  /** All that was said up to and in a response of this organisation. */
  conversation(organisation: string, id: string): InputItem[] | undefined {
    return this.#responses.get(digest(organisation, id));
  }

  /** One item of a kept response. */
  item(organisation: string, id: string): InputItem | undefined {
    return this.#items.get(digest(organisation, id));
  }

  /** A deleted response is no longer gone on from; its items go with it in their time. */
  forget(organisation: string, id: string): void {
    this.#responses.delete(digest(organisation, id));
  }

  clear(): void {
    this.comparisons.clear();
    this.#responses.clear();
    this.#items.clear();
    this.#reasons.clear();
  }
}
