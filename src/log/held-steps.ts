import type { BegunRecord, StepRecord } from '../pipeline/record.ts';

/**
 * The isolate's own outbox: a step is in it from the moment it is logged until a store has taken it (T47), so that
 * work which dies unfinished leaves it to the next. Bounded, for an isolate's 128 MB are shared: a record is
 * about 2 KB.
 */
export class HeldSteps {
  readonly #held = new Map<string, { record: StepRecord; due: number }>();
  readonly #limit: number;
  /** Steps under way of which no store knows yet, and until when somebody is about to tell one (ms since the epoch). */
  readonly #begun = new Map<string, () => BegunRecord>();
  #begunUntil = 0;

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
   * Notes that a step has begun, which {@link takeBegun} gives unless it is held by then as ended. True for who is to
   * take it and all that begin with it: until `until`, for a request that died takes nothing.
   */
  begin(requestId: string, begun: () => BegunRecord, now: number, until: number): boolean {
    this.#begun.set(requestId, begun);
    if (now < this.#begunUntil) return false;
    this.#begunUntil = until;
    return true;
  }

  /** The steps that have begun and not ended. The next to begin is first again. */
  takeBegun(): (() => BegunRecord)[] {
    const taken = [...this.#begun.values()];
    this.#begun.clear();
    this.#begunUntil = 0;
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
