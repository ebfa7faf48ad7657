import type { AnswerEvent } from '../core/answer.ts';
import type { AnswerFrame } from '../core/dialects/client-dialect.ts';
import type { EventReader } from '../core/dialects/upstream.ts';
import { FluxError } from '../core/errors.ts';
import { type Failure, type FrameFlow, StreamFailure } from '../pipeline/ports.ts';
import { IdleTimeout } from './body-reader.ts';
import { readFailure } from './failure.ts';
import { FrameReader, type SseFrame } from './frames.ts';

/** After the finish chunk, how long its usage may take before the cost is estimated (contract.md). */
const USAGE_PATIENCE_MS = 2_000;

const MEANINGFUL: ReadonlySet<AnswerEvent['type']> = new Set(['tool_call', 'stop', 'end', 'refusal']);
const OVER = { done: true, value: undefined } as const;

/** The frames of a provider's stream with what they meant, up to the end of the answer. */
export class EventFlow implements FrameFlow {
  readonly #reader: FrameReader;
  readonly #read: EventReader;
  readonly #signal: AbortSignal;
  readonly #startedAt = Date.now();
  /** What was read before it is asked for. */
  #head: AnswerFrame[] | undefined;
  #stopped = false;
  #ended = false;
  #usageBy = 0;

  /** @param idle milliseconds of silence after which the stream counts as broken */
  constructor(body: ReadableStream<Uint8Array>, read: EventReader, idle: number, signal: AbortSignal) {
    this.#read = read;
    this.#signal = signal;
    const patience = () => (this.#stopped ? Math.max(0, this.#usageBy - Date.now()) : idle);
    this.#reader = new FrameReader(body, patience, signal);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws StreamFailure where it breaks off before the answer is whole */
  async next(): Promise<IteratorResult<AnswerFrame[], void>> {
    const head = this.#head;
    if (head) {
      this.#head = undefined;
      return { done: false, value: head };
    }
    try {
      const batch = this.#ended ? null : await this.#reader.next();
      if (batch) return { done: false, value: batch.map((frame) => this.#toFrame(frame)) };
    } catch (error) {
      this.#breakOff(error);
    }
    if (this.#stopped && this.#ended) this.#reader.finish();
    else this.#reader.close();
    if (this.#stopped || this.#signal.aborted) return OVER;
    throw new StreamFailure(cut(Date.now() - this.#startedAt));
  }

  async return(): Promise<IteratorResult<AnswerFrame[], void>> {
    this.#head = undefined;
    this.#stopped = true;
    this.#ended = true;
    this.#reader.close();
    return OVER;
  }

  /**
   * Reads up to the first frame that says something, so that an error there is still ours to mend.
   * @param showsThinking what the model thinks says something
   * @returns what the frames up to that one meant; they themselves come first from {@link next}
   * @throws StreamFailure
   */
  async openGate(showsThinking: boolean): Promise<AnswerEvent[]> {
    const head: AnswerFrame[] = [];
    const said: AnswerEvent[] = [];
    for (let isOpen = false; !isOpen; ) {
      const { done, value } = await this.next();
      if (done) break;
      head.push(...value);
      for (const { events } of value) {
        for (const event of events) {
          said.push(event);
          if (event.type === 'error') throw await this.#refuse(event);
          isOpen ||= says(event, showsThinking);
        }
      }
    }
    this.#head = head;
    return said;
  }

  /** @throws StreamFailure unless nobody wants the rest, or the answer is whole and only its usage is missing */
  #breakOff(error: unknown): void {
    const isIdle = error instanceof IdleTimeout;
    if (this.#signal.aborted || (this.#stopped && isIdle)) return;
    this.#reader.close();
    const ms = Date.now() - this.#startedAt;
    throw new StreamFailure(isIdle ? readFailure(error, ms) : cut(ms));
  }

  #toFrame(frame: SseFrame): AnswerFrame {
    const events = this.#read(frame);
    for (const { type } of events) {
      if (type === 'stop') this.#stopped = true;
      if (type === 'end') this.#ended = true;
    }
    // Comments and other bytes without a frame buy no more time.
    if (this.#stopped) this.#usageBy = Date.now() + USAGE_PATIENCE_MS;
    const { data: raw, event } = frame;
    return event === undefined ? { raw, events } : { raw, event, events };
  }

  async #refuse({ status, code, message }: Extract<AnswerEvent, { type: 'error' }>): Promise<StreamFailure> {
    await this.return();
    return new StreamFailure(
      readFailure(new FluxError(message, { status, code }), Date.now() - this.#startedAt),
    );
  }
}

function says(event: AnswerEvent, showsThinking: boolean): boolean {
  if (event.type === 'text') return event.text.trim() !== '';
  return MEANINGFUL.has(event.type) || (showsThinking && event.type === 'progress' && event.thinks === true);
}

/** A stream that is over before its answer is, whether the connection broke or was closed. */
function cut(ms: number): Failure {
  return {
    kind: 'unreachable',
    status: 0,
    message: 'The provider ended the stream before the answer was finished.',
    type: null,
    code: 'stream_cut',
    param: null,
    retryAfter: null,
    requestId: null,
    ms,
  };
}
