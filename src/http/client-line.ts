import { Deadline } from '../pipeline/deadline.ts';
import type { Timeouts } from '../pipeline/settings.ts';

/**
 * A Worker lives 30 s after its client has left, and may see that only in a write (T31): what would take longer than
 * both of these together could cost the row.
 */
const LONGEST_SILENCE_MS = 10_000;
export const LONGEST_WRITE_MS = 15_000;

/**
 * What comes within so many ms of the last write is written together: a write costs more than all else that is done
 * for a chunk, and nobody sees words come ten milliseconds later. The first one never waits.
 */
const GATHER_MS = 10;
const MOST_GATHERED = 16_384;

interface Ends {
  /** What a silent stream is kept alive with. */
  keepAlive: string;
  timeouts: Timeouts;
  /** The client left, or stopped reading. */
  left(): void;
}

/** The way to the client of a streamed answer: text that it reads at its own pace, kept alive while there is none. */
export class ClientLine {
  readonly #sink: WritableStreamDefaultWriter<Uint8Array>;
  readonly #ends: Ends;
  readonly #encoder = new TextEncoder();
  readonly #deadline = new Deadline(() => this.#expire());
  #silence: number;
  #gathered = '';
  readonly #gathering = new Deadline(() => void this.#flush());
  #writtenAt = Number.NEGATIVE_INFINITY;
  /** Writes the client has not taken yet. */
  #pending = 0;
  #isOpen = true;

  constructor(writable: WritableStream<Uint8Array>, ends: Ends) {
    this.#sink = writable.getWriter();
    this.#ends = ends;
    this.#silence = ends.timeouts.keepAlive;
    this.#deadline.set(this.#silence);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The answer has begun: silence is now the client's only sign that it may have left. */
  begin(): void {
    this.#silence = Math.min(this.#silence, LONGEST_SILENCE_MS);
    if (this.#pending === 0) this.#deadline.set(this.#silence);
  }

  /** Takes whole SSE frames. A promise only where there is something to wait for: the client may be slower than they come. */
  write(text: string): Promise<void> | undefined {
    this.#gathered += text;
    const rest = GATHER_MS - (Date.now() - this.#writtenAt);
    if (rest <= 0 || this.#gathered.length > MOST_GATHERED) return this.#flush();
    this.#gathering.set(rest);
    return undefined;
  }

  /** The last text, and the end. */
  async end(text: string): Promise<void> {
    this.#gathered += text;
    await this.#flush();
    this.#stop();
    if (this.#isOpen) await this.#sink.close().catch(() => {});
    this.#isOpen = false;
  }

  /** Nobody reads any more. */
  leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stop();
    this.#sink.abort().catch(() => {});
    this.#ends.left();
  }

  async #flush(): Promise<void> {
    this.#gathering.suspend();
    const text = this.#gathered;
    this.#gathered = '';
    if (text === '' || !this.#isOpen) return;
    this.#pending += 1;
    this.#deadline.set(Math.min(this.#ends.timeouts.idle, LONGEST_WRITE_MS));
    try {
      await this.#sink.write(this.#encoder.encode(text));
    } catch {
      this.leave();
    }
    this.#pending -= 1;
    this.#writtenAt = Date.now();
    if (this.#isOpen && this.#pending === 0) this.#deadline.set(this.#silence);
  }

  #stop(): void {
    this.#deadline.clear();
    this.#gathering.clear();
  }

  #expire(): void {
    if (this.#pending > 0) this.leave();
    else {
      this.#gathered += this.#ends.keepAlive;
      void this.#flush();
    }
  }
}
