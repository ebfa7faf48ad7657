import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ClientLine } from '../../src/http/client-line.ts';

const TIMEOUTS = {
  firstByte: 60_000,
  idle: 30_000,
  keepAlive: 5_000,
  session: 1_000,
  abandoned: 900_000,
  laneEnd: 3_600_000,
  retryBase: 1,
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A client and what it was sent, write by write. */
function client(write: (text: string) => void | Promise<void> = () => {}) {
  const writes: string[] = [];
  const decoder = new TextDecoder();
  let lefts = 0;
  const writable = new WritableStream<Uint8Array>({
    write(bytes) {
      writes.push(decoder.decode(bytes));
      return write(writes.at(-1) ?? '');
    },
  });
  const line = new ClientLine(writable, { keepAlive: ': hm\n\n', timeouts: TIMEOUTS, left: () => lefts++ });
  return { line, writes, lefts: () => lefts };
}

test('the first words go at once; what comes within moments of them goes together, in order', async () => {
  const { line, writes } = client();
  await line.write('a');
  expect(writes).toEqual(['a']);
  for (const word of ['b', 'c', 'd']) await line.write(word);
  expect(writes).toEqual(['a']);
  await vi.advanceTimersByTimeAsync(10);
  expect(writes).toEqual(['a', 'bcd']);
  await line.write('e');
  await line.end('f');
  expect(writes.join('')).toBe('abcdef');
});

test('words that come slowly are not kept back', async () => {
  const { line, writes } = client();
  for (const word of ['a', 'b', 'c']) {
    await line.write(word);
    expect(writes.at(-1)).toBe(word);
    await vi.advanceTimersByTimeAsync(20);
  }
});

test('traps T69: a silent line is kept alive, and no longer once it is at its end', async () => {
  const { line, writes } = client();
  await line.write('a');
  await vi.advanceTimersByTimeAsync(10_500);
  expect(writes).toEqual(['a', ': hm\n\n', ': hm\n\n']);
  await line.end('z');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(writes.at(-1)).toBe('z');
  expect(vi.getTimerCount()).toBe(0);
});

test('traps T31: a client that stops reading is given up, one whose connection is gone at once', async () => {
  const stuck = client(() => new Promise(() => {}));
  void stuck.line.write('a');
  await vi.advanceTimersByTimeAsync(14_900);
  expect(stuck.line.isOpen).toBe(true);
  await vi.advanceTimersByTimeAsync(200);
  expect(stuck.line.isOpen).toBe(false);
  expect(stuck.lefts()).toBe(1);

  const gone = client(() => {
    throw new Error('gone');
  });
  await gone.line.write('a');
  expect(gone.line.isOpen).toBe(false);
  expect(gone.lefts()).toBe(1);
  await gone.line.end('z');
  expect(gone.writes).toEqual(['a']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a slow client slows what is written: at most a few KB wait for it', async () => {
  const taken: (() => void)[] = [];
  const { line, writes } = client(() => new Promise((resolve) => void taken.push(resolve)));
  void line.write('a');
  let waited = false;
  void line.write('x'.repeat(20_000))?.then(() => {
    waited = true;
  });
  await vi.advanceTimersByTimeAsync(100);
  expect(waited).toBe(false);
  taken[0]?.();
  await vi.advanceTimersByTimeAsync(1);
  taken[1]?.();
  await vi.advanceTimersByTimeAsync(1);
  expect(waited).toBe(true);
  expect(writes).toHaveLength(2);
});
