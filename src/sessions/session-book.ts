import type { SqlStorage } from '@cloudflare/workers-types';
import {
  type FoundLane,
  findLane,
  keepsLane,
  type Lane,
  type LaneQuestion,
  MOST_LANES,
} from '../core/context/lanes.ts';
import { type Experience, NO_EXPERIENCE } from '../core/routing/experience.ts';
import { countsOf, type LaneCounts } from '../pipeline/lane-counts.ts';
import type { BegunStep, EndedLaneStep, EndedStep } from '../pipeline/ports.ts';
import type { StepRecord } from '../pipeline/record.ts';

/** What a session has had in all: exact, however many steps ran at once. */
export interface SessionTotals {
  /** Steps that were begun, and those that have ended. */
  begun: number;
  settled: number;
  /** Begun, and never heard of again. */
  abandoned: number;
  /** USD of all that ended; what was abandoned counts as estimated. */
  spentUsd: number;
}

/** A lane as it is kept, and what its customer learns of it once it has ended. */
interface KeptLane extends Lane {
  ending: {
    customer: string;
    /** What of its experience is the lane's that it was forked off. */
    inherited: Experience;
    /** Milliseconds since the epoch. */
    at: number;
    /** It was told so: then it is told anew only if it went on. */
    isTold: boolean;
  };
}

/** Told in one message: of some 300 bytes each, where a queue's may have 128 KB. */
const TOLD_TOGETHER = 100;

const DROPPED = 'CREATE TABLE dropped (id TEXT PRIMARY KEY, ends_at INTEGER NOT NULL, counts TEXT NOT NULL)';

/** The exact numbers of one session, in its object's own database. Every method is one transaction. */
export class SessionBook {
  readonly #sql: SqlStorage;
  readonly #lanes = new Map<string, KeptLane>();

  /** Whether there is anything: an object that was only looked at keeps nothing. */
  #isThere: boolean;

  // What every step asks for, as the tables have it.
  #usedAt = 0;
  /** When the steps that are on their way are due. */
  readonly #due = new Map<string, number>();
  /** When the first of `dropped` ends; null: there is none. */
  #droppedEnd: number | null = null;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    const tables = [...sql.exec("SELECT name FROM sqlite_master WHERE name IN ('totals', 'dropped')")];
    this.#isThere = tables.length > 0;
    if (!this.#isThere) return;
    // An earlier version told nothing: its sessions go on, and come to rest, as if all of theirs were told.
    if (tables.length === 1) sql.exec(DROPPED);
    for (const row of sql.exec('SELECT lane FROM lanes ORDER BY used_at')) {
      // Written by this class, or by that version.
      const lane = JSON.parse(String(row.lane)) as Lane & Partial<KeptLane>;
      this.#lanes.set(lane.id, { ...lane, ending: lane.ending ?? toldBefore(lane) });
    }
    for (const { id, due_at } of sql.exec('SELECT id, due_at FROM steps WHERE abandoned_usd IS NULL')) {
      this.#due.set(String(id), Number(due_at));
    }
    // What is on its way uses the session until it is due: its begin says nothing else of when.
    const { used_at } = sql.exec('SELECT used_at FROM totals').one();
    this.#usedAt = Math.max(Number(used_at), ...this.#due.values());
    this.#droppedEnd = this.#readDroppedEnd();
  }

