import { DurableObject } from 'cloudflare:workers';
import type { DurableObjectState } from '@cloudflare/workers-types';
import {
  type Amounts,
  BudgetBook,
  type BudgetClaim,
  type BudgetExcess,
  type NanoUsd,
  type Reservation,
} from './budget-book.ts';

/** What it no longer needs is forgotten once a day. */
const DAY_MS = 24 * 60 * 60 * 1_000;

/** The budgets of one customer: who asks at the same time is told one after the other. */
export class BudgetObject extends DurableObject<unknown> {
  readonly #book: BudgetBook;

  constructor(state: DurableObjectState, env: unknown) {
    super(state, env);
    this.#book = new BudgetBook(state.storage.sql);
    // A runtime that ended with an alarm set may have forgotten it.
    void state.blockConcurrencyWhile(() => this.#arm());
  }

  /** Once this has returned it is durable. See {@link BudgetBook.reserve}. */
  async reserve(reservation: Reservation, otherwise: Amounts | null): Promise<BudgetExcess | null> {
    const excess = this.#book.reserve(reservation, otherwise);
    if (excess === null || otherwise) await this.#arm();
    return excess;
  }

  async settle(requestId: string, cost: NanoUsd): Promise<void> {
    this.#book.settle(requestId, cost);
  }

  async standing(
    claims: readonly BudgetClaim[],
    at: number,
  ): Promise<{ spent: NanoUsd; reserved: NanoUsd }[]> {
    return this.#book.standing(claims, at);
  }

  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#book.abandon(now);
    this.#book.forget(now);
    await this.#arm();
  }

  /** At what is due next; one that is set already is never put off, for that is billed as a row written. */
  async #arm(): Promise<void> {
    const { nextDue } = this.#book;
    const at = nextDue ?? Date.now() + DAY_MS;
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > at) await this.ctx.storage.setAlarm(at);
  }
}
