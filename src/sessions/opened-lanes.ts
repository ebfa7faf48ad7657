import type { Lane } from '../core/context/lanes.ts';

/** Of some 1.5 KB each. */
const MOST = 1_000;

/**
 * Lanes of one step that no object knows of, by the names their objects will have: no object is made for a request that
 * may be its conversation's only one (traps T62). Where the second step reaches the isolate that answered the first, it
 * finds what the first left warm; elsewhere it is planned as if every cache were cold.
 */
export class OpenedLanes {
  readonly #lanes = new Map<string, Lane>();

  /** The oldest goes where there are too many: an isolate's memory is shared. */
  keep(object: string, lane: Lane): void {
    this.#lanes.delete(object);
    this.#lanes.set(object, lane);
    const [oldest] = this.#lanes.keys();
    if (this.#lanes.size > MOST && oldest !== undefined) this.#lanes.delete(oldest);
  }

  find(object: string): Lane | null {
    return this.#lanes.get(object) ?? null;
  }

  /** Its object knows it now. */
  forget(object: string): void {
    this.#lanes.delete(object);
  }
}
