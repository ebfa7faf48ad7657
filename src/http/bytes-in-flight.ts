import { FluxError } from '../core/errors.ts';
import type { Settings } from '../env.ts';

/** A step lasts no longer, streams that go on for ever aside: whoever holds bytes for longer died with its request. */
const LONGEST_MS = 15 * 60_000;

const budgets = new WeakMap<Settings, BytesInFlight>();

/** A lease on this isolate's memory for bodies. */
export function openLease(settings: Settings): Lease {
  let budget = budgets.get(settings);
  if (!budget) {
    budget = new BytesInFlight(settings.maxBytesInFlight);
    budgets.set(settings, budget);
  }
  return budget.open();
}

/** What one request holds of the isolate's memory for bodies. */
export interface Lease {
  /**
   * Once nobody holds the lease nothing is taken: a read that was given up may come in late, and nobody would give back
   * what it took.
   * @throws FluxError 503 where the isolate has no room
   */
  take(bytes: number): void;
  /** The bytes are in use until this is over, however it ends. */
  hold(work: Promise<unknown>): void;
  /** The request takes no more: the bytes go when nobody holds them. */
  close(): void;
}

/**
 * Bodies an isolate has in its hands, up to a limit: sixteen of 10 MB would kill it, and everyone in it (T63).
 * A body is in memory several times over while it is read, parsed and sent, so the limit is a small part of the
 * isolate's 128 MB (env.ts).
 */
export class BytesInFlight {
  readonly #limit: number;
  readonly #now: () => number;
  /** Bytes and since when, for each open lease. */
  readonly #leases = new Map<object, { bytes: number; since: number }>();
  #used = 0;

  constructor(limit: number, now: () => number = () => Date.now()) {
    this.#limit = limit;
    this.#now = now;
  }

  get used(): number {
    return this.#used;
  }

  open(): Lease {
    const lease = {};
    let holders = 1;
    const leave = (): void => {
      holders--;
      if (holders === 0) this.#release(lease);
    };
    return {
      take: (bytes) => {
        if (holders > 0) this.#take(lease, bytes);
      },
      hold: (work) => {
        holders++;
        work.then(leave, leave);
      },
      close: leave,
    };
  }

  #take(lease: object, bytes: number): void {
    if (this.#used + bytes > this.#limit) this.#sweep();
    if (this.#used + bytes > this.#limit) {
      throw new FluxError(
        'The gateway has its hands full of large requests. Try again in a moment; shorter conversations and smaller images help.',
        { status: 503, code: 'overloaded', retryAfter: 1 },
      );
    }
    const held = this.#leases.get(lease);
    if (held) held.bytes += bytes;
    else this.#leases.set(lease, { bytes, since: this.#now() });
    this.#used += bytes;
  }

  #release(lease: object): void {
    this.#used -= this.#leases.get(lease)?.bytes ?? 0;
    this.#leases.delete(lease);
  }

  #sweep(): void {
    const dead = this.#now() - LONGEST_MS;
    for (const [lease, { since }] of this.#leases) if (since < dead) this.#release(lease);
  }
}
