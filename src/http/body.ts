import { FluxError } from '../core/errors.ts';
import type { Lease } from './bytes-in-flight.ts';

/**
 * The body as text, read no further than the limit, whatever `content-length` claims.
 * @param lease is charged with its bytes: at once as many as it claims, the others as they come
 * @throws FluxError 413, 400; 503 where the isolate has no room for it
 */
export async function readBody(request: Request, limit: number, lease?: Lease): Promise<string> {
  const claimed = Number(request.headers.get('content-length') ?? 0) || 0;
  if (claimed > limit) throw tooLarge(limit);
  try {
    lease?.take(claimed);
  } catch (error) {
    await drain(request.body);
    throw error;
  }
  if (!request.body) throw notJson();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  let size = 0;
  let text = '';
  try {
    for await (const chunk of request.body) {
      size += chunk.byteLength;
      if (size > limit) throw tooLarge(limit);
      if (size > claimed) lease?.take(Math.min(chunk.byteLength, size - claimed));
      text += decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    if (error instanceof FluxError) throw error;
    throw new FluxError('The body could not be read: send it whole, as UTF-8.', {
      status: 400,
      code: 'unreadable_body',
    });
  }
}

/**
 * Reads a body that is not wanted, and forgets it: a client that is still sending would see its connection reset in
 * place of the answer. Always into the same buffer: what there is no room for must not fill the memory as garbage.
 */
async function drain(body: Request['body']): Promise<void> {
  try {
    const reader = body?.getReader({ mode: 'byob' });
    for (let buffer = new Uint8Array(64 * 1024); reader; ) {
      const { done, value } = await reader.read(buffer);
      if (done) return;
      buffer = new Uint8Array(value.buffer);
    }
  } catch {
    // The client has left, or the stream is none of bytes.
  }
}

/** @throws FluxError 400 */
export function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson();
  }
}

function notJson(): FluxError {
  return new FluxError('The body is not valid JSON: send an object with `model` and `messages`.', {
    status: 400,
    code: 'invalid_json',
  });
}

function tooLarge(limit: number): FluxError {
  return new FluxError(
    `The body is larger than ${limit} bytes. Shorten the conversation or its images, or raise FLUX_MAX_BODY_BYTES where the gateway runs.`,
    { status: 413, code: 'request_too_large' },
  );
}
