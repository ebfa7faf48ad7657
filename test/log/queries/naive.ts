import fc from 'fast-check';
import { expect } from 'vitest';
import { parsePeriod } from '../../../src/log/period.ts';
import type { StepFilter } from '../../../src/log/queries/filter.ts';
import type { StepRecord } from '../../../src/pipeline/record.ts';
import { anyStep } from '../records.ts';

export const NOW = new Date('2026-12-01T12:00:00.000Z');

/** Steps of `acme` in the two days before {@link NOW}; what a test speaks of is given. */
export function filterOf(part: Partial<StepFilter> = {}): StepFilter {
  return { customer: 'acme', period: parsePeriod('2d', NOW), tags: [], ...part };
}

const tags = fc.record(
  { team: fc.constantFrom('search', 'ads'), env: fc.constantFrom('prod', 'dev') },
  { requiredKeys: [], noNullPrototype: true },
);

/** Some steps of two customers, several a session, a good part of them at the same moment. */
export const anySteps: fc.Arbitrary<StepRecord[]> = fc.array(
  fc
    .record({
      record: anyStep,
      session: fc.option(fc.constantFrom('aa', 'bb', 'cc', 'dd', 'ee')),
      tags,
      at: fc.option(fc.constantFrom('2026-11-30T00:00:00.000Z', '2026-11-30T10:59:59.999Z')),
    })
    .map(({ record, session, tags, at }) => ({
      ...record,
      session,
      tags,
      started_at: at ?? record.started_at,
    })),
  { minLength: 1, maxLength: 60 },
);

export const anyTags: fc.Arbitrary<StepFilter['tags']> = fc.subarray([
  ['team', 'search'] as const,
  ['env', 'prod'] as const,
]);

/** The steps a filter speaks of. */
export function naivelyMatching(records: StepRecord[], { customer, period, tags }: StepFilter): StepRecord[] {
  return records.filter(
    (record) =>
      record.customer === customer &&
      Date.parse(record.started_at) >= period.from.getTime() &&
      Date.parse(record.started_at) < period.to.getTime() &&
      tags.every(([name, value]) => record.tags[name] === value),
  );
}

/** Adds money up one by one and compares. */
export function expectMoney(
  sums: { cost_usd: number; baseline_cost_usd: number; savings_usd: number },
  records: StepRecord[],
): void {
  let cost = 0;
  let baseline = 0;
  let savings = 0;
  for (const record of records) {
    cost += record.cost_usd ?? 0;
    if (record.cost_usd === null || record.baseline_cost_usd === null) continue;
    baseline += record.baseline_cost_usd;
    savings += record.baseline_cost_usd - record.cost_usd;
  }
  expect(sums.cost_usd).toBeCloseTo(cost, 9);
  expect(sums.baseline_cost_usd).toBeCloseTo(baseline, 9);
  expect(sums.savings_usd).toBeCloseTo(savings, 9);
}
