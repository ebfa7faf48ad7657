import { createParser } from 'eventsource-parser';
import { BodyReader } from './body-reader.ts';

/** One SSE frame as it came. */
export interface SseFrame {
  event?: string;
  data: string;
}

/** SSE frames of a body, in the batches they arrive in. No generator, for the same reason as {@link BodyReader}'s buffer. */
export class FrameReader {
  readonly #body: BodyReader;
  readonly #decoder = new TextDecoder();
  readonly #parser = createParser({
    onEvent: ({ event, data }) => {
      this.#frames.push(event === undefined ? { data } : { event, data });
    },
  });
  #frames: SseFrame[] = [];
  #isOver = false;

  /**
   * @param patience milliseconds to wait for the next bytes, asked anew before each read
   * @param signal ends the frames and cancels the body at once
   */
  constructor(body: ReadableStream<Uint8Array>, patience: () => number, signal: AbortSignal) {
    this.#body = new BodyReader(body, patience, signal);
  }

  /**
   * The frames that came next; null after the last.
   * @throws IdleTimeout, or what the connection throws
   */
  async next(): Promise<SseFrame[] | null> {
    while (!this.#isOver) {
      const bytes = await this.#body.next();
      this.#isOver = bytes === null;
      // Servers that end without the last blank line still meant their last frame.
      const text = bytes ? this.#decoder.decode(bytes, { stream: true }) : `${this.#decoder.decode()}\n\n`;
      this.#parser.feed(text);
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
    this.#isOver = true;
    this.#body.close();
  }

  /** {@link close} after the last frame that matters, so that the connection can be used again. */
  finish(): void {
    this.#isOver = true;
    this.#body.finish();
  }
}
