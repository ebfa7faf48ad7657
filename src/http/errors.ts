import { ANTHROPIC_MESSAGES } from '../core/dialects/anthropic-messages/dialect.ts';
import type { ClientDialect } from '../core/dialects/client-dialect.ts';
import { OPENAI_CHAT } from '../core/dialects/openai-chat/dialect.ts';
import { FluxError } from '../core/errors.ts';
import type { Wire } from '../core/routing/catalog.ts';

/** Paths of Anthropic's API, and those that both APIs have. */
const MESSAGES = /^\/v1\/messages(\/|$)/;
const SHARED = /^\/v1\/(models|files)(\/|$)/;

/** Whose errors a path answers with: those of the API that was called. Our own `/api` speaks OpenAI's. */
export function dialectOf(path: string, headers: Headers): Pick<ClientDialect, 'writeError' | 'wire'> {
  const isAnthropic = MESSAGES.test(path) || (SHARED.test(path) && headers.has('anthropic-version'));
  return isAnthropic ? ANTHROPIC_MESSAGES : OPENAI_CHAT;
}

/** Headers that belong to an error: when to come back, and the provider's id for its support. */
export function errorHeaders(error: FluxError, wire: Wire): Record<string, string> {
  const name = wire === 'anthropic-messages' ? 'request-id' : 'x-request-id';
  return {
    ...(error.retryAfter === undefined ? {} : { 'retry-after': String(error.retryAfter) }),
    ...(error.provider?.requestId ? { [name]: toAscii(error.provider.requestId) } : {}),
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
