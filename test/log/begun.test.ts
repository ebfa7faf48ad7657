import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { beginLater } from '../../src/log/begun.ts';
import { HeldSteps } from '../../src/log/held-steps.ts';
import { logStep } from '../../src/log/outbox.ts';
import { type BegunRecord, begunRecord, type QueuedRecord } from '../../src/pipeline/record.ts';
import { step } from './records.ts';

/** An isolate, a queue that takes nothing while it is full, and a clock that a test moves. */
function isolate() {
  const sends: { steps: QueuedRecord[]; delaySeconds: number | undefined }[] = [];
  const isolate = {
    full: false,
    sends,
    described: 0,
    stores: {
      held: new HeldSteps(),
      queue: {
        send: async (steps: QueuedRecord[], options?: { delaySeconds: number }) => {
          if (isolate.full) throw new Error('Too Many Requests');
          sends.push({ steps, delaySeconds: options?.delaySeconds });
        },
      },
      // Neither is asked: the queue takes what is settled.
      database: undefined as never,
      redis: undefined as never,
    },
    begin(id: string) {
      const describe = () => {
        isolate.described += 1;
        return begun(id);
      };
      return beginLater(id, describe, 900_000, isolate.stores);
    },
    end: (id: string) => void logStep(step({ request_id: id }), isolate.stores),
    begins: () => sends.flatMap(({ steps }) => steps).filter(({ state }) => state === 'begun'),
    rows: () => sends.flatMap(({ steps }) => steps).filter(({ state }) => state !== 'begun'),
  };
  return isolate;
}

function begun(id: string): BegunRecord {
  return begunRecord.parse({ ...step({ request_id: id }), state: 'begun' });
}

const idsOf = (records: QueuedRecord[]) => records.map(({ request_id }) => request_id).sort();
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('a step that ends at once is one message: it is never told as begun, nor described', async () => {
  const one = isolate();
  one.begin('a');
  await pass(10);
  one.end('a');
  await pass(1_000);
  expect(one.sends).toHaveLength(1);
  expect(idsOf(one.rows())).toEqual(['a']);
  expect(one.described).toBe(0);
});

test('steps under way that began together are one message, which comes back once they must be over', async () => {
  const one = isolate();
  expect(one.begin('a')).toBeInstanceOf(Promise);
  await pass(5);
  expect(one.begin('b')).toBeUndefined();
  expect(one.begin('c')).toBeUndefined();
  one.end('b');
  await pass(5);
  // Began too late for that message: it is still young when that is sent.
  expect(one.begin('d')).toBeInstanceOf(Promise);
  await pass(15);
  expect(one.begins().length).toBe(2);
  await pass(1_000);
  const delayed = one.sends.filter(({ delaySeconds }) => delaySeconds !== undefined);
  expect(delayed.map(({ steps, delaySeconds }) => [idsOf(steps), delaySeconds])).toEqual([
    [['a', 'c'], 900],
    [['d'], 900],
  ]);
});

test('a request that dies before it has told leaves the begun to the next', async () => {
  const one = isolate();
  one.begin('a');
  // Its timers go with it.
  vi.clearAllTimers();
  await pass(100);
  one.begin('b');
  await pass(100);
  expect(idsOf(one.begins())).toEqual(['a', 'b']);
});

test('a queue that takes nothing is told of in the log, and fails nobody', async () => {
  const lines: string[] = [];
  vi.spyOn(console, 'warn').mockImplementation((line) => void lines.push(String(line)));
  const one = isolate();
  one.full = true;
  one.begin('a');
  one.begin('b');
  await pass(100);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { level: 'warn', code: 'begin_not_kept', count: 2 },
  ]);
});

test('many at once are several messages, each below the 128 KB of the queue', async () => {
  const one = isolate();
  const tags = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`tag${i}`, 'x'.repeat(40)]));
  for (let i = 0; i < 250; i += 1)
    beginLater(`${i}`, () => ({ ...begun(`${i}`), tags }), 900_000, one.stores);
  await pass(100);
  expect(one.begins()).toHaveLength(250);
  for (const { steps } of one.sends) expect(JSON.stringify(steps).length).toBeLessThan(128_000);
});

test('traps T31: however steps begin and end, each is a row, and only what lived on is told as begun, once', async () => {
  const life = fc.record({ begins: fc.nat(200), lasts: fc.oneof(fc.nat(60), fc.nat(2_000)) });
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 40 }), async (lives) => {
      const one = isolate();
      for (const [index, { begins, lasts }] of lives.entries()) {
        setTimeout(() => one.begin(`${index}`), begins);
        setTimeout(() => one.end(`${index}`), begins + lasts);
      }
      await pass(5_000);
      const all = lives.map((_, index) => `${index}`).sort();
      expect(idsOf(one.rows())).toEqual(all);
      const told = idsOf(one.begins());
      expect(new Set(told).size).toBe(told.length);
      for (const [index, { lasts }] of lives.entries()) {
        if (lasts > 25) expect(told).toContain(`${index}`);
        if (lasts < 15) expect(told).not.toContain(`${index}`);
      }
    }),
    { numRuns: 100 },
  );
});
