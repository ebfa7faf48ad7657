import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rateOf, secondsUntilFit, WINDOW_MS } from '../../src/customers/rate-window.ts';

const count = fc.nat(1_000);
const when = fc.nat(WINDOW_MS - 1);

test('the minute before counts for as much of it as lies within the last sixty seconds', () => {
  expect(rateOf(100, 0, 0)).toBe(100);
  expect(rateOf(100, 10, 15_000)).toBe(85);
  expect(rateOf(100, 10, 59_999)).toBeCloseTo(10, 1);
});

test('after the seconds that are said it fits, and a second and a half earlier it did not', () => {
  fc.assert(
    fc.property(
      count,
      count,
      when,
      fc.integer({ min: 1, max: 1_000 }),
      fc.nat(999),
      (before, counted, now, limit, part) => {
        const amount = 1 + (part % limit);
        fc.pre(rateOf(before, counted, now) + amount > limit);
        const fits = (at: number): boolean => {
          // What is this minute now is the one before later.
          const minutes = Math.floor(at / WINDOW_MS);
          const [previous, current] =
            minutes === 0 ? [before, counted] : minutes === 1 ? [counted, 0] : [0, 0];
          return rateOf(previous, current, at) + amount <= limit + 1e-9;
        };
        const seconds = secondsUntilFit(before, counted, now, amount, limit);
        expect(seconds).toBeGreaterThanOrEqual(1);
        expect(fits(now + seconds * 1000)).toBe(true);
        if (seconds > 2) expect(fits(now + (seconds - 1.5) * 1000)).toBe(false);
      },
    ),
  );
});
