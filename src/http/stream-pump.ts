import type { StreamWriter } from '../core/dialects/openai-chat/stream.ts';
import type { Timeouts } from '../pipeline/settings.ts';
import type { StepOutcome } from '../pipeline/step.ts';

interface Pumping {
  writerFor(relay: boolean): StreamWriter;
  /** What a silent stream is kept alive with. */
  keepAlive: string;
  toError(error: unknown): { message: string; type: string; code: string | null };
  /** Aborts when the client leaves. A runtime is not always told (T31), so nothing depends on it alone. */
  left: AbortSignal;
  timeouts: Timeouts;
}

class ClientGone extends Error {}

/**
 * The two ends of a response's body. workerd's own stream fails a write at once when the client has left; the
 * standard one would leave it waiting.
 */
export function openBody(): TransformStream<Uint8Array, Uint8Array> {
  // Only workerd has it, so the types we check with don't.
  const { IdentityTransformStream: Native = TransformStream } = globalThis as {
    IdentityTransformStream?: typeof TransformStream;
  };
  return new Native<Uint8Array, Uint8Array>();
}

/**
 * A Worker lives 30 s after its client has left, and may see that only in a write (T31): what would take longer than
 * both of these together could cost the row.
 */
const LONGEST_SILENCE_MS = 10_000;
const LONGEST_WRITE_MS = 15_000;

/**
 * Writes a streamed answer to the client, at the client's pace. It ends in exactly one way: finished, broken
 * (the dialect's own error, T30), or abandoned because the client left or stopped reading (T31).
 * Never rejects: it runs in `waitUntil`.
 */
export async function pump(
  outcome: Promise<StepOutcome>,
  writable: WritableStream<Uint8Array>,
  { writerFor, keepAlive, toError, left, timeouts }: Pumping,
): Promise<void> {
  const sink = writable.getWriter();
  const encoder = new TextEncoder();
  const gone = new Promise<never>((_, reject) => {
    if (left.aborted) reject(new ClientGone());
    left.addEventListener('abort', () => reject(new ClientGone()), { once: true });
  });
  gone.catch(() => {});
  const write = async (text: string): Promise<void> => {
    if (text === '') return;
    try {
      const written = sink.write(encoder.encode(text));
      await Promise.race([gone, within(Math.min(timeouts.idle, LONGEST_WRITE_MS), written)]);
    } catch {
      throw new ClientGone();
    }
  };
  /** Waits, and says so to the client every `silence` milliseconds. */
  const patiently = async <T>(wait: Promise<T>, silence: number): Promise<T> => {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const pause = new Promise<typeof SILENT>((resolve) => {
        timer = setTimeout(() => resolve(SILENT), silence);
      });
      try {
        const first = await Promise.race([gone, wait, pause]);
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
    step = await patiently(outcome, timeouts.keepAlive);
    if (step.kind !== 'stream') throw new RangeError('a streamed step has a stream');
    writer = writerFor(step.relay);
    const { frames } = step.stream;
    for (;;) {
      const { done, value } = await patiently(
        frames.next(),
        Math.min(timeouts.keepAlive, LONGEST_SILENCE_MS),
      );
      if (done) break;
      await write(value.map((frame) => writer.write(frame.events, frame.raw)).join(''));
    }
    const { usage, metadata } = step.stream.finish();
    await write(writer.finish(usage, metadata));
    await sink.close().catch(() => {});
  } catch (error) {
    if (error instanceof ClientGone) {
      const begun = step ?? (await outcome.catch(() => undefined));
      if (begun?.kind === 'stream') begun.stream.abandon();
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
