import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Lane } from '../../src/core/context/lanes.ts';
import { NO_EXPERIENCE, together, withStep } from '../../src/core/routing/experience.ts';
import { fromCounts } from '../../src/core/routing/experience-counts.ts';
import type { LaneCounts } from '../../src/pipeline/lane-counts.ts';
import type { StepRecord } from '../../src/pipeline/record.ts';
import { SessionBook } from '../../src/sessions/session-book.ts';
import { step as record } from '../log/records.ts';
import { openSql } from '../stores/sql-in-node.ts';

/** A lane ends so long after its last use. */
const SILENCE = 1_000;

/** A session whose steps take their time: each ms one of them. */
function openSession(sql = openSql()) {
  let now = 0;
  let book = new SessionBook(sql);
  const step = (chain: string[], opened: Lane | null = null) => {
    now += 1;
    const requestId = `step-${now}`;
    const row: StepRecord = record({ request_id: requestId });
    book.begin({ requestId, dueAt: 1e9, record: row }, now);
    const found = book.find({ chain, at: now }, opened);
    return { requestId, found, chain };
  };
  const settle = ({ requestId, found: { lane, base }, chain }: ReturnType<typeof step>, answered: string) => {
    now += 1;
    const number = lane.steps + 1;
    const lived = {
      floor: 'easy' as const,
      tokens: 100 * number,
      output: 7,
      blocks: number,
      at: now,
      number,
    };
    const next: Lane = {
      ...lane,
      ...{ sent: chain.at(-1) ?? '', answered, steps: number, before: lived, usedAt: now },
      experience: withStep(lane.experience, lived, lane.before),
    };
    const ended = { next, base, customer: 'acme', before: lane.experience, endsAt: now + SILENCE };
    book.settle({ requestId, costUsd: 0, lane: ended }, now);
  };
  return {
    step,
    settle,
    run: (chain: string[], answered: string) => settle(step(chain), answered),
    /** What is told until nothing is left, after so long; each message with at most a hundred. */
    told(after = SILENCE): LaneCounts[] {
      now += after;
      const all: LaneCounts[] = [];
      for (let some = book.ended(now); some.length > 0; some = book.ended(now)) {
        expect(some.length).toBeLessThanOrEqual(100);
        all.push(...some);
        book.tell(some);
      }
      return all;
    },
    again: () => {
      book = new SessionBook(sql);
    },
    get book() {
      return book;
    },
  };
}

const sumOf = (lanes: readonly LaneCounts[]) =>
  lanes.reduce((sum, { counts }) => together(sum, fromCounts(counts) ?? NO_EXPERIENCE), NO_EXPERIENCE);

test('a lane is told once it was silent for long enough, and again only if it went on', () => {
  const { run, told, again } = openSession();
  run(['u1'], 'a1');
  expect(told(SILENCE - 1)).toEqual([]);
  const [first] = told(1);
  again();
  expect(told()).toEqual([]);
  run(['u1', 'a1', 'u2'], 'a2');
  const [second] = told();
  expect(second?.lane).toBe(first?.lane);
  expect(second?.ended_at).toBeGreaterThan(first?.ended_at ?? 0);
  // All of it: whoever keeps the later one alone has it right.
  expect(fromCounts(second?.counts ?? [])).toMatchObject({
    ...{
      reached: [1, 1, 0, 0, 0, 0, 0, 0],
      ended: [0, 1, 0, 0, 0, 0, 0, 0],
      steps: 1,
      tokens: 100,
      answers: 2,
    },
  });
});

test('what nobody took is told again, and what went on meanwhile too', () => {
  const session = openSession();
  session.run(['u1'], 'a1');
  const late = SILENCE + 10;
  const told = session.book.ended(late);
  session.again();
  expect(session.book.ended(late)).toEqual(told);
  session.run(['u1', 'a1', 'u2'], 'a2');
  session.book.tell(told);
  expect(session.told().map(({ counts }) => fromCounts(counts)?.answers)).toEqual([2]);
});

test('lanes that fork count every step once', () => {
  const { run, step, settle, told } = openSession();
  run(['u1'], 'a1');
  // Three that go on from the same answer: the lane and two forks of it, one of which goes on.
  const forks = ['x', 'y', 'z'].map((ask) => step(['u1', 'a1', ask]));
  for (const fork of forks) settle(fork, `to ${fork.chain[2]}`);
  run(['u1', 'a1', 'z', 'to z', 'more'], 'done');
  const lanes = told();
  expect(lanes).toHaveLength(3);
  const { answers, reached, ended, steps } = sumOf(lanes);
  expect({ answers, steps }).toEqual({ answers: 5, steps: 4 });
  expect(reached.slice(0, 3)).toEqual([1, 4, 0]);
  expect(ended.slice(0, 3)).toEqual([0, 3, 0]);
});

