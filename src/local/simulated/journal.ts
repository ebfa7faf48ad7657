import type { TokenUsage } from './usage.ts';

/** One request as it came in, and what it got. */
export interface JournalEntry {
  id: number;
  /** ISO time on the virtual clock. */
  at: string;
  method: string;
  path: string;
  /** Lower-case names; keys are cut to their last four characters. */
  headers: Record<string, string>;
  /** Parsed; a text where it was no JSON. */
  body: unknown;
  model: string | null;
  status: number;
  /** The message of a refusal. */
  error: string | null;
  usage: TokenUsage | null;
  /** Bytes of a stream that the socket took: a client that doesn't read holds them back. */
  sent_bytes: number;
  /** `open` until the answer's last byte; `cut` by a fault; `left` where the client went first. */
  ended: 'open' | 'complete' | 'cut' | 'left';
}

const SECRET_HEADERS = new Set(['authorization', 'x-api-key', 'api-key', 'proxy-authorization', 'cookie']);

/** Memory of the bodies kept, in characters. */
const MAX_CHARACTERS = 64 * 1024 * 1024;

/** The latest requests, so that a test can ask what was really sent. */
export class Journal {
  #entries: { entry: JournalEntry; size: number }[] = [];
  #characters = 0;
  #next = 1;
  readonly #keep: number;

  constructor(keep: number) {
    this.#keep = keep;
  }

  /** Opens an entry; the caller fills in what it learns. `size` is the length of the raw body. */
  open(request: Pick<JournalEntry, 'at' | 'method' | 'path' | 'headers'>, size: number): JournalEntry {
    const entry: JournalEntry = {
      ...request,
      id: this.#next++,
      headers: withoutKeys(request.headers),
      body: null,
      model: null,
      status: 0,
      error: null,
      usage: null,
      sent_bytes: 0,
      ended: 'open',
    };
    this.#entries.push({ entry, size });
    this.#characters += size;
    while (
      this.#entries.length > this.#keep ||
      (this.#characters > MAX_CHARACTERS && this.#entries.length > 1)
    ) {
      this.#characters -= this.#entries.shift()?.size ?? 0;
    }
    return entry;
  }

  /** All kept entries, oldest first. */
  list(): JournalEntry[] {
    return this.#entries.map((one) => one.entry);
  }

  clear(): void {
    this.#entries = [];
    this.#characters = 0;
  }
}

function withoutKeys(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      SECRET_HEADERS.has(name) ? `…${value.slice(-4)}` : value,
    ]),
  );
}
