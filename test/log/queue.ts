import type { Message, QueueRetryOptions } from '@cloudflare/workers-types';
import type { StepRecord } from '../../src/pipeline/record.ts';

/** A message of Cloudflare's queue that remembers what became of it: `acked`, or seconds until its retry. */
export class FakeMessage implements Message<unknown> {
  readonly id = 'message';
  readonly timestamp = new Date(0);
  readonly body: unknown;
  attempts = 1;
  outcome: 'acked' | number | undefined;

  constructor(body: unknown) {
    // As JSON, the way a queue carries it.
    this.body = JSON.parse(JSON.stringify(body));
  }

  ack(): void {
    this.outcome = 'acked';
  }

  retry(options?: QueueRetryOptions): void {
    this.outcome = options?.delaySeconds ?? 0;
  }
}

/** A queue whose next `failures` sends throw. */
export class FakeQueue {
  failures = 0;
  sends = 0;
  readonly sent: StepRecord[] = [];

  async send(steps: StepRecord[]): Promise<void> {
    if (this.failures-- > 0) throw new Error('Too Many Requests');
    this.failures = 0;
    this.sends++;
    this.sent.push(...steps);
  }

  batchOf(bodies: unknown[]): { messages: FakeMessage[] } {
    return { messages: bodies.map((body) => new FakeMessage(body)) };
  }
}
