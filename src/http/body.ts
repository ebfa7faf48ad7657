import { FluxError } from '../core/errors.ts';

/**
 * The body as text, read no further than the limit, whatever `content-length` claims.
 * @throws FluxError 413, 400
 */
export async function readBody(request: Request, limit: number): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge(limit);
  if (!request.body) throw notJson();
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  let size = 0;
  let text = '';
  try {
    for await (const chunk of request.body) {
      size += chunk.byteLength;
      if (size > limit) throw tooLarge(limit);
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
