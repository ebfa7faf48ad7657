import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { COUNTS, fromCounts } from '../../src/core/routing/experience-counts.ts';
import { consumeDead, consumeSteps } from '../../src/log/consumer.ts';
import { foldExperience, forgetOldLanes, keepEndedLanes } from '../../src/log/experience.ts';
import { HeldSteps } from '../../src/log/held-steps.ts';
import { runMaintenance } from '../../src/log/maintenance.ts';
import { migrate } from '../../src/log/migrate.ts';
import type { LaneCounts } from '../../src/pipeline/lane-counts.ts';
import { type Database, openDatabase } from '../../src/stores/database.ts';
import { FakeQueue } from './queue.ts';
import { step } from './records.ts';
import {
  type FaultyPostgres,
  type FaultyRedis,
  onEachPostgres,
  startPostgres,
  startRedis,
} from './stores.ts';

const DAY = 86_400_000;
const NOW = Date.now();

/** A lane that ended so many days ago and showed the same number all over. */
function lane(id: string, count: number, { customer = 'acme', days = 0 } = {}): LaneCounts {
  const counts = Array.from({ length: COUNTS }, () => count);
  return { lane: id, customer, ended_at: Math.round(NOW - days * DAY), counts };
}

onEachPostgres((open) => {
  let postgres: FaultyPostgres;
  let redis: FaultyRedis;
  let database: Database;
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([startPostgres(open), startRedis()]);
    await migrate(postgres.url);
    database = openDatabase(postgres.url, 60_000);
  }, 60_000);
  afterAll(() => Promise.all([postgres.close(), redis.close()]));
  afterEach(() =>
    postgres.read('TRUNCATE ended_lanes, customer_experience, customers, customer_settings, queries'),
  );

  const stores = () => ({ database, redis: redis.direct });
  /** Each customer's experience: the same number all over. */
  const folded = async () => {
    const rows = await postgres.read('SELECT customer, counts FROM customer_experience ORDER BY customer');
    return Object.fromEntries(
      rows.map(({ customer, counts }) => {
        const numbers = counts as number[]; // the column's type
        expect(fromCounts(numbers)).not.toBeNull();
        expect(new Set(numbers.map((number) => number.toFixed(6))).size).toBe(1);
        return [String(customer), numbers[0]];
      }),
    );
  };
  const lanes = async () =>
    (await postgres.read('SELECT lane FROM ended_lanes ORDER BY lane')).map((row) => row.lane);

  test('what lanes have shown adds up by customer; told twice, late or in any order it counts once', async () => {
    const queue = new FakeQueue();
    const messages = [
      [lane('one', 3, { days: 1e-4 }), lane('two', 5)],
      [lane('theirs', 7, { customer: 'globex' }), lane('one', 4)],
      [lane('two', 5), lane('two', 5)],
      [lane('one', 3, { days: 1e-4 })],
    ];
    for (const bodies of [messages, messages.toReversed(), [messages.flat()]]) {
      const batch = queue.batchOf(bodies);
      await consumeSteps(batch, stores());
      expect(batch.messages.map(({ outcome }) => outcome)).toEqual(bodies.map(() => 'acked'));
      await foldExperience(database);
      const { acme, globex } = await folded();
      // Of `one` what it was when it ended last. Half a minute weighs nothing.
      expect(acme).toBeCloseTo(9, 2);
      expect(globex).toBeCloseTo(7, 2);
    }
    expect(await lanes()).toEqual(['one', 'theirs', 'two']);
  });

  test('steps and lanes share a queue; where Postgres is down both wait for it', async () => {
    const queue = new FakeQueue();
    const bodies = [[step()], [lane('one', 1)], [lane('old form', 1).counts]];
    postgres.mood = 'down';
    const failed = queue.batchOf(bodies);
    await consumeSteps(failed, stores());
    expect(failed.messages.map(({ outcome }) => outcome)).toEqual([2, 2, 'acked']);
    postgres.mood = 'up';
    await consumeSteps(queue.batchOf(bodies.slice(0, 2)), stores());
    expect(await lanes()).toEqual(['one']);
    expect(await postgres.read('SELECT 1 FROM queries')).toHaveLength(1);
    // What nobody could write for hours is let go.
    const dead = queue.batchOf([[lane('two', 1)]]);
    await consumeDead(dead, stores());
    expect(dead.messages[0]?.outcome).toBe('acked');
    expect(await lanes()).toEqual(['one']);
  });

  test('the newest weeks decide: two weeks ago is half, and after eight nothing is left', async () => {
    await keepEndedLanes(database, [
      ...[lane('new', 8), lane('two weeks', 8, { days: 14 }), lane('four', 8, { days: 28 })],
      ...[lane('nine', 8, { days: 63 }), lane('gone', 8, { customer: 'globex', days: 57 })],
    ]);
    await foldExperience(database);
    const { acme, ...others } = await folded();
    expect(acme).toBeCloseTo(8 + 4 + 2, 3);
    expect(others).toEqual({});
    expect(await forgetOldLanes(database)).toBe(2);
    expect(await lanes()).toEqual(['four', 'new', 'two weeks']);
  });

  test('a customer that keeps nothing for so long is forgotten sooner, its experience with it', async () => {
    await postgres.read(
      `INSERT INTO customer_settings (customer, version, settings, sealed, created_by) VALUES ('acme', 1, '{"retention_days": 3}', '{}', 'k')`,
    );
    const both = ['acme', 'globex'].map((customer) => lane(customer, 8, { customer, days: 4 }));
    await keepEndedLanes(database, both);
    await foldExperience(database);
    expect(Object.keys(await folded())).toEqual(['acme', 'globex']);
    expect(await forgetOldLanes(database)).toBe(1);
    await postgres.read("UPDATE customer_experience SET folded_at = now() - interval '25 hours'");
    await postgres.read("UPDATE ended_lanes SET told_at = now() - interval '25 hours'");
    await foldExperience(database);
    expect(Object.keys(await folded())).toEqual(['globex']);
  });

  test('a customer of many lanes keeps its newest, and others are not crowded out', async () => {
    await keepEndedLanes(
      database,
      Array.from({ length: 600 }, (_, i) => lane(`busy-${i}`, 1, { customer: 'busy', days: i / 1e4 })),
    );
    const small = Array.from({ length: 45 }, (_, i) => `small-${String(i).padStart(2, '0')}`);
    await keepEndedLanes(
      database,
      small.map((customer) => lane('a lane', 2, { customer })),
    );
    expect(await foldExperience(database)).toBe(46);
    const { busy, ...others } = await folded();
    expect(busy).toBeGreaterThan(495);
    expect(busy).toBeLessThanOrEqual(500);
    expect(Object.keys(others)).toEqual(small);
    expect(await forgetOldLanes(database)).toBe(100);
    expect(await lanes()).not.toContain('busy-599');
    expect(await lanes()).toContain('busy-0');
  });

  test('the scheduled job does it once an hour, and what is of another version is no evidence', async () => {
    const maintained = { queue: new FakeQueue(), ...stores(), held: new HeldSteps() };
    await keepEndedLanes(database, [lane('one', 1)]);
    await postgres.read("INSERT INTO ended_lanes VALUES ('acme', 'older', now(), '{9,9}')");
    await runMaintenance(maintained, new Date('2026-11-23T12:40:59Z'));
    expect(await folded()).toEqual({});
    await runMaintenance(maintained, new Date('2026-11-23T12:41:00Z'));
    expect((await folded()).acme).toBeCloseTo(1, 2);
  });
});
