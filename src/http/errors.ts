import { FluxError } from '../core/errors.ts';

/** OpenAI's `type` for a status. */
function openaiType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** An error as the body of OpenAI's wire; our own `/api` speaks it too. */
export function writeOpenAIError(error: FluxError): {
  error: { message: string; type: string; param: string | null; code: string | null };
} {
  // An OpenAI provider's own words stay its own (T69); there `code` may be null.
  const own = error.provider?.kind === 'openai' ? error.provider : null;
  return {
    error: {
      message: error.message,
      type: own?.type ?? openaiType(error.status),
      param: error.param ?? null,
      code: own ? own.code : error.code,
    },
  };
}

/** Headers that belong to an error: when to come back, and the provider's id for its support. */
export function errorHeaders(error: FluxError): Record<string, string> {
  return {
    ...(error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }),
    ...(error.provider?.requestId ? { 'x-request-id': toAscii(error.provider.requestId) } : {}),
  };
}

/** Whatever was thrown, as an error for the client. What we did not foresee says nothing of its cause. */
export function toClientError(error: unknown): FluxError {
  if (error instanceof FluxError) return error;
  // Only a body nested thousands deep gets that far down.
  if (error instanceof RangeError && error.message.includes('call stack')) {
    return new FluxError('The body is nested too deeply to be read.', { status: 400, code: 'too_deep' });
  }
  return new FluxError('Something went wrong in the gateway. Try again; the request id helps to find it.', {
    status: 500,
    code: 'internal_error',
  });
}

/** A header value crashes on anything else, after the money is spent (T33). */
export function toAscii(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
