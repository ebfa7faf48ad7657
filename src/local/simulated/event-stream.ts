import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { JournalEntry } from './journal.ts';
import type { Frame } from './wire.ts';

/** How a stream leaves. */
export interface StreamPace {
  /** Milliseconds between events, or between pieces. */
  betweenMs: number;
  /** Pieces of this size, wherever events begin and end. */
  chunkBytes?: number | undefined;
  /** Breaks off after this many bytes. */
  cutAfterBytes?: number | undefined;
}

/** A stream of events under way: waits for a slow client, and keeps count of what the socket took. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #journal: JournalEntry;
  readonly #pace: StreamPace;
  #waiting = Buffer.alloc(0);
  #sent = 0;
  #writes = 0;

  constructor(response: ServerResponse, journal: JournalEntry, pace: StreamPace) {
    this.#response = response;
    this.#journal = journal;
    this.#pace = pace;
  }

  /** Sends one event; false once nothing more can go: the client left, or the cut was reached. */
  async send(frame: Frame): Promise<boolean> {
    const bytes = Buffer.from(textOf(frame));
    const { chunkBytes } = this.#pace;
    if (chunkBytes === undefined) return this.#write(bytes);
    this.#waiting = Buffer.concat([this.#waiting, bytes]);
    while (this.#waiting.length >= chunkBytes) {
      const piece = this.#waiting.subarray(0, chunkBytes);
      this.#waiting = this.#waiting.subarray(chunkBytes);
      if (!(await this.#write(piece))) return false;
    }
    return true;
  }

  /** Sends what is left of a piece. */
  async flush(): Promise<void> {
    const rest = this.#waiting;
    this.#waiting = Buffer.alloc(0);
    if (rest.length > 0) await this.#write(rest);
  }

  async #write(bytes: Buffer): Promise<boolean> {
    const response = this.#response;
    const { betweenMs, chunkBytes, cutAfterBytes = Number.POSITIVE_INFINITY } = this.#pace;
    if (this.#writes++ > 0) {
      if (betweenMs > 0) await wait(response, betweenMs);
      // A turn of the loop between pieces, so that they aren't joined on their way.
      else if (chunkBytes !== undefined) await turn();
    }
    const piece = bytes.subarray(0, cutAfterBytes - this.#sent);
    this.#sent += piece.length;
    if (response.destroyed) return false;
    const goesOn = response.write(piece, (error) => {
      if (error == null) this.#journal.sent_bytes += piece.length;
    });
    if (!goesOn) await drained(response);
    return !response.destroyed && piece.length === bytes.length;
  }
}

/** Until more can be written, or the client is gone: then nothing ever drains. */
async function drained(response: ServerResponse): Promise<void> {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
  over.abort();
}

/** Waits, or returns at once when the client leaves. */
export async function wait(response: ServerResponse, ms: number): Promise<void> {
  const gone = new AbortController();
  const leave = () => gone.abort();
  response.once('close', leave);
  await sleep(ms, undefined, { signal: gone.signal }).catch(() => undefined);
  response.off('close', leave);
}

function textOf({ event, data }: Frame): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`;
}
