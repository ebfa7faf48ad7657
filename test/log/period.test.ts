import { expect, test } from 'vitest';
import { FluxError } from '../../src/core/errors.ts';
import { parsePeriod } from '../../src/log/period.ts';

test.each([
  ['1h', 1],
  ['999h', 999],
  ['7d', 168],
  ['366d', 8784],
])('period %s is %i hours to now', (text, hours) => {
  const now = new Date('2026-11-23T10:00:00Z');
  const { from, to } = parsePeriod(text, now);
  expect(to).toEqual(now);
  expect(to.getTime() - from.getTime()).toBe(hours * 3_600_000);
});

test.each(['', '0d', '07d', '367d', '999d', '1000h', '7', 'd', '7w', '-7d', '1.5d', '7d ', '7D', '7d\n'])(
  'period %j is a 400',
  (text) => {
    let error: unknown;
    try {
      parsePeriod(text, new Date());
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(FluxError);
    expect(error).toMatchObject({ status: 400, code: 'invalid_period', param: 'period' });
  },
);
