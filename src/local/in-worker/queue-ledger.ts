import type { MessageBatch, Queue, QueueRetryOptions, QueueSendOptions } from '@cloudflare/workers-types';

/** A message that a consumer has not taken yet, as it is kept from one run of the stack to the next. */
export interface HeldMessage {
  /** Name of the queue's binding. */
  binding: string;
  /** A text may have been sent as JSON or as text: whoever gets it can't tell. */
  body: unknown;
  /** When it is to be delivered, in Unix milliseconds. */
  dueAt: number;
}

/**
 * What travels in the local queue: the message with the number it is held under. One that was sent as text stays one:
 * the number, a line feed, the text.
 */
type Envelope = string | { held: string; body: unknown };

function openEnvelope(envelope: Envelope): { held: string; body: unknown } {
  if (typeof envelope !== 'string') return envelope;
  const end = envelope.indexOf('\n');
  return { held: envelope.slice(0, end), body: envelope.slice(end + 1) };
}

/**
 * Knows every message between `send()` and `ack()`. Miniflare's queues live in memory and tell neither what is being
 * delivered nor what waits for its delay, so a clean stop could not know whether anything would be lost.
 */
export class QueueLedger {
  readonly #held = new Map<string, HeldMessage>();
  #sent = 0;

  /** Messages to be delivered up to `time`, in Unix milliseconds. */
  countDue(time: number): number {
    let count = 0;
    for (const { dueAt } of this.#held.values()) if (dueAt <= time) count += 1;
    return count;
  }

  list(): HeldMessage[] {
    return [...this.#held.values()];
  }

  /** The queue as the Worker is given it. */
  producer(binding: string, queue: Queue): Queue {
    const wrap = (body: unknown, { contentType = 'json', delaySeconds = 0 }: QueueSendOptions = {}) => {
      const isText = contentType === 'text' && typeof body === 'string';
      if (!isText && contentType !== 'json') {
        throw new TypeError(
          'The local queue takes text and JSON messages only: others could not be kept over a restart.',
        );
      }
      this.#sent += 1;
      const held = String(this.#sent);
      this.#held.set(held, { binding, body, dueAt: Date.now() + 1000 * delaySeconds });
      const envelope: Envelope = isText ? `${held}\n${body}` : { held, body };
      return { held, envelope, contentType };
    };
    const sent = async <T>(numbers: string[], sending: Promise<T>): Promise<T> => {
      try {
        return await sending;
      } catch (error) {
        for (const held of numbers) this.#held.delete(held);
        throw error;
      }
    };
    return {
      metrics: () => queue.metrics(),
      send: async (body, options) => {
        const { held, envelope, contentType } = wrap(body, options);
        return sent([held], queue.send(envelope, { ...options, contentType }));
      },
      sendBatch: async (messages, options) => {
        const wrapped = [...messages].map((message) => ({
          message,
          ...wrap(message.body, { ...options, ...message }),
        }));
        return sent(
          wrapped.map(({ held }) => held),
          queue.sendBatch(
            wrapped.map(({ message, envelope, contentType }) => ({
              ...message,
              contentType,
              body: envelope,
            })),
            options,
          ),
        );
      },
    };
  }

  /** Gives a batch to its consumer, and strikes out what that took. */
  async deliver(batch: MessageBatch, consume: (batch: MessageBatch) => unknown): Promise<void> {
    const retried = new Map<string, QueueRetryOptions | undefined>();
    const acked = new Set<string>();
    let all: { retry: boolean; options?: QueueRetryOptions | undefined } = { retry: false };

    const messages = batch.messages.map((message) => {
      // Only `producer` sends to these queues.
      const { held, body } = openEnvelope(message.body as Envelope);
      return {
        held,
        id: message.id,
        timestamp: message.timestamp,
        attempts: message.attempts,
        body,
        ack: () => {
          acked.add(held);
          message.ack();
        },
        retry: (options?: QueueRetryOptions) => {
          retried.set(held, options);
          message.retry(options);
        },
      };
    });
    try {
      await consume({
        queue: batch.queue,
        metadata: batch.metadata,
        messages,
        ackAll: () => batch.ackAll(),
        retryAll: (options) => {
          all = { retry: true, options };
          batch.retryAll(options);
        },
      });
    } catch (error) {
      all = { ...all, retry: true };
      throw error;
    } finally {
      for (const { held } of messages) {
        const again = !acked.has(held) && (retried.has(held) || all.retry);
        const entry = this.#held.get(held);
        if (!again) this.#held.delete(held);
        else if (entry !== undefined) {
          const delay = retried.get(held)?.delaySeconds ?? all.options?.delaySeconds ?? 0;
          entry.dueAt = Date.now() + 1000 * delay;
        }
      }
    }
  }
}