test('lanes that are dropped for newer ones are told all the same', () => {
  const session = openSession();
  for (let n = 0; n < 400; n += 1) session.run([`ask ${n}`], `answer ${n}`);
  expect(session.book.lanes).toHaveLength(256);
  session.again();
  const lanes = session.told();
  expect(new Set(lanes.map(({ lane }) => lane)).size).toBe(400);
  expect(sumOf(lanes)).toMatchObject({ answers: 400, reached: [400, 0, 0, 0, 0, 0, 0, 0] });
  expect(session.book.times.nextDue).toBeNull();
  session.again();
  expect(session.told()).toEqual([]);
});

test('traps T62: a session without a lane goes on with the one that was opened before it was there', () => {
  const { step, settle, told } = openSession();
  const elsewhere = openSession();
  elsewhere.run(['u1'], 'a1');
  const [opened = null] = elsewhere.book.lanes;
  const second = step(['u1', 'a1', 'u2'], opened);
  expect(second.found.base).toBe('u1');
  expect(second.found.lane).toEqual(opened);
  settle(second, 'a2');
  expect(step(['u1', 'a1', 'u2', 'a2', 'u3'], opened).found.lane.steps).toBe(2);
  expect(sumOf(told())).toMatchObject({ answers: 2, reached: [1, 1, 0, 0, 0, 0, 0, 0] });
});

test('a session that a version before lanes were told has left comes to rest, and its lane is told once it goes on', () => {
  const sql = openSql();
  const elsewhere = openSession();
  elsewhere.run(['u1'], 'a1');
  const [lane] = elsewhere.book.lanes;
  // As that version made and left them (4fd0487).
  sql.exec(`
    CREATE TABLE lanes (id TEXT PRIMARY KEY, used_at INTEGER NOT NULL, lane TEXT NOT NULL);
    CREATE TABLE steps (id TEXT PRIMARY KEY, due_at INTEGER NOT NULL, record TEXT NOT NULL, abandoned_usd REAL);
    CREATE TABLE totals (
      begun INTEGER NOT NULL, settled INTEGER NOT NULL, abandoned INTEGER NOT NULL, spent_usd REAL NOT NULL,
      used_at INTEGER NOT NULL);
    INSERT INTO totals VALUES (1, 1, 0, 0.5, 2);`);
  sql.exec(
    'INSERT INTO lanes VALUES (?, ?, ?)',
    ...[lane?.id ?? '', 2, JSON.stringify({ ...lane, ending: undefined })],
  );
  const session = openSession(sql);
  expect(session.book.times).toEqual({ nextDue: null, usedAt: 2 });
  expect(session.told()).toEqual([]);
  session.run(['u1', 'a1', 'u2'], 'a2');
  expect(session.book.totals).toEqual({ begun: 2, settled: 2, abandoned: 0, spentUsd: 0.5 });
  session.again();
  expect(session.told()).toMatchObject([{ lane: lane?.id, customer: 'acme' }]);
  session.again();
  expect(session.book.times.nextDue).toBeNull();
});

test('what it remembers is what its tables say, whatever happens, and every step counts once', () => {
  const move = fc.record({
    kind: fc.constantFrom('begin' as const, 'settle' as const, 'again' as const, 'alarm' as const),
    id: fc.integer({ min: 1, max: 12 }),
    ms: fc.nat(120),
  });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const sql = openSql();
      let book = new SessionBook(sql);
      let now = 1;
      const begun = new Map<string, 'open' | 'abandoned' | 'settled'>();
      for (const { kind, id, ms } of moves) {
        now += ms;
        const requestId = `step-${id}`;
        if (kind === 'again') book = new SessionBook(sql);
        if (kind === 'begin' && begun.get(requestId) !== 'settled') {
          book.begin({ requestId, dueAt: now + 200, record: record({ cost_usd: 1 }) }, now);
          if (!begun.has(requestId)) begun.set(requestId, 'open');
        }
        if (kind === 'settle') {
          const { lane, base } = book.find({ chain: [requestId], at: now }, null);
          const next = { ...lane, sent: requestId, answered: 'a', steps: 1, usedAt: now };
          const ended = { next, base, customer: 'acme', before: lane.experience, endsAt: now + 100 };
          book.settle({ requestId, costUsd: 3, lane: ended }, now);
          if (begun.has(requestId)) begun.set(requestId, 'settled');
        }
        if (kind === 'alarm') {
          const due = book.due(now);
          book.abandon(due);
          for (const step of due) begun.set(step.requestId, 'abandoned');
          book.tell(book.ended(now));
        }
        const states = [...begun.values()];
        const count = (state: string) => states.filter((one) => one === state).length;
        expect(book.totals).toEqual({
          begun: begun.size,
          settled: count('settled'),
          abandoned: count('abandoned'),
          spentUsd: 3 * count('settled') + count('abandoned'),
        });
        const read = new SessionBook(sql);
        expect(read.totals).toEqual(book.totals);
        expect(read.times.nextDue).toBe(book.times.nextDue);
        // A step on its way uses the session until it is due.
        if (count('open') === 0) expect(read.times.usedAt).toBe(book.times.usedAt);
        else expect(read.times.usedAt).toBeGreaterThanOrEqual(book.times.usedAt ?? 0);
      }
    }),
  );
});
