import { FluxError } from '../core/errors.ts';

/** No key of ours, as far as anybody knows. */
export function unknownKey(): FluxError {
  return new FluxError(
    'This API key is not known here. It must be one of the gateway (FLUX_API_KEYS, or made with POST /api/keys), not a provider key.',
    { status: 401, code: 'invalid_api_key' },
  );
}

export function revokedKey(): FluxError {
  return new FluxError('This API key was revoked. Ask an admin of your gateway for a new one.', {
    status: 401,
    code: 'revoked_api_key',
  });
}

/** Nobody can say whose key it is: no 401, which would make its owner replace it. */
export function keysUnavailable(retryAfter: number): FluxError {
  return new FluxError(
    "This API key can't be checked now: the gateway's stores do not answer. Try again; the key may be fine.",
    { status: 503, code: 'keys_unavailable', retryAfter },
  );
}
