import { FluxError } from '../core/errors.ts';

export interface Period {
  /** As the client wrote it: `7d`, `24h`. */
  period: string;
  from: Date;
  /** Now: a period is rolling. Not part of it. */
  to: Date;
}

const HOUR_MS = 3_600_000;
const LONGEST_MS = 366 * 24 * HOUR_MS;

/**
 * Reads `?period=`: a number of hours or days up to 366 days, ending now. Days are 24 hours; no time zone enters.
 *
 * @example parsePeriod('7d', new Date())
 * @throws FluxError 400 `invalid_period`
 */
export function parsePeriod(text: string, now: Date): Period {
  const length = /^[1-9]\d{0,2}[hd]$/.test(text)
    ? Number.parseInt(text, 10) * (text.endsWith('d') ? 24 * HOUR_MS : HOUR_MS)
    : Number.POSITIVE_INFINITY;
  if (length > LONGEST_MS) {
    throw new FluxError('period must be a number of hours or days up to 366d, such as 24h or 7d.', {
      status: 400,
      code: 'invalid_period',
      param: 'period',
    });
  }
  return { period: text, from: new Date(now.getTime() - length), to: now };
}
