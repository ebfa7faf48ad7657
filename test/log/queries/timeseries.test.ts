import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { insertSteps } from '../../../src/log/insertion.ts';
import { migrate } from '../../../src/log/migrate.ts';
import { parsePeriod } from '../../../src/log/period.ts';
import { summary } from '../../../src/log/queries/summary.ts';
import { timeseries } from '../../../src/log/queries/timeseries.ts';
import { type Database, openDatabase } from '../../../src/stores/database.ts';
import { step } from '../records.ts';
import { type FaultyPostgres, onEachPostgres, startPostgres } from '../stores.ts';
import { anySteps, anyTags, expectMoney, filterOf, NOW, naivelyMatching } from './naive.ts';

let postgres: FaultyPostgres;
let database: Database;

const of = (period: string, now = NOW) => filterOf({ period: parsePeriod(period, now) });
const nothing = { queries: 0, cost_usd: 0, baseline_cost_usd: 0, savings_usd: 0 };

onEachPostgres((open) => {
  beforeAll(async () => {
    postgres = await startPostgres(open);
    database = openDatabase(postgres.url);
    await migrate(postgres.url);
  }, 60_000);

  afterAll(() => postgres.close());

  beforeEach(() => postgres.read('TRUNCATE queries'));

  test('nothing yet: every bucket is there, with zeros', async () => {
    expect(await timeseries(database, of('2h'))).toEqual({
      period: '2h',
      bucket: 'hour',
      points: [
        { start: '2026-12-01T10:00:00.000Z', ...nothing },
        { start: '2026-12-01T11:00:00.000Z', ...nothing },
      ],
    });
  });

  test.each([
    // The period ends on an hour: its first and last bucket are whole.
    ['1h', 'hour', 1, '2026-12-01T11:00:00.000Z', '2026-12-01T11:00:00.000Z'],
    ['48h', 'hour', 48, '2026-11-29T12:00:00.000Z', '2026-12-01T11:00:00.000Z'],
    ['2d', 'hour', 48, '2026-11-29T12:00:00.000Z', '2026-12-01T11:00:00.000Z'],
    // It does not end on a day: the first and the last are parts of one.
    ['49h', 'day', 3, '2026-11-29T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
    ['30d', 'day', 31, '2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
    ['366d', 'day', 367, '2025-11-30T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
  ])('%s comes by the %s, %i of them', async (period, bucket, length, first, last) => {
    const series = await timeseries(database, of(period));
    expect(series).toMatchObject({ period, bucket });
    expect(series.points).toHaveLength(length);
    expect(series.points.at(0)?.start).toBe(first);
    expect(series.points.at(-1)?.start).toBe(last);
  });

  test('traps T52: a day begins at midnight UTC, and a step belongs to the one it started in', async () => {
    await insertSteps(
      database,
      ['2026-11-29T23:59:59.999Z', '2026-11-30T00:00:00.000Z', '2026-11-30T23:59:59.999Z'].map((started_at) =>
        step({ started_at }),
      ),
    );
    const { points } = await timeseries(database, of('3d'));
    expect(points.map(({ start, queries }) => [start.slice(0, 10), queries])).toEqual([
      ['2026-11-28', 0],
      ['2026-11-29', 1],
      ['2026-11-30', 2],
      ['2026-12-01', 0],
    ]);
  });

  test('agrees with adding up the same rows one by one, and with the summary', async () => {
    // 36 hours come by the hour, 60 by the day; now is anywhere in a day.
    const anyPeriod = fc.tuple(fc.constantFrom('36h', '60h'), fc.nat(86_400_000));
    await fc.assert(
      fc.asyncProperty(anySteps, anyTags, anyPeriod, async (records, tags, [length, ms]) => {
        await postgres.read('TRUNCATE queries');
        await insertSteps(database, records);
        const filter = { ...of(length, new Date(NOW.getTime() + ms)), tags };
        const mine = naivelyMatching(records, filter);
        const { points, bucket } = await timeseries(database, filter);
        const bucketMs = bucket === 'hour' ? 3_600_000 : 86_400_000;

        let expected = Date.parse(points[0]?.start ?? '');
        expect(expected).toBeLessThanOrEqual(filter.period.from.getTime());
        for (const point of points) {
          expect(point.start).toBe(new Date(expected).toISOString());
          expected += bucketMs;
          const inBucket = mine.filter(({ started_at }) => {
            const since = Date.parse(started_at) - Date.parse(point.start);
            return since >= 0 && since < bucketMs;
          });
          expect(point.queries).toBe(inBucket.length);
          expectMoney(point, inBucket);
        }
        expect(expected).toBeGreaterThanOrEqual(filter.period.to.getTime());

        const whole = await summary(database, filter);
        const sum = (of: (point: (typeof points)[number]) => number) =>
          points.reduce((sum, point) => sum + of(point), 0);
        expect(sum((point) => point.queries)).toBe(whole.total_queries);
        expect(sum((point) => point.cost_usd)).toBeCloseTo(whole.cost_usd, 9);
        expect(sum((point) => point.baseline_cost_usd)).toBeCloseTo(whole.baseline_cost_usd, 9);
        expect(sum((point) => point.savings_usd)).toBeCloseTo(whole.savings_usd, 9);
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
