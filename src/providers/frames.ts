import { createParser } from 'eventsource-parser';
import { Deadline } from '../pipeline/deadline.ts';

/** One SSE frame as it came. */
export interface SseFrame {
  event?: string;
  data: string;
}

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
 * SSE frames of a body, in the batches they arrive in. Nothing is read ahead of who asks, so a slow client slows the
 * provider. No generator, and always into the same buffer: a stream is hundreds of reads of one frame, and each costs
 * as much as everything around it lets it.
 */
export class FrameReader {
  readonly #reader: ReadableStreamBYOBReader;
  readonly #patience: () => number;
  readonly #signal: AbortSignal;
  readonly #silence: Deadline;
  readonly #decoder = new TextDecoder();
  readonly #parser = createParser({
    onEvent: ({ event, data }) => {
      this.#frames.push(event === undefined ? { data } : { event, data });
    },
  });
  #buffer = new Uint8Array(BUFFER_BYTES);
  #frames: SseFrame[] = [];
  #expired = false;
  #ended = false;

  /**
   * @param patience milliseconds to wait for the next bytes, asked anew before each read
   * @param signal ends the frames and cancels the body at once
   */
  constructor(body: ReadableStream<Uint8Array>, patience: () => number, signal: AbortSignal) {
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
   * The frames that came next; null after the last.
   * @throws IdleTimeout, or what the connection throws
   */
  async next(): Promise<SseFrame[] | null> {
    while (!this.#ended) {
      const ms = this.#patience();
      this.#silence.set(ms);
      try {
        const { done, value } = await this.#reader.read(this.#buffer);
        this.#silence.suspend();
        if (!this.#expired) this.#feed(value, done);
      } catch (error) {
        if (!this.#expired) throw error;
      }
      if (this.#expired) throw new IdleTimeout(ms);
      if (this.#frames.length > 0) {
        const batch = this.#frames;
        this.#frames = [];
        return batch;
      }
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
   * {@link close} after the last frame that matters: the end of the body follows it at once, and once it is read the
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

  #feed(bytes: Uint8Array<ArrayBuffer> | undefined, done: boolean): void {
    if (bytes !== undefined && bytes.byteLength > 0) {
      this.#parser.feed(this.#decoder.decode(bytes, { stream: true }));
      this.#buffer = new Uint8Array(bytes.buffer);
    }
    if (!done) return;
    this.#ended = true;
    // Servers that end without the last blank line still meant their last frame.
    this.#parser.feed(`${this.#decoder.decode()}\n\n`);
  }

  readonly #cancel = (): void => {
    this.#reader.cancel().catch(() => {});
  };
}
