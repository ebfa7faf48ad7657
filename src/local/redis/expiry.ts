import { type Bytes, RedisError } from './backend.ts';
import { integer } from './command.ts';

/** When `EX s`, `PX ms`, `EXAT s` or `PXAT ms` expires, in Unix milliseconds. */
export function expiryTime(name: string, unit: string, text: Bytes | undefined, now: number): number {
  const amount = integer(text);
  if (amount <= 0) throw new RedisError(`ERR invalid expire time in '${name}' command`);
  return absoluteTime(unit, amount, now);
}

/** The same without the check: `EXPIRE` takes a time in the past, which deletes the key. */
export function absoluteTime(unit: string, amount: number, now: number): number {
  const milliseconds = unit.startsWith('EX') ? amount * 1000 : amount;
  return unit.endsWith('AT') ? milliseconds : now + milliseconds;
}
