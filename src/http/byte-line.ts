import { Deadline } from '../pipeline/deadline.ts';
import { LONGEST_WRITE_MS } from './client-line.ts';

/** The way to the client of an answer in bytes: at the client's pace, and nothing is added to it. */
export class ByteLine {
  readonly #sink: WritableStreamDefaultWriter<Uint8Array>;
  readonly #left: () => void;
  readonly #patience: number;
  readonly #deadline = new Deadline(() => this.leave());
  #isOpen = true;

  /**
   * @param idle milliseconds that the client may take for one write
   * @param left the client left, or stopped reading
   */
  constructor(writable: WritableStream<Uint8Array>, idle: number, left: () => void) {
    this.#sink = writable.getWriter();
    this.#left = left;
    this.#patience = Math.min(idle, LONGEST_WRITE_MS);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Waits until the client has taken it. */
  async write(bytes: Uint8Array): Promise<void> {
    if (!this.#isOpen || bytes.length === 0) return;
    this.#deadline.set(this.#patience);
    try {
      await this.#sink.write(bytes);
    } catch {
      this.leave();
    }
    this.#deadline.clear();
  }

  /** The last bytes, and the end. */
  async end(bytes: Uint8Array): Promise<void> {
    await this.write(bytes);
    if (this.#isOpen) await this.#sink.close().catch(() => {});
    this.#isOpen = false;
  }

  /** The answer breaks off: a broken connection is all that can tell the client. */
  cut(): void {
    this.#isOpen = false;
    this.#sink.abort(new Error('the answer broke off')).catch(() => {});
  }

  /** Nobody reads any more. */
  leave(): void {
    if (!this.#isOpen) return;
    this.#deadline.clear();
    this.cut();
    this.#left();
  }
}
