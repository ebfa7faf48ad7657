import type { StepRecord } from '../pipeline/record.ts';

/**
 * The isolate's own outbox: a step is in it from the moment it is logged until a store has taken it (T47), so that
 * work which dies unfinished leaves it to the next. Bounded, for an isolate's 128 MB are shared: a record is
 * about 2 KB.
 */
export class HeldSteps {
  readonly #held = new Map<string, { record: StepRecord; due: number }>();
  readonly #limit: number;

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
    return true;
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
