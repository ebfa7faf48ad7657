/**
 * Tells when something has not happened in time, again and again in one stream. It has one timer, which looks at the
 * clock when it fires: to set and clear one for each chunk costs as much as to read the chunk.
 */
export class Deadline {
  readonly #expire: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Milliseconds since the epoch. */
  #firesAt = 0;
  #due = Number.POSITIVE_INFINITY;

  constructor(expire: () => void) {
    this.#expire = expire;
  }

  /** From now on it is `ms` from now. */
  set(ms: number): void {
    this.#due = Date.now() + ms;
    if (this.#timer === undefined || this.#firesAt > this.#due) this.#arm(ms);
  }

  /** There is none until the next {@link set}. */
  suspend(): void {
    this.#due = Number.POSITIVE_INFINITY;
  }

  clear(): void {
    this.suspend();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = Date.now() + ms;
    this.#timer = setTimeout(() => this.#look(), ms);
  }

  #look(): void {
    this.#timer = undefined;
    const left = this.#due - Date.now();
    if (left === Number.POSITIVE_INFINITY) return;
    if (left > 0) this.#arm(left);
    else {
      this.suspend();
      this.#expire();
    }
  }
}
