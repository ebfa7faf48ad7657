import { type Finding, fault, ok } from './finding.ts';

/** How far another machine's clock is ahead of this one's. */
export interface ClockReading {
  /** Whose: `gateway`, `Postgres`, `openai`. */
  source: string;
  /** Milliseconds. */
  ahead: number;
}

/** A `Date` header says whole seconds, and stands for the middle of its second. */
const HALF_SECOND_MS = 500;
/** Key revocations, rate limits and cache expiry count in tens of seconds: more than this makes them wrong. */
const LIMIT_MS = 10_000;

/**
 * Compares an answer's `Date` with the middle of the request.
 * @returns null where the answer has none
 */
export function readClock(
  source: string,
  headers: Headers,
  sent: number,
  received: number,
): ClockReading | null {
  const date = Date.parse(headers.get('date') ?? '');
  if (Number.isNaN(date)) return null;
  return { source, ahead: date + HALF_SECOND_MS - (sent + received) / 2 };
}

/** Names the clocks that are off, this machine's own where most others agree that it is. */
export function judgeClocks(readings: readonly ClockReading[]): Finding[] {
  if (readings.length === 0) return [];
  // This machine has a vote too: with one other clock nobody can tell which of the two is wrong.
  const sorted = [0, ...readings.map(({ ahead }) => ahead)].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? 0;
  const here = Math.abs(median) > LIMIT_MS && readings.length > 1;
  const off = readings.filter(({ ahead }) => Math.abs(ahead - (here ? median : 0)) > LIMIT_MS);
  const findings = off.map(({ source, ahead }) =>
    fault(
      'clock_skew',
      `The clock of ${source} is ${seconds(ahead - (here ? median : 0))} ${here ? 'the others' : "this machine's"}.`,
      `Find out which of the two is wrong, and let it set its clock by NTP (timedatectl set-ntp true).`,
    ),
  );
  if (here) {
    findings.unshift(
      fault(
        'clock_skew',
        `This machine's clock is off: those of ${readings.map(({ source }) => source).join(', ')} are ${seconds(median)} it.`,
        'Let it set its clock by NTP (timedatectl set-ntp true).',
      ),
    );
  }
  const sources = readings.map(({ source }) => source).join(', ');
  return findings.length > 0 ? findings : [ok('clock', `Clocks agree: this machine, ${sources}.`)];
}

function seconds(ms: number): string {
  return `${Math.round(Math.abs(ms) / 1000)} s ${ms > 0 ? 'ahead of' : 'behind'}`;
}
