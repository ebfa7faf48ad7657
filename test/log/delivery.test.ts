import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { consumeDead, consumeSteps, retryDelay } from '../../src/log/consumer.ts';
import { HeldSteps } from '../../src/log/held-steps.ts';
import { insertSteps } from '../../src/log/insertion.ts';
import { migrate } from '../../src/log/migrate.ts';
import { flushHeld, type LogStores, logStep } from '../../src/log/outbox.ts';
import { drainParked } from '../../src/log/parking.ts';
import type { StepRecord } from '../../src/pipeline/record.ts';
import { type Database, openDatabase } from '../../src/stores/database.ts';
import { openRedis, REDIS_LISTS, type Redis } from '../../src/stores/redis.ts';
import { type FakeMessage, FakeQueue } from './queue.ts';
import { step } from './records.ts';
import {
  type FaultyPostgres,
  type FaultyRedis,
  onEachPostgres,
  startPostgres,
  startRedis,
} from './stores.ts';

/** A store that is up answers, however busy the machine is. */
const PATIENCE_MS = 60_000;

let postgres: FaultyPostgres;
let redisServer: FaultyRedis;
let database: Database;
let redis: Redis;
let queue: FakeQueue;
let lines: string[];

function stores(held = new HeldSteps()): LogStores {
  return { queue, database, redis, held, wait: async () => {} };
}

async function loggedIds(): Promise<string[]> {
  const rows = await postgres.read('SELECT request_id FROM queries ORDER BY request_id COLLATE "C"');
  return rows.map((row) => String(row.request_id));
}

async function park(entries: string[]): Promise<void> {
  for (const entry of entries) await redisServer.direct.rpush(REDIS_LISTS.parked, entry);
}

const idsOf = (records: StepRecord[]) => records.map((record) => record.request_id).sort();
const listOf = (name: keyof typeof REDIS_LISTS) => redisServer.direct.lrange(REDIS_LISTS[name], 0, -1);

