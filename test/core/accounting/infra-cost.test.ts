import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type InfraUse,
  infraCostOf,
  meters,
  monthlyCostOf,
  monthlyTotal,
  ROW,
  SESSION_USE,
  STEP_USE,
} from '../../../src/core/accounting/infra-cost.ts';
import {
  INFRA_PRICES,
  INFRA_PRICES_DATE,
  type InfraUnit,
} from '../../../src/core/accounting/infra-prices.ts';

const UNITS = Object.keys(INFRA_PRICES) as InfraUnit[]; // the keys of our own literal
const amount = fc.integer({ min: 0, max: 1_000_000 });
const use: fc.Arbitrary<InfraUse> = fc.record(
  Object.fromEntries([...UNITS, 'rowsWritten' as const].map((unit) => [unit, amount])),
  { requiredKeys: [] },
);

describe('what a step took of the infrastructure', () => {
  test.each<[InfraUse, number]>([
    [{}, 0],
    [{ requests: 1_000_000 }, 0.3],
    [{ cpuMs: 1_000_000 }, 0.02],
    [{ queueOps: 3_000_000 }, 1.2],
    [{ redisCommands: 100_000 }, 0.2],
    [{ durableObjectRequests: 1_000_000, durableObjectRows: 1_000_000 }, 1.15],
    [{ logBytes: 2e9, logByteMonths: 1e9 }, 0.6],
    // 1,000 rows of 1,000 bytes for 12 months at $0.35 a GB, and 160 ms of a unit at $0.106 an hour.
    [{ rowsWritten: 1_000 }, 0.0042 + (0.16 / 3_600) * 0.106],
  ])('%j costs $%d', (used, usd) => {
    expect(infraCostOf(used)).toBeCloseTo(usd, 11);
  });

  test('a step of today, by hand: request, processor, three queue operations, a row and its log', () => {
    const byHand =
      1.01 * 0.3e-6 +
      4 * 0.02e-6 +
      3 * 0.4e-6 +
      (1_000 * 12 * 0.35e-9 + (0.16 / 3.6e6) * 0.106) +
      1.01 * 2_000 * (0.25e-9 + (7 / 30) * 0.1e-9);
    expect(infraCostOf(STEP_USE)).toBeCloseTo(byHand, 12);
  });

  test('it is small beside an answer of the cheapest model, and sessions do not change that', () => {
    // 10,000 tokens in at $0.10 a million, 300 out at $0.50 (claude-haiku-5-5).
    const answer = 10_000 * 0.1e-6 + 300 * 0.5e-6;
    expect(infraCostOf({ ...STEP_USE, ...SESSION_USE })).toBeLessThan(0.012 * answer);
  });

  test('uses add up, and none is ever negative', () => {
    fc.assert(
      fc.property(use, use, (a, b) => {
        const both: InfraUse = {};
        for (const unit of [...UNITS, 'rowsWritten'] as const) {
          const sum = (a[unit] ?? 0) + (b[unit] ?? 0);
          if (sum > 0) both[unit] = sum;
        }
        expect(infraCostOf(both)).toBeCloseTo(infraCostOf(a) + infraCostOf(b), 9);
        expect(infraCostOf(a)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test('every unit has its price: more of it costs more', () => {
    for (const unit of [...UNITS, 'rowsWritten'] as const) {
      expect(infraCostOf({ [unit]: 1e9 }), unit).toBeGreaterThan(0);
    }
  });

  test('a row is what it takes to keep and to write, beside what is said of them directly', () => {
    const amounts = meters({ rowsWritten: 10, postgresByteMonths: 5 });
    expect(amounts.get('postgresByteMonths')).toBe(10 * ROW.bytes * ROW.months + 5);
    expect(amounts.has('redisCommands')).toBe(false);
  });
});

describe('a month', () => {
  test('what the plan includes is free, and only that', () => {
    expect(monthlyCostOf('requests', 10_000_000)).toBe(0);
    expect(monthlyCostOf('requests', 11_000_000)).toBeCloseTo(0.3, 12);
    expect(monthlyCostOf('redisCommands', 100_000)).toBeCloseTo(0.2, 12);
  });

  test('the examples of the Cloudflare pages come out', () => {
    // Workers, example 4: 100 million requests of 7 ms. Queues: a million messages a day.
    expect(monthlyTotal({ requests: 100e6, cpuMs: 700e6 })).toBeCloseTo(45.4, 9);
    expect(monthlyCostOf('queueOps', 3 * 30 * 1e6)).toBeCloseTo(35.6, 9);
    // Observability: 75 GB taken in and 20 GB-months kept.
    expect(monthlyTotal({ logBytes: 75e9, logByteMonths: 20e9 })).toBeCloseTo(5 + 7.05, 9);
  });
});

test('every price says where it stands and when', () => {
  for (const [unit, { usd, per, source, read }] of Object.entries(INFRA_PRICES)) {
    expect(usd / per, unit).toBeGreaterThan(0);
    expect(source, unit).toMatch(/^https:\/\//);
    expect(read, unit).toMatch(/^2026-\d\d-\d\d$/);
    expect(read <= INFRA_PRICES_DATE, unit).toBe(true);
  }
});
