import type { BegunRecord, StepRecord } from '../pipeline/record.ts';

/**
 * The isolate's own outbox: a step is in it from the moment it is logged until a store has taken it (T47), so that
 * work which dies unfinished leaves it to the next. Bounded, for an isolate's 128 MB are shared: a record is
 * about 2 KB.
 */
export class HeldSteps {
  readonly #held = new Map<string, { record: StepRecord; due: number }>();
  readonly #limit: number;
  /** Steps under way of which no store knows yet, in the order they began. */
  readonly #begun = new Map<string, { begun: () => BegunRecord; at: number }>();
  /** Who begins by then (ms since the epoch) is kept by another request. */
  #joinsUntil = 0;

  constructor(limit = 2_000) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Holds a step for whoever delivers it until `due` (ms since the epoch). False where there is no room. */
  hold(record: StepRecord, due: number): boolean {
    if (this.#held.size >= this.#limit && !this.#held.has(record.request_id)) return false;
    this.#held.set(record.request_id, { record, due });
    this.#begun.delete(record.request_id);
    return true;
  }

  /**
   * Notes that a step has begun, until it is held as ended or {@link takeBegun} gives it. True for who is to take it,
   * and all that begin within `ms` after it.
   */
  begin(requestId: string, begun: () => BegunRecord, at: number, ms: number): boolean {
    this.#begun.set(requestId, { begun, at });
    if (at < this.#joinsUntil) return false;
    this.#joinsUntil = at + ms;
    return true;
  }

  /** The steps that began before `end` (ms since the epoch) and have not ended, also those of a request that died. */
  takeBegun(end: number): (() => BegunRecord)[] {
    const taken: (() => BegunRecord)[] = [];
    for (const [requestId, { begun, at }] of this.#begun) {
      if (at >= end) break;
      this.#begun.delete(requestId);
      taken.push(begun);
    }
    return taken;
  }

  /** A store has it. */
  release(records: StepRecord[]): void {
    for (const record of records) this.#held.delete(record.request_id);
  }

  /** Up to `max` steps that nobody is delivering at `now`; the caller has them until `due`. */
  take(now: number, due: number, max: number): StepRecord[] {
    const taken: StepRecord[] = [];
    for (const entry of this.#held.values()) {
      if (taken.length === max) break;
      if (entry.due > now) continue;
      entry.due = due;
      taken.push(entry.record);
    }
    return taken;
  }
}