onEachPostgres((open) => {
  beforeAll(async () => {
    [postgres, redisServer] = await Promise.all([startPostgres(open), startRedis()]);
    await migrate(postgres.url);
  }, 60_000);

  afterAll(async () => {
    await Promise.all([postgres.close(), redisServer.close()]);
  });

  beforeEach(async () => {
    for (const store of [postgres, redisServer]) {
      store.mood = 'up';
      store.losesAnswers = false;
    }
    await redisServer.direct.flushdb();
    await postgres.read('TRUNCATE queries, customers');
    database = openDatabase(postgres.url, PATIENCE_MS);
    redis = openRedis(redisServer.url, 'token', PATIENCE_MS);
    queue = new FakeQueue();
    lines = [];
    for (const level of ['info', 'warn', 'error'] as const) {
      vi.spyOn(console, level).mockImplementation((line) => void lines.push(String(line)));
    }
  });

  // The outbox.

  test('the queue takes the step, and no other store is asked', async () => {
    const before = postgres.calls + redisServer.calls;
    expect(await logStep(step(), stores())).toBe('queued');
    expect(queue.sent).toHaveLength(1);
    expect(postgres.calls + redisServer.calls).toBe(before);
    expect(lines).toEqual([]);
  });

  test('traps T47: send() that throws twice is tried again after a pause that grows', async () => {
    queue.failures = 2;
    const pauses: number[] = [];
    const wait = async (ms: number) => void pauses.push(ms);
    expect(await logStep(step(), { ...stores(), wait })).toBe('queued');
    // The first is for others to join.
    const [, second = 0, third] = pauses;
    expect(pauses).toHaveLength(3);
    expect(third).toBeGreaterThan(second);
  });

  test('steps that end together are one send, and each is in it', async () => {
    const all = {
      ...stores(),
      wait: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
    };
    const records = Array.from({ length: 20 }, () => step());
    // However long a busy machine takes over them: they end together.
    vi.useFakeTimers({ toFake: ['Date'] });
    const logged = records.map((record) => logStep(record, all));
    vi.useRealTimers();
    const outcomes = await Promise.all(logged);
    expect(outcomes).toEqual(['queued', ...Array.from({ length: 19 }, () => 'gathered')]);
    expect(queue.sends).toBe(1);
    expect(idsOf(queue.sent)).toEqual(idsOf(records));
    expect(all.held.size).toBe(0);
  });

  test('a request that dies while others leave it their steps: the next one takes them up', async () => {
    const held = new HeldSteps();
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const dead = { ...stores(held), wait: () => new Promise<void>(() => {}) };
      const left = [step(), step()];
      void logStep(left[0] ?? step(), dead);
      expect(await logStep(left[1] ?? step(), dead)).toBe('gathered');
      vi.setSystemTime(Date.now() + 30_000);
      const next = step();
      expect(await logStep(next, stores(held))).toBe('queued');
      expect(idsOf(queue.sent)).toEqual(idsOf([...left, next]));
      expect(held.size).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('traps T47: send() that keeps throwing: the row is written directly, once', async () => {
    queue.failures = Number.POSITIVE_INFINITY;
    const record = step();
    expect(await logStep(record, stores())).toBe('written');
    expect(await logStep(record, stores())).toBe('written');
    expect(await loggedIds()).toEqual([record.request_id]);
  });

  test.each(['down', 'hang'] as const)(
    'queue failing and Postgres %s: parked, and back once it is up',
    async (mood) => {
      queue.failures = Number.POSITIVE_INFINITY;
      postgres.mood = mood;
      database = openDatabase(postgres.url, 100);
      const records = [step(), step()];
      for (const record of records) expect(await logStep(record, stores())).toBe('parked');
      expect(await drainParked({ database, redis })).toMatchObject({ drained: 0, complete: false });
      expect(await listOf('parked')).toHaveLength(2);

      postgres.mood = 'up';
      // With the time a busy machine takes: the short limit was for the outage.
      database = openDatabase(postgres.url, PATIENCE_MS);
      expect(await drainParked({ database, redis })).toEqual({ drained: 2, dead: 0, complete: true });
      expect(await loggedIds()).toEqual(idsOf(records));
      expect(await listOf('parked')).toEqual([]);
    },
  );

  test.each(['down', 'hang'] as const)(
    'all stores %s: held, and out with the next step that gets through',
    async (mood) => {
      database = openDatabase(postgres.url, 100);
      redis = openRedis(redisServer.url, 'token', 100);
      const all = stores();
      queue.failures = Number.POSITIVE_INFINITY;
      postgres.mood = redisServer.mood = mood;
      const records = [step(), step(), step()];
      for (const record of records) expect(await logStep(record, all)).toBe('held');
      expect(all.held.size).toBe(3);

      queue.failures = 0;
      const next = step();
      expect(await logStep(next, all)).toBe('queued');
      expect(all.held.size).toBe(0);
      expect(idsOf(queue.sent)).toEqual(idsOf([...records, next]));
    },
  );

  test.each(['postgres', 'redis'] as const)(
    'what is held goes to %s where that is the first store back',
    async (back) => {
      const all = stores();
      queue.failures = Number.POSITIVE_INFINITY;
      postgres.mood = redisServer.mood = 'down';
      const records = [step(), step()];
      for (const record of records) await logStep(record, all);
      await flushHeld(all);
      expect(all.held.size).toBe(2);

      if (back === 'postgres') postgres.mood = 'up';
      else redisServer.mood = 'up';
      await flushHeld(all);
      expect(all.held.size).toBe(0);
      const there =
        back === 'postgres'
          ? await loggedIds()
          : (await listOf('parked')).map((entry) => JSON.parse(entry).request_id);
      expect(there).toEqual(idsOf(records));
    },
  );

  test('everything down and the memory full: lost, and said so', async () => {
    const all = stores(new HeldSteps(1));
    queue.failures = Number.POSITIVE_INFINITY;
    postgres.mood = redisServer.mood = 'down';
    expect(await logStep(step(), all)).toBe('held');
    expect(await logStep(step(), all)).toBe('lost');
    expect(lines.map((line) => JSON.parse(line))).toContainEqual({
      level: 'error',
      code: 'step_lost',
      held: 1,
    });
  });

  test('a step whose delivery died is taken up, but not while it is still being delivered', () => {
    const held = new HeldSteps();
    const record = step();
    held.hold(record, 1_000);
    expect(held.take(999, 2_000, 10)).toEqual([]);
    expect(held.take(1_000, 2_000, 10)).toEqual([record]);
    expect(held.take(1_500, 2_000, 10)).toEqual([]);
  });

  test('traps T48: no line quotes a URL, a parameter or an error', async () => {
    queue.failures = Number.POSITIVE_INFINITY;
    postgres.mood = redisServer.mood = 'down';
    await logStep(step({ requested_model: 'CANARY' }), stores());
    await consumeSteps(new FakeQueue().batchOf([step({ requested_model: 'CANARY' }), 'CANARY']), {
      database,
      redis,
    });
    postgres.mood = redisServer.mood = 'up';
    await logStep(step({ requested_model: 'CANARY\u0000' }), stores());
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      expect(Object.keys(JSON.parse(line))).toEqual(expect.arrayContaining(['level', 'code']));
      expect(line).not.toMatch(/CANARY|secret|127\.0\.0\.1|insert|req_/i);
    }
  });

  // Parked steps.

  test('a drain that dies between writing and removing repeats without a second row', async () => {
    const records = [step(), step()];
    await park(records.map((record) => JSON.stringify(record)));
    postgres.losesAnswers = true;
    expect(await drainParked({ database, redis })).toMatchObject({ complete: false });
    expect(await loggedIds()).toEqual(idsOf(records));
    postgres.losesAnswers = false;
    expect(await drainParked({ database, redis })).toMatchObject({ drained: 2, complete: true });
    expect(await loggedIds()).toEqual(idsOf(records));
    expect(await listOf('parked')).toEqual([]);
  });

  test('two drains at once, and steps parked meanwhile: each one row, nothing left', async () => {
    const records = Array.from({ length: 250 }, () => step());
    await park(records.map((record) => JSON.stringify(record)));
    await Promise.all([drainParked({ database, redis }), drainParked({ database, redis })]);
    expect(await loggedIds()).toEqual(idsOf(records));
    expect(await listOf('parked')).toEqual([]);
  });

  test('what can be no row goes to the dead list and holds up nobody', async () => {
    const good = step();
    const refused = step({ requested_model: 'nul\u0000', tags: {} });
    const entries = [
      'not JSON',
      JSON.stringify({ request_id: 'half' }),
      JSON.stringify(refused),
      JSON.stringify(good),
    ];
    await park([...entries]);
    expect(await drainParked({ database, redis })).toEqual({ drained: 1, dead: 3, complete: true });
    expect(await loggedIds()).toEqual([good.request_id]);
    expect(await listOf('dead')).toEqual(entries.slice(0, 3));
  });

  // The consumer.

  test('a batch becomes rows and customers', async () => {
    const records = [step({ customer: 'b' }), step({ customer: 'a' }), step({ customer: 'b' })];
    const batch = queue.batchOf(records);
    await consumeSteps(batch, { database, redis });
    expect(await loggedIds()).toEqual(idsOf(records));
    expect(batch.messages.map((message) => message.outcome)).toEqual(['acked', 'acked', 'acked']);
    expect(await postgres.read('SELECT id FROM customers ORDER BY id')).toEqual([{ id: 'a' }, { id: 'b' }]);
  });

  test('Postgres down: every message is retried, later each time', async () => {
    postgres.mood = 'down';
    const batch = queue.batchOf([step(), step()]);
    const [first, second] = batch.messages;
    if (second) second.attempts = 5;
    await consumeSteps(batch, { database, redis });
    expect([first?.outcome, second?.outcome]).toEqual([2, 32]);
  });

  test('traps T47: an outage of ten seconds heals within ten more, one of hours is outlasted', () => {
    const tries = [0];
    for (let attempts = 1; attempts <= 100; attempts++) {
      tries.push((tries.at(-1) ?? 0) + retryDelay(attempts));
    }
    expect(tries.find((seconds) => seconds > 10)).toBeLessThan(20);
    expect(tries.at(-1)).toBeGreaterThan(7 * 3600);
    expect(Math.max(...tries.map((seconds, i) => seconds - (tries[i - 1] ?? 0)))).toBe(300);
  });

  test('a consumer that dies half-way: the batch comes again and each step is one row', async () => {
    const records = Array.from({ length: 10 }, () => step());
    await insertSteps(database, records.slice(0, 5));
    await consumeSteps(queue.batchOf(records), { database, redis });
    expect(await loggedIds()).toEqual(idsOf(records));

    postgres.losesAnswers = true;
    const more = [...records, step()];
    const batch = queue.batchOf(more);
    await consumeSteps(batch, { database, redis });
    expect(batch.messages.every((message) => typeof message.outcome === 'number')).toBe(true);
    postgres.losesAnswers = false;
    await consumeSteps(queue.batchOf(more), { database, redis });
    expect(await loggedIds()).toEqual(idsOf(more));
  });

  test('a message that is no step, and one Postgres refuses, go to the dead list; the rest is written', async () => {
    const good = [step(), step(), step()];
    const refused = step({ tokens: { ...step().tokens, fresh: 2 ** 40 } });
    const batch = queue.batchOf([good[0], { request_id: 'half' }, good[1], refused, good[2]]);
    await consumeSteps(batch, { database, redis });
    expect(await loggedIds()).toEqual(idsOf(good));
    expect(batch.messages.every((message) => message.outcome === 'acked')).toBe(true);
    expect((await listOf('dead')).map((entry) => JSON.parse(entry))).toEqual([
      { request_id: 'half' },
      refused,
    ]);
  });

  test('a message that is no step stays in the queue while Redis is down', async () => {
    redisServer.mood = 'down';
    const good = step();
    const batch = queue.batchOf([good, 'nonsense']);
    await consumeSteps(batch, { database, redis });
    expect(batch.messages.map((message) => message.outcome)).toEqual(['acked', 2]);
    expect(await loggedIds()).toEqual([good.request_id]);
  });

  test('traps T47: dead letters are kept: steps come back as rows, the rest waits in the dead list', async () => {
    const record = step();
    postgres.mood = 'down';
    const batch = queue.batchOf([record, 42]);
    await consumeDead(batch, { database, redis });
    expect(batch.messages.map((message) => message.outcome)).toEqual(['acked', 'acked']);
    expect(lines.map((line) => JSON.parse(line))).toContainEqual({
      level: 'error',
      code: 'dead_letter',
      steps: 1,
      unreadable: 1,
    });
    expect(await listOf('dead')).toEqual(['42']);
    postgres.mood = 'up';
    await drainParked({ database, redis });
    expect(await loggedIds()).toEqual([record.request_id]);

    redisServer.mood = 'down';
    const again = queue.batchOf([step(), 42]);
    await consumeDead(again, { database, redis });
    expect(again.messages.map((message) => message.outcome)).toEqual([2, 2]);
  });

  test('batches repeated, reordered and cut anyhow: each step is one row', async () => {
    const some = fc.array(fc.nat(19), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(fc.array(some, { minLength: 1, maxLength: 4 }), async (batches) => {
        await postgres.read('TRUNCATE queries');
        const records = Array.from({ length: 20 }, (_, i) =>
          step({ request_id: `req_${String(i).padStart(2, '0')}` }),
        );
        const bodies = batches.map((batch) => batch.map((i) => records[i]));
        await Promise.all(bodies.map((batch) => consumeSteps(queue.batchOf(batch), { database, redis })));
        const seen = new Set(batches.flat());
        expect(await loggedIds()).toEqual(idsOf(records.filter((_, i) => seen.has(i))));
      }),
      { numRuns: 20 },
    );
  });

  test('traps T47: 1,000 steps, 16 at once, through every fault: 1,000 rows, each once', async () => {
    const all = stores();
    const records = Array.from({ length: 1_000 }, () => step());
    const waiting = [...records];
    let logged = 0;
    const outcomes = new Map<string, number>();
    // The faults follow the count of steps, not the clock.
    const setFaults = () => {
      const hundred = Math.floor(logged / 100);
      queue.failures = hundred >= 2 && hundred < 7 ? Number.POSITIVE_INFINITY : 0;
      postgres.mood = hundred >= 3 && hundred < 6 ? 'down' : 'up';
      redisServer.mood = hundred === 5 ? 'down' : 'up';
    };
    const agent = async () => {
      for (let record = waiting.shift(); record; record = waiting.shift()) {
        setFaults();
        const outcome = await logStep(record, all);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        logged++;
      }
    };
    await Promise.all(Array.from({ length: 16 }, agent));
    expect([...outcomes.keys()].sort()).toEqual(['gathered', 'held', 'parked', 'queued', 'written']);

    let deliveries: FakeMessage[] = queue.batchOf(queue.sent).messages;
    for (let round = 0; deliveries.length > 0; round++) {
      const failed: FakeMessage[] = [];
      for (let at = 0; at < deliveries.length; at += 100) {
        postgres.mood = round === 0 && at % 200 === 0 ? 'down' : 'up';
        postgres.losesAnswers = round === 1;
        const messages = deliveries.slice(at, at + 100);
        await consumeSteps({ messages }, { database, redis });
        failed.push(...messages.filter((message) => message.outcome !== 'acked'));
      }
      deliveries = failed;
    }
    postgres.losesAnswers = false;
    await flushHeld(all);
    expect(await drainParked({ database, redis })).toMatchObject({ complete: true, dead: 0 });
    expect(await loggedIds()).toEqual(idsOf(records));
    expect(all.held.size).toBe(0);
  }, 60_000);
});
