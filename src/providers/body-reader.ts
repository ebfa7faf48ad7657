import { Deadline } from '../pipeline/deadline.ts';

/** No bytes for the given time. */
export class IdleTimeout extends Error {
  constructor(ms: number) {
    super(`no bytes for ${ms} ms`);
    this.name = 'IdleTimeout';
  }
}

/** Most streams bring some hundred bytes at a time. */
const BUFFER_BYTES = 4_096;
const END_MS = 1_000;

/**
 * The bytes of a body, as they arrive. Nothing is read ahead of who asks, so a slow client slows the provider. Always
 * into the same buffer: a stream is hundreds of reads, and each costs as much as everything around it lets it.
 */
export class BodyReader {
  readonly #reader: ReadableStreamBYOBReader;
  readonly #patience: () => number;
  readonly #signal: AbortSignal;
  readonly #silence: Deadline;
  #buffer: Uint8Array<ArrayBuffer>;
  #expired = false;
  #ended = false;

  /**
   * @param patience milliseconds to wait for the next bytes, asked anew before each read
   * @param signal ends them and cancels the body at once
   * @param most bytes at once
   */
  constructor(
    body: ReadableStream<Uint8Array>,
    patience: () => number,
    signal: AbortSignal,
    most = BUFFER_BYTES,
  ) {
    this.#buffer = new Uint8Array(most);
    this.#reader = body.getReader({ mode: 'byob' });
    this.#patience = patience;
    this.#signal = signal;
    signal.addEventListener('abort', this.#cancel, { once: true });
    this.#silence = new Deadline(() => {
      this.#expired = true;
      this.#cancel(); // Ends the read that waits: in workerd it rejects, elsewhere it is done.
    });
  }

  /**
   * The bytes that came next, which are there until it is called again; null after the last.
   * @throws IdleTimeout, or what the connection throws
   */
  async next(): Promise<Uint8Array | null> {
    while (!this.#ended) {
      const ms = this.#patience();
      this.#silence.set(ms);
      try {
        const { done, value } = await this.#reader.read(this.#buffer);
        this.#silence.suspend();
        if (!this.#expired) {
          this.#ended = done;
          if (value !== undefined && value.byteLength > 0) {
            this.#buffer = new Uint8Array(value.buffer);
            return value;
          }
        }
      } catch (error) {
        if (!this.#expired) throw error;
      }
      if (this.#expired) throw new IdleTimeout(ms);
    }
    return null;
  }

  /** Lets go of the body, which ends the connection unless all of it was read. */
  close(): void {
    const isWhole = this.#ended;
    this.#ended = true;
    this.#silence.clear();
    // A listener left behind would keep the stream for as long as the isolate lives.
    this.#signal.removeEventListener('abort', this.#cancel);
    if (!isWhole) this.#cancel();
  }

  /**
   * {@link close} after the last bytes that matter: the end of the body follows them at once, and once it is read the
   * connection can be used again. Nobody waits for it, and it does not wait for long.
   */
  finish(): void {
    if (this.#ended) {
      this.close();
      return;
    }
    this.#silence.set(END_MS);
    this.#reader.read(this.#buffer).then(
      ({ done }) => {
        this.#ended = done;
        this.close();
      },
      () => this.close(),
    );
  }

  readonly #cancel = (): void => {
    this.#reader.cancel().catch(() => {});
  };
}
