import type { StreamWriter } from '../core/dialects/openai-chat/stream.ts';
import type { Timeouts } from '../pipeline/settings.ts';
import type { StepOutcome } from '../pipeline/step.ts';

interface Pumping {
  writerFor(relay: boolean): StreamWriter;
  /** What a silent stream is kept alive with. */
  keepAlive: string;
  toError(error: unknown): { message: string; type: string; code: string };
  timeouts: Timeouts;
}

class ClientGone extends Error {}

/**
 * Writes a streamed answer to the client, at the client's pace. It ends in exactly one way: finished, broken
 * (the dialect's own error, T30), or abandoned because the client left or stopped reading (T31).
 * Never rejects: it runs in `waitUntil`.
 */
export async function pump(
  outcome: Promise<StepOutcome>,
  writable: WritableStream<Uint8Array>,
  { writerFor, keepAlive, toError, timeouts }: Pumping,
): Promise<void> {
  const sink = writable.getWriter();
  const encoder = new TextEncoder();
  const write = async (text: string): Promise<void> => {
    if (text === '') return;
    try {
      await within(timeouts.idle, sink.write(encoder.encode(text)));
    } catch {
      throw new ClientGone();
    }
  };
  /** Waits, and says so to the client every now and then. */
  const patiently = async <T>(wait: Promise<T>): Promise<T> => {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const pause = new Promise<typeof SILENT>((resolve) => {
        timer = setTimeout(() => resolve(SILENT), timeouts.keepAlive);
      });
      try {
        const first = await Promise.race([wait, pause]);
        if (first !== SILENT) return first;
      } finally {
        clearTimeout(timer);
      }
      await write(keepAlive);
    }
  };

  let writer = writerFor(false);
  let step: StepOutcome | undefined;
  try {
    step = await patiently(outcome);
    if (step.kind !== 'stream') throw new RangeError('a streamed step has a stream');
    writer = writerFor(step.relay);
    const { frames } = step.stream;
    for (;;) {
      const { done, value } = await patiently(frames.next());
      if (done) break;
      await write(value.map((frame) => writer.write(frame.events, frame.raw)).join(''));
    }
    const { usage, metadata } = step.stream.finish();
    await write(writer.finish(usage, metadata));
    await sink.close().catch(() => {});
  } catch (error) {
    if (error instanceof ClientGone) {
      const left = step ?? (await outcome.catch(() => undefined));
      if (left?.kind === 'stream') left.stream.abandon();
      await sink.abort().catch(() => {});
      return;
    }
    await write(writer.fail(toError(error))).catch(() => {});
    await sink.close().catch(() => {});
  }
}

const SILENT = Symbol('silent');

async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ClientGone()), ms);
  });
  try {
    await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
