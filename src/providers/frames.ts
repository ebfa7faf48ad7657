import { createParser } from 'eventsource-parser';
import { Deadline } from '../pipeline/deadline.ts';

/** One SSE frame as it came. */
export interface SseFrame {
  event?: string;
  data: string;
}

/** No bytes for the given time. */
export class IdleTimeout extends Error {
  constructor(ms: number) {
    super(`no bytes for ${ms} ms`);
    this.name = 'IdleTimeout';
  }
}

/**
 * The bytes of a body, as they arrive. Leaving the loop early cancels the body, which aborts the upstream. Nothing is
 * read ahead of the consumer, so a slow client slows the provider.
 * @param patience milliseconds to wait for the next bytes, asked anew before each read
 * @param signal ends them and cancels the body at once
 * @throws IdleTimeout, or what the connection throws
 */
export async function* readChunks(
  body: ReadableStream<Uint8Array>,
  patience: () => number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader();
  const cancel = () => reader.cancel().catch(() => {});
  signal.addEventListener('abort', cancel, { once: true });
  let expired = false;
  const silence = new Deadline(() => {
    expired = true;
    cancel(); // Ends the read that waits: in workerd it rejects, elsewhere it is done.
  });
  let ms = 0;
  try {
    for (;;) {
      ms = patience();
      silence.set(ms);
      const { done, value } = await reader.read();
      silence.suspend();
      if (expired) break;
      if (done) return;
      yield value;
    }
  } catch (error) {
    if (!expired) throw error;
  } finally {
    silence.clear();
    // A listener left behind would keep the stream for as long as the isolate lives.
    signal.removeEventListener('abort', cancel);
    cancel();
  }
  if (expired) throw new IdleTimeout(ms);
}

/** SSE frames of a body, in the batches they arrive in: {@link readChunks}, parsed. */
export async function* readFrames(
  body: ReadableStream<Uint8Array>,
  patience: () => number,
  signal: AbortSignal,
): AsyncGenerator<SseFrame[], void, undefined> {
  const decoder = new TextDecoder();
  let frames: SseFrame[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      frames.push(event === undefined ? { data } : { event, data });
    },
  });
  for await (const chunk of readChunks(body, patience, signal)) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    if (frames.length === 0) continue;
    const batch = frames;
    frames = [];
    yield batch;
  }
  // Servers that end without the last blank line still meant their last frame.
  parser.feed(`${decoder.decode()}\n\n`);
  if (frames.length > 0) yield frames;
}
