import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { isObject } from '../core/dialects/provider-json.ts';
import { FluxError } from '../core/errors.ts';
import type { Failure } from '../pipeline/ports.ts';
import { kindOf } from '../pipeline/provider-error.ts';
import { IdleTimeout } from './body-reader.ts';

/** What an error of an SDK, of the network or of a reader says about the try. */
export function readFailure(error: unknown, ms: number): Failure {
  const none = { param: null, type: null, code: null, retryAfter: null, requestId: null, ms };
  if (error instanceof FluxError) {
    const status = error.status;
    return {
      ...none,
      kind: kindOf(status, error.code, ''),
      status,
      message: error.message,
      code: error.code,
    };
  }
  if (error instanceof IdleTimeout) {
    return { ...none, kind: 'timeout', status: 0, message: 'The provider did not answer in time.' };
  }
  if (
    (error instanceof Anthropic.APIError || error instanceof OpenAI.APIError) &&
    error.status !== undefined
  ) {
    const { message, type, code, param } = readBody(error.error);
    return {
      kind: kindOf(error.status, code ?? type ?? '', message),
      status: error.status,
      message: message === '' ? `The provider answered ${error.status} without a message.` : message,
      type,
      code,
      param,
      retryAfter: readRetryAfter(error.headers),
      ...readRetry(error.status, error.headers),
      requestId: error.requestID ?? error.headers?.get('request-id') ?? null,
      ...wholeBody(error),
      ms,
    };
  }
  // Anything else broke between us and the provider: refused, reset, a body that is not what it says.
  return { ...none, kind: 'unreachable', status: 0, message: 'The connection to the provider failed.' };
}

/** The headers of the answer that an SDK's error is about; none where there was no answer. */
export function headersOf(error: unknown): Headers | undefined {
  return error instanceof Anthropic.APIError || error instanceof OpenAI.APIError ? error.headers : undefined;
}

/** An error of Anthropic's as it came. Of OpenAI's, what matters is in `readBody`. */
function wholeBody(error: { error: unknown }): { body?: Record<string, unknown> } {
  const whole = error instanceof Anthropic.APIError && isObject(error.error) && isObject(error.error.error);
  return whole && isObject(error.error) ? { body: error.error } : {};
}

/** Anthropic: `{type: "error", error: {type, message}}`; the OpenAI SDK gives what is inside `error`. */
function readBody(body: unknown): {
  message: string;
  type: string | null;
  code: string | null;
  param: string | null;
} {
  const outer = asRecord(body);
  const inner = asRecord(outer.error ?? outer);
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    message: text(inner.message) ?? '',
    type: text(inner.type),
    code: text(inner.code),
    param: text(inner.param),
  };
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** What the provider says itself. A 408 is its own short time-out, unlike one that we have waited for. */
function readRetry(status: number, headers: Headers | undefined): { retry?: boolean } {
  const said = headers?.get('x-should-retry');
  if (said === 'true' || said === 'false') return { retry: said === 'true' };
  return status === 408 ? { retry: true } : {};
}

/** Seconds. Both providers send `retry-after`, OpenAI `retry-after-ms` too. */
function readRetryAfter(headers: Headers | undefined): number | null {
  const ms = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (ms >= 0) return ms / 1000;
  const text = headers?.get('retry-after') ?? '';
  const seconds = Number.parseFloat(text);
  if (seconds >= 0) return seconds;
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : Math.max(0, (date - Date.now()) / 1000);
}
