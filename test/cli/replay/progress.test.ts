import { expect, test } from 'vitest';
import { openProgress } from '../../../src/cli/replay/progress.ts';
import type { LogSource } from '../../../src/cli/replay/records.ts';

/** What is written to a terminal, or to something that is none, at these milliseconds. */
function drawn(
  isTTY: boolean,
  beats: readonly { at: number; read: number; steps: number }[],
  size: number | null,
) {
  const written: string[] = [];
  let now = 0;
  const stream = { isTTY, write: (text: string) => written.push(text) > 0 };
  // All of a terminal that is used.
  const progress = openProgress(stream as unknown as NodeJS.WriteStream, () => now);
  for (const { at, read, steps } of beats) {
    now = at;
    // All of a source that is shown.
    progress.show({ size, bytesRead: () => read } as LogSource, steps);
  }
  progress.end();
  return written;
}

test('a bar by the bytes read, with pace and time left, at most five times a second', () => {
  const beats = [
    { at: 1_000, read: 100, steps: 500 },
    { at: 1_100, read: 110, steps: 550 },
    { at: 4_000, read: 400, steps: 2_000 },
  ];
  expect(drawn(true, beats, 1_000)).toEqual([
    '\r\u001b[K[==>                 ]  10 %  500 steps  500/s  0:09 left',
    '\r\u001b[K[========>           ]  40 %  2,000 steps  500/s  0:06 left',
    '\r\u001b[K',
  ]);
});

test('of standard input, whose length nobody knows, the steps alone', () => {
  expect(drawn(true, [{ at: 2_000, read: 100, steps: 12_300 }], null)[0]).toBe(
    '\r\u001b[K12,300 steps  6,150/s',
  );
});

test('nothing where nobody looks', () => {
  expect(drawn(false, [{ at: 2_000, read: 100, steps: 1 }], 1_000)).toEqual([]);
});
