import type { Background } from './access-book.ts';
import type { Counts, Exchange, Metric, SentCell } from './rate-exchange.ts';
import { rateOf, secondsUntilFit, WINDOW_MS } from './rate-window.ts';

/** Whose counter, and how much a minute it may reach; null: as much as it likes. */
export interface Claim {
  /** `acme` or `acme:0123456789ab`: a customer, or one key. */
  counter: string;
  perMinute: Record<Metric, number | null>;
}

/** An admitted request. */
export interface Charge {
  /** Whether anybody limits its tokens: else nothing needs to be estimated. */
  countsTokens: boolean;
  /** Charges what it will take as far as is known, or nothing and says what has no room. */
  estimate(tokens: number): Excess | null;
  /** Corrects the estimate to what was used. Once: later calls do nothing. */
  settle(tokens: number): void;
}

/** A claim that has no room. */
export interface Excess {
  claim: Claim;
  metric: Metric;
  limit: number;
  /** Null: it would not fit in an empty minute either. */
  retryAfter: number | null;
}

/** What an isolate has of one counter in one minute. */
interface Cell {
  minute: number;
  /** Everybody's, as of the last word from Redis, and ours that was sent since. */
  known: Counts;
  /** Ours that was not sent yet. */
  pending: Counts;
  /** Redis has been asked for it. */
  asked: boolean;
  /** It was asked for after its end, when everybody had sent theirs. */
  complete: boolean;
}

/** This minute's cell and that of the one before, and what is limited: nothing else is counted (each is a command). */
interface Counter {
  cells: [Cell, Cell];
  metrics: Metric[];
}

interface DueCell {
  name: string;
  cell: Cell;
  metrics: readonly Metric[];
}

const METRICS: readonly Metric[] = ['requests', 'tokens'];

export interface LimiterPorts {
  exchange: Exchange;
  /** The counters were not exchanged: each isolate limits by what it counts itself until they are. */
  failed(): void;
  now(): number;
  sleep(ms: number): Promise<void>;
}

/** Between two exchanges; the error grows with it. */
const EXCHANGE_MS = 1_000;
const RETRY_MS = 5_000;
/** An exchange that takes longer died with its request. */
const STUCK_MS = 10_000;
/** Rounds of one background task: it must end well within the 30 s that work may outlive its answer. */
const MOST_ROUNDS = 5;
/** After a minute's end, until everybody's counts of it are surely in. */
const COMPLETE_MS = 3_000;

/**
 * Requests and tokens a minute, counted in the isolate and exchanged with the others over Redis once a second,
 * beside the answers: a request never waits for it. The price is an error of bounded size. What one isolate admits
 * is known to another after at most two exchanges, so all together pass a limit by no more than what comes to the
 * others in that time: (isolates − 1) × their rate × (2 s + Redis' latency). The same trade as Kong's `sync_rate`,
 * APISIX' `sync_interval` and wso2/api-platform#2142. Refused requests are not counted. Redis down: each isolate
 * limits by its own count (fails open).
 */
export class RateLimiter {
  readonly #ports: LimiterPorts;
  readonly #counters = new Map<string, Counter>();
  #exchangedAt = Number.NEGATIVE_INFINITY;
  #plannedAt = Number.NEGATIVE_INFINITY;

  constructor(ports: LimiterPorts) {
    this.#ports = ports;
  }

  /** Charges all claims one request, or none and says which has no room. */
  admit(claims: readonly Claim[], background: Background): Charge | Excess {
    const excess = this.#charge(claims, 'requests', 1, background);
    if (excess) return excess;
    const counting = claims.filter(({ perMinute }) => perMinute.tokens !== null);
    let estimated = 0;
    let settled = counting.length === 0;
    let charged: Cell[] = [];
    return {
      countsTokens: counting.length > 0,
      estimate: (tokens) => {
        const excess = this.#charge(counting, 'tokens', tokens, background);
        if (excess) return excess;
        estimated = tokens;
        charged = this.#current(counting);
        return null;
      },
      settle: (used) => {
        if (settled) return;
        settled = true;
        // More was used now; what was not used was charged then.
        const cells = used > estimated ? this.#current(counting) : charged;
        for (const cell of cells) cell.pending.tokens += used - estimated;
        if (used !== estimated) this.#plan(background);
      },
    };
  }

