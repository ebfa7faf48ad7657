import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NO_EXPERIENCE, together } from '../../../src/core/routing/experience.ts';
import { COUNTS, fromCounts, toCounts } from '../../../src/core/routing/experience-counts.ts';

const counts = fc.array(fc.nat(10_000), { minLength: COUNTS, maxLength: COUNTS });

test('what was seen is a row of numbers and back, and rows add up as it does', () => {
  fc.assert(
    fc.property(counts, counts, (a, b) => {
      const [one, other] = [fromCounts(a), fromCounts(b)];
      if (!one || !other) throw new Error('not read');
      expect(toCounts(one)).toEqual(a);
      expect(toCounts(together(one, other))).toEqual(a.map((count, place) => count + (b[place] ?? 0)));
    }),
  );
});

test('no number stands for two things', () => {
  const numbers = Array.from({ length: COUNTS }, (_, place) => place + 1);
  const leaves = JSON.stringify(fromCounts(numbers)).match(/\d+/g) ?? [];
  expect(leaves.map(Number).sort((a, b) => a - b)).toEqual(numbers);
  expect(Object.keys(fromCounts(numbers) ?? {}).sort()).toEqual(Object.keys(NO_EXPERIENCE).sort());
});

test('what another version kept, or nobody could have, is none', () => {
  const zeros = toCounts(NO_EXPERIENCE);
  expect(fromCounts(zeros)).toEqual(NO_EXPERIENCE);
  expect(fromCounts([...zeros, 0])).toBeNull();
  expect(fromCounts(zeros.slice(1))).toBeNull();
  expect(fromCounts([-1, ...zeros.slice(1)])).toBeNull();
  expect(fromCounts([Number.NaN, ...zeros.slice(1)])).toBeNull();
});
