import type { SqlStorage } from '@cloudflare/workers-types';

/** A billion of these are a dollar: whole numbers, so that sums are exact. */
export type NanoUsd = number;

/** A budget that a step counts against. */
export interface BudgetClaim {
  /** What it limits: `customer`, `key:<id>` or `tag:<name>=<value>`. */
  scope: string;
  period: 'day' | 'month';
  limit: NanoUsd;
}

/** What a step may cost at most, before it is planned. */
export interface Amounts {
  amount: NanoUsd;
  /** What it probably costs: what counts if nothing more is heard of it. */
  estimate: NanoUsd;
}

export interface Reservation extends Amounts {
  requestId: string;
  /** Milliseconds since the epoch, UTC days and months (T52): a step counts where it began. */
  at: number;
  /** When it counts as abandoned. */
  dueAt: number;
  claims: readonly BudgetClaim[];
}

/** A budget that has no room for a reservation. */
export interface BudgetExcess {
  claim: BudgetClaim;
  spent: NanoUsd;
  reserved: NanoUsd;
}

/** What one customer has spent and reserved, exact, in its object's own database. Every method is one transaction. */
export class BudgetBook {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    // `spent` and `reserved` of each scope and period; the claims of each reservation that is open or was abandoned.
    // Else a key of texts would be an index beside the table, each of whose rows is billed as one.
    sql.exec(`
      CREATE TABLE IF NOT EXISTS sums (
        scope TEXT NOT NULL, period TEXT NOT NULL, spent INTEGER NOT NULL DEFAULT 0,
        reserved INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (scope, period)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS reservations (
        id TEXT PRIMARY KEY, due_at INTEGER NOT NULL, amount INTEGER NOT NULL, estimate INTEGER NOT NULL,
        is_abandoned INTEGER NOT NULL DEFAULT 0, counted TEXT NOT NULL) WITHOUT ROWID;`);
  }

  /**
   * Reserves what a step may cost in every budget it counts against, or in none (T43).
   * @param otherwise what to count where there is no room; null: nothing, the step is not made
   * @returns null where there was room, else the first budget that has none
   */
  reserve(
    { requestId, at, dueAt, claims, ...asked }: Reservation,
    otherwise: Amounts | null = null,
  ): BudgetExcess | null {
    const excess =
      claims.map((claim) => this.#excess(claim, at, asked.amount)).find((one) => one !== null) ?? null;
    if (excess && !otherwise) return excess;
    const { amount, estimate } = (excess && otherwise) || asked;
    const counted = claims.map(({ scope, period }) => [scope, periodOf(period, at)] as const);
    const { rowsWritten } = this.#sql.exec(
      'INSERT OR IGNORE INTO reservations (id, due_at, amount, estimate, counted) VALUES (?, ?, ?, ?, ?)',
      ...[requestId, dueAt, amount, estimate, JSON.stringify(counted)],
    );
    if (rowsWritten > 0) this.#count(counted, { spent: 0, reserved: amount });
    return excess;
  }

  /** What a step did cost. Twice, or of a reservation nobody knows, it counts for nothing; after it was abandoned it corrects that. */
  settle(requestId: string, cost: NanoUsd): void {
    const found = this.#reservation(requestId);
    if (!found) return;
    const { amount, estimate, isAbandoned, counted } = found;
    this.#sql.exec('DELETE FROM reservations WHERE id = ?', requestId);
    this.#count(
      counted,
      isAbandoned ? { spent: cost - estimate, reserved: 0 } : { spent: cost, reserved: -amount },
    );
  }

  /** Steps that are due count at their estimate, and what they reserved is free again. */
  abandon(now: number): void {
    const due = [
      ...this.#sql.exec('SELECT id FROM reservations WHERE is_abandoned = 0 AND due_at <= ?', now),
    ];
    for (const { id } of due) {
      const found = this.#reservation(String(id));
      if (!found) continue;
      this.#sql.exec('UPDATE reservations SET is_abandoned = 1 WHERE id = ?', String(id));
      this.#count(found.counted, { spent: found.estimate, reserved: -found.amount });
    }
  }

  /** What stands against each budget now. */
  standing(claims: readonly BudgetClaim[], at: number): { spent: NanoUsd; reserved: NanoUsd }[] {
    return claims.map(({ scope, period }) => this.#sums(scope, periodOf(period, at)));
  }

  /** Forgets what no budget of today or of this month looks at, and abandoned steps whose settle can't come any more. */
  forget(now: number): void {
    const [day, month] = [periodOf('day', now), periodOf('month', now)];
    this.#sql.exec(
      'DELETE FROM sums WHERE reserved = 0 AND ((length(period) = 10 AND period < ?) OR (length(period) = 7 AND period < ?))',
      ...[day, month],
    );
    this.#sql.exec('DELETE FROM reservations WHERE is_abandoned = 1 AND due_at < ?', now - 86_400_000);
  }

  get nextDue(): number | null {
    const { due } = this.#sql
      .exec('SELECT min(due_at) AS due FROM reservations WHERE is_abandoned = 0')
      .one();
    return due === null ? null : Number(due);
  }

  #excess(claim: BudgetClaim, at: number, amount: NanoUsd): BudgetExcess | null {
    const { spent, reserved } = this.#sums(claim.scope, periodOf(claim.period, at));
    return spent + reserved + amount > claim.limit ? { claim, spent, reserved } : null;
  }

  #sums(scope: string, period: string): { spent: NanoUsd; reserved: NanoUsd } {
    const [row] = this.#sql.exec(
      'SELECT spent, reserved FROM sums WHERE scope = ? AND period = ?',
      ...[scope, period],
    );
    return { spent: Number(row?.spent ?? 0), reserved: Number(row?.reserved ?? 0) };
  }

  #count(counted: Counted, { spent, reserved }: { spent: NanoUsd; reserved: NanoUsd }): void {
    for (const [scope, period] of counted) {
      this.#sql.exec(
        `INSERT INTO sums (scope, period, spent, reserved) VALUES (?, ?, ?, ?)
         ON CONFLICT (scope, period) DO UPDATE SET spent = spent + excluded.spent, reserved = reserved + excluded.reserved`,
        ...[scope, period, spent, reserved],
      );
    }
  }

  #reservation(id: string) {
    const [row] = this.#sql.exec('SELECT * FROM reservations WHERE id = ?', id);
    if (!row) return null;
    return {
      amount: Number(row.amount),
      estimate: Number(row.estimate),
      isAbandoned: row.is_abandoned === 1,
      // Written by `reserve`.
      counted: JSON.parse(String(row.counted)) as Counted,
    };
  }
}

/** Scopes and periods that a reservation counts in. */
type Counted = readonly (readonly [scope: string, period: string])[];

/** The UTC day or month of a time: `2026-11-27`, `2026-11`. */
function periodOf(period: BudgetClaim['period'], at: number): string {
  return new Date(at).toISOString().slice(0, period === 'day' ? 10 : 7);
}
