import type { StreamWriter } from '../core/dialects/client-dialect.ts';
import type { FluxError } from '../core/errors.ts';
import type { FluxMetadata } from '../core/metadata.ts';
import type { StepOutcome } from '../pipeline/delivery.ts';
import type { Timeouts } from '../pipeline/settings.ts';
import { ClientLine } from './client-line.ts';

interface Pumping {
  writerFor(relay: boolean): StreamWriter;
  /** What a silent stream is kept alive with. */
  keepAlive: string;
  toError(error: unknown): FluxError;
  /** Aborts when the client leaves. A runtime is not always told (T31), so nothing depends on it alone. */
  left: AbortSignal;
  timeouts: Timeouts;
}

/**
 * The two ends of a response's body. workerd's own stream fails a write at once when the client has left, where the
 * standard one would leave it waiting, and a write is over when its bytes were taken, so that they may be written over.
 */
export function openBody(): TransformStream<Uint8Array, Uint8Array> {
  // Only workerd has it, so the types we check with don't.
  const { IdentityTransformStream: Native } = globalThis as {
    IdentityTransformStream?: typeof TransformStream;
  };
  if (Native) return new Native<Uint8Array, Uint8Array>();
  return new TransformStream({ transform: (bytes, taken) => taken.enqueue(bytes.slice()) });
}

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
  let abandon = () => {};
  // Ends a wait for the provider too: its frames are over once nobody wants them.
  const line = new ClientLine(writable, { keepAlive, timeouts, left: () => abandon() });
  const leave = () => line.leave();
  left.addEventListener('abort', leave, { once: true });
  if (left.aborted) leave();
  let writer = writerFor(false);
  let broken: () => FluxMetadata | undefined = () => undefined;
  try {
    const step = await outcome;
    if (step.kind !== 'stream') throw new RangeError('a streamed step has a stream');
    abandon = () => step.stream.abandon();
    broken = () => step.stream.broken();
    if (!line.isOpen) return abandon();
    writer = writerFor(step.relay);
    line.begin();
    for await (const batch of step.stream.frames) {
      let text = '';
      for (const frame of batch) text += writer.write(frame);
      const writing = line.write(text);
      if (writing) await writing;
      if (!line.isOpen) return;
    }
    if (!line.isOpen) return;
    const { usage, metadata } = step.stream.finish();
    await line.end(writer.finish(usage, metadata));
  } catch (error) {
    await line.end(writer.fail(toError(error), broken()));
  } finally {
    left.removeEventListener('abort', leave);
  }
}