  #charge(claims: readonly Claim[], metric: Metric, amount: number, background: Background): Excess | null {
    const now = this.#ports.now();
    for (const claim of claims) {
      const limit = claim.perMinute[metric];
      if (limit === null) continue;
      if (amount > limit) return { claim, metric, limit, retryAfter: null };
      const [current, previous] = this.#cells(claim, now);
      const counted = total(current, metric);
      const before = total(previous, metric);
      if (rateOf(before, counted, now) + amount <= limit) continue;
      return { claim, metric, limit, retryAfter: secondsUntilFit(before, counted, now, amount, limit) };
    }
    const counting = claims.filter(({ perMinute }) => perMinute[metric] !== null);
    for (const cell of this.#current(counting)) cell.pending[metric] += amount;
    if (counting.length > 0) this.#plan(background);
    return null;
  }

  #current(claims: readonly Claim[]): Cell[] {
    return claims.map((claim) => this.#cells(claim, this.#ports.now())[0]);
  }

  #cells({ counter, perMinute }: Claim, now: number): [Cell, Cell] {
    const minute = Math.floor(now / WINDOW_MS);
    const cells = this.#counters.get(counter)?.cells ?? [];
    const current = cells.find((cell) => cell.minute === minute) ?? emptyCell(minute);
    const previous = cells.find((cell) => cell.minute === minute - 1) ?? emptyCell(minute - 1);
    const metrics = METRICS.filter((metric) => perMinute[metric] !== null);
    this.#counters.set(counter, { cells: [current, previous], metrics });
    return [current, previous];
  }

  #plan(background: Background): void {
    const now = this.#ports.now();
    if (now - this.#plannedAt < STUCK_MS) return;
    this.#plannedAt = now;
    background(this.#exchangeLater());
  }

  /** Goes on while counts come in, for a while: the last ones of a burst are sent too, nobody else would. */
  async #exchangeLater(): Promise<void> {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const wait = this.#exchangedAt + EXCHANGE_MS - this.#ports.now();
      if (wait > 0) await this.#ports.sleep(wait);
      this.#exchangedAt = this.#ports.now();
      this.#plannedAt = this.#exchangedAt;
      const due = this.#due(this.#exchangedAt);
      if (due.length === 0) break;
      await this.#exchange(due);
    }
    this.#plannedAt = Number.NEGATIVE_INFINITY;
  }

  async #exchange(due: readonly DueCell[]): Promise<void> {
    const now = this.#exchangedAt;
    // Counted as sent whatever comes: sent again after a lost answer they would count twice (apache/apisix#13704).
    const sent = due.map(({ name, cell, metrics }): SentCell => {
      const add = cell.pending;
      cell.known = { requests: cell.known.requests + add.requests, tokens: cell.known.tokens + add.tokens };
      cell.pending = { requests: 0, tokens: 0 };
      return { name, add, metrics, isNew: !cell.asked };
    });
    try {
      const counts = await this.#ports.exchange(sent);
      due.forEach(({ cell }, index) => {
        cell.known = counts[index] ?? cell.known;
        cell.asked = true;
        cell.complete = now >= (cell.minute + 1) * WINDOW_MS + COMPLETE_MS;
      });
    } catch {
      this.#exchangedAt = this.#ports.now() + RETRY_MS - EXCHANGE_MS;
      this.#ports.failed();
    }
  }

  /** Of the counters with something to send: this minute's cell, and the one before until it is complete. */
  #due(now: number): DueCell[] {
    const minute = Math.floor(now / WINDOW_MS);
    const due: DueCell[] = [];
    for (const [counter, { cells, metrics }] of this.#counters) {
      if (cells.every((cell) => cell.minute < minute - 1)) this.#counters.delete(counter);
      if (!cells.some(hasPending)) continue;
      for (const cell of cells) {
        if (hasPending(cell) || !cell.complete)
          due.push({ name: `${counter}:${cell.minute}`, cell, metrics });
      }
    }
    return due;
  }
}

function emptyCell(minute: number): Cell {
  return {
    minute,
    known: { requests: 0, tokens: 0 },
    pending: { requests: 0, tokens: 0 },
    asked: false,
    complete: false,
  };
}

function total(cell: Cell, metric: Metric): number {
  return Math.max(0, cell.known[metric] + cell.pending[metric]);
}

function hasPending({ pending }: Cell): boolean {
  return pending.requests !== 0 || pending.tokens !== 0;
}
