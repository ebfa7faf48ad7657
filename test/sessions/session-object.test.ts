import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SESSION_USE } from '../../src/core/accounting/infra-cost.ts';
import type { FoundLane, Lane } from '../../src/core/context/lanes.ts';
import { withStep } from '../../src/core/routing/experience.ts';
import { fromCounts } from '../../src/core/routing/experience-counts.ts';
import type { LaneCounts } from '../../src/pipeline/lane-counts.ts';
import type { SessionTotals } from '../../src/sessions/session-book.ts';
import type { Spent } from '../local/fixtures/objects.ts';
import { type Objects, startObjects } from './objects.ts';

let objects: Objects;
beforeAll(async () => {
  objects = await startObjects();
});
afterAll(() => objects.stop());

const question = (...chain: string[]) => ({ chain, at: Date.now() });
const step = (requestId: string, dueAt = Date.now() + 900_000) => ({
  requestId,
  dueAt,
  record: { request_id: requestId, state: 'abandoned', cost_usd: 0.25 },
});
const session = (name: string) => ({
  begin: (id: string, chain: string[], dueAt?: number) =>
    objects.call<FoundLane>('SESSIONS', name, 'begin', step(id, dueAt), question(...chain)),
  settle: (
    requestId: string,
    { lane, base }: FoundLane,
    sent: string,
    answered: string,
    { costUsd = 0.1, endsAt = Date.now() + 3_600_000, usedAt = Date.now() } = {},
  ) => {
    const number = lane.steps + 1;
    const lived = {
      floor: 'easy' as const,
      tokens: 100 * number,
      output: 7,
      blocks: number,
      at: 10 * number,
      number,
    };
    const experience = withStep(lane.experience, lived, lane.before);
    const next: Lane = { ...lane, sent, answered, steps: number, experience, before: lived, usedAt };
    const kept = { next, base, customer: 'acme', before: lane.experience, endsAt };
    return objects.call('SESSIONS', name, 'settle', { requestId, costUsd, lane: kept });
  },
  peek: (...chain: string[]) => objects.call<FoundLane>('SESSIONS', name, 'peek', question(...chain)),
  describe: () => objects.call<{ totals: SessionTotals; lanes: Lane[] }>('SESSIONS', name, 'describe'),
});

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await isTrue()) return;
    await sleep(50);
  }
  throw new Error('it did not come true in five seconds');
}