  #readDroppedEnd(): number | null {
    const { end } = this.#sql.exec('SELECT min(ends_at) AS end FROM dropped').one();
    return end === null ? null : Number(end);
  }

  #create(): void {
    if (this.#isThere) return;
    // An index beside the rows would be billed as rows written. `begun` is for the version before, should it be rolled
    // back to: here it is what has settled and what has not.
    this.#sql.exec(`
      CREATE TABLE lanes (id TEXT PRIMARY KEY, used_at INTEGER NOT NULL, lane TEXT NOT NULL) WITHOUT ROWID;
      ${DROPPED};
      CREATE TABLE steps (
        id TEXT PRIMARY KEY, due_at INTEGER NOT NULL, record TEXT NOT NULL, abandoned_usd REAL) WITHOUT ROWID;
      CREATE TABLE totals (
        begun INTEGER NOT NULL, settled INTEGER NOT NULL, abandoned INTEGER NOT NULL, spent_usd REAL NOT NULL,
        used_at INTEGER NOT NULL);
      INSERT INTO totals VALUES (0, 0, 0, 0, 0);`);
    this.#isThere = true;
  }

  /** The lane a step would go on with: of a session that has none yet, the one that was opened before it was there. */
  find(question: LaneQuestion, opened: Lane | null): FoundLane {
    const lanes = this.#lanes.size === 0 && opened ? [opened] : this.lanes;
    return findLane(lanes, question, newId);
  }

  begin({ requestId, record, dueAt }: BegunStep, at: number): void {
    this.#create();
    const { rowsWritten } = this.#sql.exec(
      'INSERT OR IGNORE INTO steps (id, due_at, record) VALUES (?, ?, ?)',
      ...[requestId, dueAt, JSON.stringify(record)],
    );
    if (rowsWritten === 0) return;
    this.#due.set(requestId, dueAt);
    this.#usedAt = Math.max(this.#usedAt, at);
  }

  /** A message that comes twice counts once: the step is known from its begin to its end. */
  settle({ requestId, costUsd, lane }: EndedStep, at: number): void {
    if (!this.#isThere) return;
    const [step] = this.#sql.exec('DELETE FROM steps WHERE id = ? RETURNING abandoned_usd', requestId);
    if (!step) return;
    const late = typeof step.abandoned_usd === 'number' ? step.abandoned_usd : null;
    this.#due.delete(requestId);
    this.#usedAt = Math.max(this.#usedAt, at);
    this.#sql.exec(
      'UPDATE totals SET settled = settled + 1, abandoned = abandoned - ?, spent_usd = spent_usd + ?, used_at = ?',
      ...[late === null ? 0 : 1, (costUsd ?? 0) - (late ?? 0), this.#usedAt],
    );
    if (lane) this.#keep(lane);
  }

  #keep({ next, base, customer, before, endsAt }: EndedLaneStep): void {
    const current = this.#lanes.get(next.id);
    // A lane that was dropped meanwhile, or never was, is opened; one that went on without this step is left alone.
    const isFork = current !== undefined && !keepsLane(current, base, next);
    const inherited = isFork ? before : (current?.ending.inherited ?? NO_EXPERIENCE);
    this.#write({
      ...next,
      ...(isFork ? { id: newId() } : {}),
      ending: { customer, inherited, at: endsAt, isTold: false },
    });
    for (const [id, oldest] of this.#lanes) {
      if (this.#lanes.size <= MOST_LANES) break;
      this.#drop(id, oldest);
    }
  }

  #write(lane: KeptLane): void {
    this.#lanes.delete(lane.id);
    this.#lanes.set(lane.id, lane);
    this.#sql.exec(
      'INSERT OR REPLACE INTO lanes (id, used_at, lane) VALUES (?, ?, ?)',
      ...[lane.id, lane.usedAt, JSON.stringify(lane)],
    );
  }

  /** What it has shown stays until it is told. */
  #drop(id: string, lane: KeptLane): void {
    const counts = lane.ending.isTold ? null : countsOf(lane.ending.customer, lane, lane.ending.inherited);
    this.#lanes.delete(id);
    this.#sql.exec('DELETE FROM lanes WHERE id = ?', id);
    if (!counts) return;
    this.#sql.exec(
      'INSERT OR REPLACE INTO dropped (id, ends_at, counts) VALUES (?, ?, ?)',
      ...[id, lane.ending.at, JSON.stringify(counts)],
    );
    this.#droppedEnd = Math.min(this.#droppedEnd ?? lane.ending.at, lane.ending.at);
  }

  /** Lanes that have ended, were not told yet, and have shown something: as many as are told together. */
  ended(now: number): LaneCounts[] {
    if (!this.#isThere) return [];
    const dropped = this.#sql.exec(
      'SELECT counts FROM dropped WHERE ends_at <= ? ORDER BY ends_at LIMIT ?',
      ...[now, TOLD_TOGETHER],
    );
    // Written by `#drop`.
    const ended = [...dropped].map(({ counts }) => JSON.parse(String(counts)) as LaneCounts);
    for (const lane of this.#lanes.values()) {
      if (ended.length >= TOLD_TOGETHER) break;
      if (lane.ending.isTold || lane.ending.at > now) continue;
      const counts = countsOf(lane.ending.customer, lane, lane.ending.inherited);
      if (counts) ended.push(counts);
      else this.#told(lane);
    }
    return ended;
  }

  /** The queue has them. A lane that went on meanwhile will be told again. */
  tell(lanes: readonly LaneCounts[]): void {
    for (const { lane: id, ended_at } of lanes) {
      const lane = this.#lanes.get(id);
      if (lane?.usedAt === ended_at) this.#told(lane);
      this.#sql.exec('DELETE FROM dropped WHERE id = ?', id);
    }
    if (this.#droppedEnd !== null) this.#droppedEnd = this.#readDroppedEnd();
  }

  #told(lane: KeptLane): void {
    const told = { ...lane, ending: { ...lane.ending, isTold: true } };
    // In its place: it was not used.
    this.#lanes.set(lane.id, told);
    this.#sql.exec('UPDATE lanes SET lane = ? WHERE id = ?', JSON.stringify(told), lane.id);
  }

  /** Of these steps the ones that have not ended, and whether they ever will; null: it knows of none any more. */
  unsettled(ids: readonly string[]): { id: string; isAbandoned: boolean }[] | null {
    if (!this.#isThere) return null;
    return ids.flatMap((id) => {
      const [step] = this.#sql.exec('SELECT abandoned_usd FROM steps WHERE id = ?', id);
      return step ? [{ id, isAbandoned: step.abandoned_usd !== null }] : [];
    });
  }

  /** Steps that are due and not abandoned yet. */
  due(now: number): BegunStep[] {
    if (!this.#isThere) return [];
    const rows = this.#sql.exec(
      'SELECT id, due_at, record FROM steps WHERE abandoned_usd IS NULL AND due_at <= ? ORDER BY due_at LIMIT 50',
      now,
    );
    // Written by `begin`.
    return [...rows].map(({ id, due_at, record }) => ({
      requestId: String(id),
      dueAt: Number(due_at),
      record: JSON.parse(String(record)) as StepRecord,
    }));
  }

  /** They count at their estimated cost from now on; a later settle corrects it. */
  abandon(steps: readonly BegunStep[]): void {
    for (const { requestId, record } of steps) {
      const { rowsWritten } = this.#sql.exec(
        "UPDATE steps SET abandoned_usd = ?, record = '' WHERE id = ? AND abandoned_usd IS NULL",
        ...[record.cost_usd ?? 0, requestId],
      );
      if (rowsWritten === 0) continue;
      this.#due.delete(requestId);
      this.#sql.exec(
        'UPDATE totals SET abandoned = abandoned + 1, spent_usd = spent_usd + ?, used_at = ?',
        ...[record.cost_usd ?? 0, this.#usedAt],
      );
    }
  }

  get totals(): SessionTotals {
    if (!this.#isThere) return { begun: 0, settled: 0, abandoned: 0, spentUsd: 0 };
    const { settled, abandoned, spent_usd } = this.#sql.exec('SELECT * FROM totals').one();
    return {
      begun: Number(settled) + Number(abandoned) + this.#due.size,
      settled: Number(settled),
      abandoned: Number(abandoned),
      spentUsd: Number(spent_usd),
    };
  }

  /** All its lanes, those used last at the end. */
  get lanes(): Lane[] {
    return [...this.#lanes.values()];
  }

  /**
   * When a step is next due or a lane next ends (null: none is on its way, and all that ended were told), and when the
   * session was last used (null: never).
   */
  get times(): { nextDue: number | null; usedAt: number | null } {
    if (!this.#isThere) return { nextDue: null, usedAt: null };
    const times = [...this.#due.values()];
    if (this.#droppedEnd !== null) times.push(this.#droppedEnd);
    for (const { ending } of this.#lanes.values()) if (!ending.isTold) times.push(ending.at);
    return { nextDue: times.length > 0 ? Math.min(...times) : null, usedAt: this.#usedAt };
  }
}

function toldBefore({ usedAt }: Lane): KeptLane['ending'] {
  return { customer: '', inherited: NO_EXPERIENCE, at: usedAt, isTold: true };
}

/** 96 random bits: an id in one session. */
function newId(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(12))).toString('base64url');
}
