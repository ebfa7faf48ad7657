import type { FluxError } from '../core/errors.ts';
import type { LivePassage, Passage } from '../pipeline/passthrough.ts';
import type { Timeouts } from '../pipeline/settings.ts';
import { ByteLine } from './byte-line.ts';
import { ClientLine } from './client-line.ts';

/** An SSE comment, which no client shows. */
const KEEP_ALIVE = ': keep-alive\n\n';

interface Pumping {
  toError(error: unknown): FluxError;
  /** Aborts when the client leaves. A runtime is not always told (T31), so nothing depends on it alone. */
  left: AbortSignal;
  timeouts: Timeouts;
}

/**
 * Writes an answer that passes through to the client, at the client's pace: finished, broken, or abandoned because the
 * client left or stopped reading. Never rejects: it runs in `waitUntil`.
 */
export function pumpPassage(
  passage: LivePassage,
  writable: WritableStream<Uint8Array>,
  { toError, left, timeouts }: Pumping,
): Promise<void> {
  const abandon = () => passage.abandon();
  if (passage.kind === 'bytes') {
    const line = new ByteLine(writable, timeouts.idle, abandon);
    return pump(passage, line, left, async () => line.cut());
  }
  const line = new ClientLine(writable, { keepAlive: KEEP_ALIVE, timeouts, left: abandon });
  line.begin();
  return pump(passage, line, left, (error) => line.end(passage.fail(toError(error))));
}

interface Line<Part> {
  readonly isOpen: boolean;
  write(part: Part): Promise<void> | undefined;
  end(part: Part): Promise<void>;
  leave(): void;
}

async function pump<Part>(
  { next, finish }: Passage<Part>,
  line: Line<Part>,
  left: AbortSignal,
  fail: (error: unknown) => Promise<void>,
): Promise<void> {
  const leave = () => line.leave();
  left.addEventListener('abort', leave, { once: true });
  if (left.aborted) leave();
  try {
    for (let part = await next(); part !== null; part = await next()) {
      const writing = line.write(part);
      if (writing) await writing;
      if (!line.isOpen) return;
    }
    if (line.isOpen) await line.end(finish());
  } catch (error) {
    await fail(error);
  } finally {
    left.removeEventListener('abort', leave);
  }
}
