import { describe, expect, test } from 'vitest';
import { firesAt } from '../../src/local/cron.ts';

// 23 November 2026 is a Monday.
const at = (time: string) => new Date(`2026-11-23T${time}Z`);

describe('a cron expression fires', () => {
  test.each([
    ['* * * * *', '00:00', true],
    ['* * * * *', '13:59', true],
    ['0 * * * *', '13:00', true],
    ['0 * * * *', '13:01', false],
    ['*/15 * * * *', '13:45', true],
    ['*/15 * * * *', '13:46', false],
    ['5/20 * * * *', '13:25', true],
    ['5/20 * * * *', '13:20', false],
    ['10-12,30 4 * * *', '04:11', true],
    ['10-12,30 4 * * *', '04:30', true],
    ['10-12,30 4 * * *', '04:13', false],
    ['0 3 * * *', '03:00', true],
    ['0 3 23 11 *', '03:00', true],
    ['0 3 24 * *', '03:00', false],
    ['0 3 * * 2', '03:00', true],
    ['0 3 * * 1', '03:00', false],
    ['0 3 24 * 2', '03:00', true],
  ])('%s at %s: %s', (expression, time, fires) => {
    expect(firesAt(expression, at(time))).toBe(fires);
  });
});

test.each(['', '* * * *', '60 * * * *', '* * 0 * *', '*/0 * * * *', 'x * * * *', '0 0 * * MON'])(
  '%j is refused',
  (expression) => {
    expect(() => firesAt(expression, at('00:00'))).toThrow(/cron/);
  },
);
