import { createParser } from 'eventsource-parser';

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
 * SSE frames of a body, in the batches they arrive in. Leaving the loop early cancels the body, which aborts the
 * upstream. Nothing is read ahead of the consumer, so a slow client slows the provider.
 * @param patience milliseconds to wait for the next bytes, asked anew before each read
 * @param signal ends the frames and cancels the body at once
 * @throws IdleTimeout, or what the connection throws
 */
export async function* readFrames(
  body: ReadableStream<Uint8Array>,
  patience: () => number,
  signal: AbortSignal,
): AsyncGenerator<SseFrame[], void, undefined> {
  const reader = body.getReader();
  const cancel = () => reader.cancel().catch(() => {});
  signal.addEventListener('abort', cancel, { once: true });
  const decoder = new TextDecoder();
  let frames: SseFrame[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      frames.push(event === undefined ? { data } : { event, data });
    },
  });
  try {
    for (;;) {
      const { done, value } = await readWithin(reader, patience());
      parser.feed(done ? decoder.decode() : decoder.decode(value, { stream: true }));
      // Servers that end without the last blank line still meant their last frame.
      if (done) parser.feed('\n\n');
      if (frames.length > 0) {
        const batch = frames;
        frames = [];
        yield batch;
      }
      if (done) return;
    }
  } finally {
    // A listener left behind would keep the stream for as long as the isolate lives.
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

async function readWithin(reader: ReadableStreamDefaultReader<Uint8Array>, ms: number) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const idle = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new IdleTimeout(ms)), ms);
  });
  try {
    return await Promise.race([reader.read(), idle]);
  } finally {
    clearTimeout(timer);
  }
}
