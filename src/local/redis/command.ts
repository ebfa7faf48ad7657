import { type Bytes, RedisError, type RedisReply, RedisStatus } from './backend.ts';
import type { Keyspace } from './keyspace.ts';

/** How a command is run. Its arguments come without the name; an absent one is caught by `arity` before. */
export interface CommandRule {
  /** Redis's arity: words including the name, negative for "at least". */
  arity: number;
  run(db: Keyspace, args: Bytes[]): RedisReply;
}

export type CommandTable = Record<string, CommandRule>;

export const OK = new RedisStatus('OK');

/** A rule from its arity and what it does. */
export function command(arity: number, run: CommandRule['run']): CommandRule {
  return { arity, run };
}

export function syntaxError(): RedisError {
  return new RedisError('ERR syntax error');
}

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** A 64-bit integer, strictly written as Redis wants it. */
export function bigInteger(text: Bytes | undefined): bigint {
  if (text === undefined || !/^(0|-?[1-9]\d{0,18})$/.test(text)) throw notAnInteger();
  const value = BigInt(text);
  if (value > INT64_MAX || value < INT64_MIN) throw notAnInteger();
  return value;
}

/** An integer for counts, indexes and times. */
export function integer(text: Bytes | undefined): number {
  return Number(bigInteger(text));
}

/** `a + b`, as long as 64 bits hold it. */
export function addIntegers(a: bigint, b: bigint): bigint {
  const sum = a + b;
  if (sum > INT64_MAX || sum < INT64_MIN) throw new RedisError('ERR increment or decrement would overflow');
  return sum;
}

/** A sorted set's score. */
export function score(text: Bytes | undefined): number {
  const lower = text?.toLowerCase() ?? '';
  if (/^\+?inf(inity)?$/.test(lower)) return Number.POSITIVE_INFINITY;
  if (/^-inf(inity)?$/.test(lower)) return Number.NEGATIVE_INFINITY;
  const value = lower === '' || lower.trim() !== lower ? Number.NaN : Number(lower);
  if (Number.isNaN(value)) throw new RedisError('ERR value is not a valid float');
  return value;
}

export function scoreText(value: number): Bytes {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  return value > 0 ? 'inf' : '-inf';
}

/** The items from `start` to `stop`, both inclusive, negative ones counted from the end. */
export function slice<T>(items: T[], start: number, stop: number): T[] {
  const from = start < 0 ? Math.max(items.length + start, 0) : start;
  const to = stop < 0 ? items.length + stop : stop;
  return from > to ? [] : items.slice(from, to + 1);
}

function notAnInteger(): RedisError {
  return new RedisError('ERR value is not an integer or out of range');
}
