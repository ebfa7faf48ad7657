import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { consumeSteps } from '../../src/log/consumer.ts';
import { readItems, writeSteps } from '../../src/log/steps-message.ts';
import {
  type BegunRecord,
  begunRecord,
  type QueuedRecord,
  type StepRecord,
} from '../../src/pipeline/record.ts';
import { FakeQueue } from './queue.ts';
import { anyStep, step } from './records.ts';

const begunOf = (record: StepRecord): BegunRecord => begunRecord.parse({ ...record, state: 'begun' });
const anyBegun = anyStep.map(begunOf);
/** What a message of these says, however it is written. */
const said = (records: readonly QueuedRecord[]): unknown => JSON.parse(JSON.stringify(records));

function roundTrip(one: fc.Arbitrary<QueuedRecord>): void {
  fc.assert(
    fc.property(fc.array(one, { maxLength: 8 }), (records) => {
      expect(readItems(writeSteps(records))).toEqual(said(records));
    }),
  );
}

test('steps come out as they went in, and so do those that were only begun', () => {
  roundTrip(anyStep);
  roundTrip(anyBegun);
});

test('steps that ended and steps that were begun in one message, whichever comes first', () => {
  roundTrip(fc.oneof(anyStep, anyBegun));
  for (const records of [
    [step(), begunOf(step())],
    [begunOf(step()), step()],
  ]) {
    expect(readItems(writeSteps(records))).toEqual(said(records));
  }
});

test('a step with a member less or one more is as it was: nothing is made up, nothing left out', () => {
  const names = Object.keys(step());
  const changed = fc
    .tuple(
      anyStep,
      fc.constantFrom<string | undefined>(undefined, ...names.filter((name) => name !== 'state')),
      fc.constantFrom(undefined, 'region'),
    )
    .map(([record, without, more]) => {
      const odd: Record<string, unknown> = { ...record };
      if (without !== undefined) delete odd[without];
      if (more !== undefined) odd[more] = 'eu';
      return odd as StepRecord; // What an older or newer version of the Worker sends.
    });
  roundTrip(changed);
  // All of one message alike.
  const { tier: _out, ...less } = step();
  for (const record of [less, { ...step(), region: 'eu' }, { ...less, region: 'eu' }]) {
    const records = [record, record] as StepRecord[]; // As above.
    expect(readItems(writeSteps(records))).toEqual(said(records));
  }
});

test('a hundred usual steps are one message of the queue, which may have 128,000 bytes', () => {
  const hash = 'f'.repeat(64);
  const usual = Array.from({ length: 100 }, () =>
    step({
      request_id: crypto.randomUUID(),
      session: hash,
      lane: hash.slice(0, 24),
      turn: 17,
      tags: { team: 'search', env: 'production', agent: 'Einkäufer' },
      signals: {
        ...{ length: -0.5123, reasoning: 0.125, math: 0, code: 0.3333, lookup: -0.25, constraints: 0.1 },
        loop: 0,
      },
      classification_ms: 0.0812,
      overhead_ms: 1.5625,
      attempts: [...step().attempts, ...step().attempts],
    }),
  );
  const bytes = new TextEncoder().encode(writeSteps(usual)).length;
  expect(bytes).toBeLessThan(128_000);
  // The names are said once.
  expect(bytes).toBeLessThan(0.7 * new TextEncoder().encode(JSON.stringify(usual)).length);
});

test('messages of older versions: an array, one by itself, as JSON or as its text', () => {
  const records = [step(), step()];
  expect(readItems(records)).toEqual(records);
  expect(readItems(JSON.stringify(records))).toEqual(records);
  expect(readItems(records[0])).toEqual([records[0]]);
  expect(readItems(JSON.stringify(records[0]))).toEqual([records[0]]);
});

/** Bodies that hold no step, and what is kept of each. */
const STRANGE: [string, unknown, unknown[]][] = [
  ['text that is no JSON', '{"fields":["a"],', ['{"fields":["a"],']],
  ['an empty text', '', ['']],
  ['null', null, [null]],
  ['null as text', 'null', [null]],
  ['a number', 4, [4]],
  ['rows that are no arrays', { fields: ['a'], rows: [1, null, { b: 2 }] }, [1, null, { b: 2 }]],
  ['fields that are no strings', { fields: [1, null, { a: 1 }], rows: [[1, 2, 3]] }, [expect.any(Object)]],
  ['a row that is too short', { fields: ['state', 'a'], rows: [['ok']] }, [expect.any(Object)]],
  ['no rows', { fields: ['a'] }, [{ fields: ['a'] }]],
  ['rows that are no list', { fields: ['a'], rows: { length: 1 } }, [{ fields: ['a'], rows: { length: 1 } }]],
  ['fields that are no list', { fields: 'a', rows: [] }, [{ fields: 'a', rows: [] }]],
  ['a field of the language', '{"fields":["__proto__","a"],"rows":[[{"b":1},2]]}', [{ a: 2 }]],
  ['an array in an array', [[step()]], [[expect.any(Object)]]],
];

test.each(STRANGE)(
  '%s is no step: it goes to the dead list, and its message is done',
  async (_name, body, kept) => {
    const buried: string[] = [];
    const rpush = async (_list: string, ...entries: string[]) => void buried.push(...entries);
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const batch = new FakeQueue().batchOf([body]);
    // Postgres is not asked, and of Redis nothing else.
    await consumeSteps(batch, { database: undefined as never, redis: { rpush } as never });
    expect(buried.map((entry) => JSON.parse(entry))).toMatchObject(kept);
    expect(buried).toHaveLength(kept.length);
    expect(batch.messages.map(({ outcome }) => outcome)).toEqual(['acked']);
    expect(Object.keys(Object.prototype)).toEqual([]);
  },
);

test('whatever a message is, it can be read', () => {
  const list = fc.array(fc.oneof(fc.jsonValue(), fc.constantFrom('__proto__', 'constructor', 'state')));
  const table = fc.record({ fields: list, rows: fc.array(fc.oneof(list, fc.jsonValue())) });
  fc.assert(
    fc.property(fc.oneof(table, fc.jsonValue(), fc.string()), fc.boolean(), (body, isText) => {
      const items = readItems(isText ? JSON.stringify(body) : body);
      expect(Array.isArray(items)).toBe(true);
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
  );
});
