import type { FluxError } from '../../errors.ts';
import { fieldOn } from '../../routing/field-names.ts';
import type { JsonObject } from '../provider-json.ts';

/** Anthropic's types of a status (providers.md §3). */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  409: 'conflict_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/**
 * A conversation kept at Anthropic, which one that shares a key can't have (T56). Its SDKs' tool runners ask for one
 * each time, and by these details go on without (aSDK 1.12 `ThreadState`).
 */
const NO_THREAD = { error_code: 'thread_unsupported_request', unsupported: ['thread'] };

/**
 * An error as a body of Anthropic's. An Anthropic provider's own comes as it was (T69). Ours name the field in their
 * message, since the shape has no place for it, and our code in `details.error_code`.
 */
export function writeAnthropicError(error: FluxError): JsonObject {
  const own = error.provider?.kind === 'anthropic' ? error.provider : null;
  if (own?.body) return own.body;
  const usual = TYPES[error.status] ?? (error.status >= 500 ? 'api_error' : 'invalid_request_error');
  const param = error.param === undefined ? undefined : fieldOn('anthropic-messages', error.param);
  const named = param === undefined || error.message.includes(param);
  return {
    type: 'error',
    error: {
      // An error inside a 200 has its type as the code.
      type: own?.type ?? own?.code ?? usual,
      message: named ? error.message : `${param}: ${error.message}`,
      ...(own ? {} : { details: param === 'thread' ? NO_THREAD : { error_code: error.code } }),
    },
    request_id: own?.requestId ?? null,
  };
}
