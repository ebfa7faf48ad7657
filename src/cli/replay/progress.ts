import type { LogSource } from './records.ts';

/** Milliseconds between two drawings. */
const BEAT = 200;

/** What is shown while a log is read, on a terminal; nothing where nobody looks. */
export interface Progress {
  show(source: LogSource, steps: number): void;
  end(): void;
}

export function openProgress(
  stream: NodeJS.WriteStream = process.stderr,
  clock = () => Date.now(),
): Progress {
  if (stream.isTTY !== true) return { show() {}, end() {} };
  const began = clock();
  let drawn = 0;
  return {
    show(source, steps) {
      const now = clock();
      if (now - drawn < BEAT) return;
      drawn = now;
      stream.write(`\r\u001b[K${progressLine(source, steps, (now - began) / 1_000)}`);
    },
    end: () => void stream.write('\r\u001b[K'),
  };
}

/** `[=======>            ]  38 %  12,300 steps  4,100/s  0:05 left`: of this file, by its bytes. */
function progressLine({ size, bytesRead }: LogSource, steps: number, seconds: number): string {
  const pace = `${steps.toLocaleString('en-US')} steps  ${Math.round(steps / Math.max(0.1, seconds)).toLocaleString('en-US')}/s`;
  if (size === null || size === 0) return pace;
  const share = Math.min(1, bytesRead() / size);
  const bar = `${'='.repeat(Math.floor(20 * share))}>`.slice(0, 20).padEnd(20);
  const left = share > 0.01 ? Math.round((seconds * (1 - share)) / share) : null;
  const eta = left === null ? '' : `  ${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')} left`;
  return `[${bar}] ${String(Math.round(100 * share)).padStart(3)} %  ${pace}${eta}`;
}