describe('the object of a session', () => {
  test('64 steps at once are counted exactly, and each opens the lane it should', async () => {
    const { begin, settle, describe: look } = session('busy');
    const ids = Array.from({ length: 64 }, (_, i) => `step-${i}`);
    const found = await Promise.all(ids.map((id) => begin(id, [`ask ${id}`])));
    await Promise.all(found.map((one, i) => settle(`step-${i}`, one, `ask step-${i}`, `answer step-${i}`)));
    // A message that comes twice counts once.
    await settle('step-0', found[0] as FoundLane, 'ask step-0', 'answer step-0');
    const { totals, lanes } = await look();
    expect(totals).toMatchObject({ begun: 64, settled: 64, abandoned: 0 });
    expect(totals.spentUsd).toBeCloseTo(6.4, 9);
    expect(new Set(lanes.map(({ id }) => id)).size).toBe(64);
  });

  test('traps T23: a lane goes on with what was said, and survives a restart', async () => {
    const { begin, settle, peek } = session('agent');
    await settle('a1', await begin('a1', ['u1']), 'u1', 'a1');
    await objects.restart();
    const second = await begin('a2', ['u1', 'a1', 'u2']);
    expect(second.base).toBe('u1');
    expect(second.lane).toMatchObject({ sent: 'u1', answered: 'a1', steps: 1 });
    expect((await peek('other')).base).toBeNull();
  });

  test('it knows which of some steps have not ended, and which never will', async () => {
    const { begin, settle } = session('ends');
    await begin('e1', ['u1']);
    await settle('e2', await begin('e2', ['u2']), 'u2', 'a2');
    await begin('e3', ['u3'], Date.now() - 1);
    const look = () =>
      objects.call<{ id: string; isAbandoned: boolean }[]>('SESSIONS', 'ends', 'unsettled', [
        'e1',
        'e2',
        'e3',
      ]);
    await until(async () => (await look()).some(({ isAbandoned }) => isAbandoned));
    expect(await look()).toEqual([
      { id: 'e1', isAbandoned: false },
      { id: 'e3', isAbandoned: true },
    ]);
    expect(await objects.call('SESSIONS', 'nobody', 'unsettled', ['e1'])).toBeNull();
  });

  test('two that extend one lane fork, and the first to settle keeps it', async () => {
    const { begin, settle, describe: look } = session('fork');
    await settle('f1', await begin('f1', ['u1']), 'u1', 'a1');
    const [one, two] = await Promise.all([begin('f2', ['u1', 'a1', 'u2']), begin('f3', ['u1', 'a1', 'U2'])]);
    await settle('f3', two, 'U2', 'A2');
    await settle('f2', one, 'u2', 'a2');
    const { lanes } = await look();
    expect(lanes.map(({ sent, answered }) => [sent, answered]).sort()).toEqual([
      ['U2', 'A2'],
      ['u2', 'a2'],
    ]);
    expect(lanes.find(({ sent }) => sent === 'U2')?.id).toBe(one.lane.id);
  });

  test('at most 256 lanes: the oldest goes', async () => {
    const { begin, settle, describe: look } = session('many');
    const opened = await begin('first', ['u']);
    await settle('first', opened, 'u', 'a');
    for (let batch = 0; batch < 4; batch += 1) {
      const ids = Array.from({ length: 65 }, (_, n) => `many-${batch}-${n}`);
      const found = await Promise.all(ids.map((id) => begin(id, [`ask ${id}`])));
      await Promise.all(
        found.map((one, n) => settle(ids[n] ?? '', one, `ask ${ids[n]}`, `answer ${ids[n]}`)),
      );
    }
    const { lanes } = await look();
    expect(lanes).toHaveLength(256);
    expect(lanes.some(({ id }) => id === opened.lane.id)).toBe(false);
    expect(lanes.filter(({ sent }) => sent.startsWith('ask many-3'))).toHaveLength(65);
  });

  test('traps T31: what was begun and never settled is a row, once, and a late settle corrects the sum', async () => {
    const { begin, settle, describe: look } = session('lost');
    const found = await begin('lost-1', ['u1'], Date.now() + 200);
    await until(async () => (await look()).totals.abandoned === 1);
    expect((await look()).totals).toMatchObject({ begun: 1, settled: 0, abandoned: 1, spentUsd: 0.25 });
    await until(async () => (await objects.delivered()).some((row) => row.request_id === 'lost-1'));
    await settle('lost-1', found, 'u1', 'a1', { costUsd: 0.125 });
    expect((await look()).totals).toMatchObject({ settled: 1, abandoned: 0, spentUsd: 0.125 });
    const rows = (await objects.delivered()).filter((row) => row.request_id === 'lost-1');
    expect(rows).toEqual([{ request_id: 'lost-1', state: 'abandoned', cost_usd: 0.25 }]);
  });

  test('after a restart it closes what fell due meanwhile, once somebody looks at it', async () => {
    const { begin, describe: look } = session('restarted');
    await begin('restarted-1', ['u1'], Date.now() + 1_500);
    await objects.restart();
    await sleep(1_600);
    await look();
    await until(async () => (await look()).totals.abandoned === 1);
    expect((await objects.delivered()).map((row) => row.request_id)).toContain('restarted-1');
  });

  test('a day after its last use nothing is left of it', async () => {
    const { begin, describe: look } = session('old');
    const ago = (hours: number) => Date.now() - hours * 3_600_000;
    const old = { chain: ['u1'], at: ago(24.1) };
    await objects.call('SESSIONS', 'old', 'begin', step('old-1', ago(23.9)), old);
    await until(async () => (await look()).totals.begun === 0);
    expect(await look()).toEqual({
      totals: { begun: 0, settled: 0, abandoned: 0, spentUsd: 0 },
      lanes: [],
    });
    expect((await objects.delivered()).map((row) => row.request_id)).toContain('old-1');
    // One that was used since is all there.
    await begin('old-2', ['u1']);
    await objects.call('SESSIONS', 'old', 'begin', step('old-3', ago(1)), old);
    await until(async () => (await look()).totals.abandoned === 1);
    expect((await look()).totals.begun).toBe(2);
  });

  test('a lane that ended is told once, all of it, and again only if it went on', async () => {
    const { begin, settle } = session('ending');
    const told = async () =>
      (await objects.delivered()).filter(({ lane }) => lane === found.lane.id) as unknown as LaneCounts[];
    const found = await begin('e1', ['u1']);
    await settle('e1', found, 'u1', 'a1', { endsAt: Date.now() + 100 });
    await until(async () => (await told()).length === 1);
    await objects.restart();
    await settle('e2', await begin('e2', ['u1', 'a1', 'u2']), 'u2', 'a2', { endsAt: Date.now() + 100 });
    // What was delivered before is gone with the process that it was delivered to.
    await until(async () => (await told()).length > 0);
    await sleep(300);
    const rows = await told();
    expect(rows).toHaveLength(1);
    expect(rows[0]?.customer).toBe('acme');
    // Reached its first step and its second, and ended after that; 10 seconds between, 100 tokens more.
    expect(fromCounts(rows[0]?.counts ?? [])).toMatchObject({
      ...{ reached: [1, 1, 0, 0, 0, 0, 0, 0], ended: [0, 1, 0, 0, 0, 0, 0, 0] },
      ...{ steps: 1, tokens: 100, blocks: 1, gaps: 1, seconds: 10, answers: 2, output: 14 },
    });
  });

  test('a step of a lane writes the rows it is reckoned with', async () => {
    const { begin, settle } = session('rows');
    const spent = () => objects.call<Spent>('SESSIONS', 'rows', 'spent');
    await settle('r0', await begin('r0', ['u0']), 'u0', 'a0');
    const before = await spent();
    await settle('r1', await begin('r1', ['u0', 'a0', 'u1']), 'u1', 'a1');
    const after = await spent();
    expect(after.rowsWritten - before.rowsWritten).toBe(Math.floor(SESSION_USE.durableObjectRows));
    expect(after.statements - before.statements).toBe(4);
  });

  test('traps T62: an object that was only looked at keeps nothing', async () => {
    const { peek, describe: look } = session('peeked');
    expect((await peek('u1')).lane).toMatchObject({ steps: 0, sent: '' });
    expect(await look()).toEqual({
      totals: { begun: 0, settled: 0, abandoned: 0, spentUsd: 0 },
      lanes: [],
    });
  });
});
