import { DurableObject } from 'cloudflare:workers';
import type { DurableObjectState, Queue } from '@cloudflare/workers-types';
import type { FoundLane, Lane, LaneQuestion } from '../core/context/lanes.ts';
import type { LaneCounts } from '../pipeline/lane-counts.ts';
import type { BegunStep, EndedStep } from '../pipeline/ports.ts';
import type { StepRecord } from '../pipeline/record.ts';
import { SessionBook, type SessionTotals } from './session-book.ts';

/** A session is forgotten so long after its last use: no prompt cache of today lives longer than a day. */
const KEPT_MS = 24 * 60 * 60 * 1_000;
/** When the log's queue does not take what was abandoned. */
const RETRY_MS = 30_000;

interface Bindings {
  LOG_QUEUE: Queue<StepRecord[] | LaneCounts[]>;
}

/**
 * One session of one customer: its name is an HMAC, and no word of a conversation is in it. It serialises what is
 * written of concurrent steps, never their calls to providers.
 */
export class SessionObject extends DurableObject<Bindings> {
  #book: SessionBook;

  constructor(state: DurableObjectState, env: Bindings) {
    super(state, env);
    this.#book = new SessionBook(state.storage.sql);
    // A runtime that ended with an alarm set may have forgotten it.
    void state.blockConcurrencyWhile(async () => {
      if ((await state.storage.getAlarm()) === null) await this.#arm();
    });
  }

  /**
   * Keeps that a step was sent and what it may cost, and finds its lane. Once this has returned it is durable.
   * @param opened the lane's first step, where it was none of a session and somebody remembers it
   */
  async begin(step: BegunStep, question: LaneQuestion, opened: Lane | null): Promise<FoundLane> {
    this.#book.begin(step, question.at);
    const found = this.#book.find(question, opened);
    await this.#arm();
    return found;
  }

  /** The lane a step would go on with: nothing is kept. */
  async peek(question: LaneQuestion, opened: Lane | null): Promise<FoundLane> {
    return this.#book.find(question, opened);
  }

  async settle(step: EndedStep): Promise<void> {
    this.#book.settle(step, Date.now());
    await this.#arm();
  }

  /** Of these steps the ones that have not ended; null: there is no such session, or none any more. */
  async unsettled(ids: readonly string[]): Promise<{ id: string; isAbandoned: boolean }[] | null> {
    return this.#book.unsettled(ids);
  }

  async describe(): Promise<{ totals: SessionTotals; lanes: Lane[] }> {
    return { totals: this.#book.totals, lanes: this.#book.lanes };
  }

  /**
   * Closes what was begun and never settled, tells what the lanes that ended have shown, and forgets a session that
   * nobody has used for a day.
   */
  override async alarm(): Promise<void> {
    const now = Date.now();
    try {
      await this.#report(now);
    } catch {
      // Fails closed: steps stay begun, and lanes untold, until the queue has them.
      await this.ctx.storage.setAlarm(now + RETRY_MS);
      return;
    }
    const { nextDue, usedAt } = this.#book.times;
    if (nextDue === null && (usedAt === null || now - usedAt >= KEPT_MS)) {
      await this.ctx.storage.deleteAll();
      await this.ctx.storage.deleteAlarm();
      this.#book = new SessionBook(this.ctx.storage.sql);
      return;
    }
    await this.#arm();
  }

  /** To the log's queue. @throws where it does not take it */
  async #report(now: number): Promise<void> {
    const due = this.#book.due(now);
    if (due.length > 0) {
      await this.env.LOG_QUEUE.send(due.map(({ record }) => record));
      this.#book.abandon(due);
    }
    for (let ended = this.#book.ended(now); ended.length > 0; ended = this.#book.ended(now)) {
      await this.env.LOG_QUEUE.send(ended);
      this.#book.tell(ended);
    }
  }

  /**
   * The alarm at what is next: a step that is due, or the end of the session. One that is set already is never put
   * off, for that is billed as a row written: it finds nothing due and sets the next.
   */
  async #arm(): Promise<void> {
    const { nextDue, usedAt } = this.#book.times;
    if (usedAt === null) return;
    const at = nextDue ?? usedAt + KEPT_MS;
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > at) await this.ctx.storage.setAlarm(at);
  }
}
