import { createHash, timingSafeEqual } from 'node:crypto';
import { FluxError } from '../core/errors.ts';
import type { KnownKey, Scope } from '../env-keys.ts';

/**
 * The key of a request, from `Authorization: Bearer` or `x-api-key`. Every known hash is compared, each in
 * constant time, so that timing says neither how much of a key is right nor where it stands.
 * @throws FluxError 401
 */
export function authenticate(headers: Headers, keys: readonly KnownKey[]): KnownKey {
  const presented = readKey(headers);
  if (presented === null) {
    throw new FluxError('No API key: send `Authorization: Bearer flx_…` (or `x-api-key`).', {
      status: 401,
      code: 'missing_api_key',
    });
  }
  const hash = createHash('sha256').update(presented).digest();
  let found: KnownKey | undefined;
  for (const key of keys) if (timingSafeEqual(key.hash, hash)) found = key;
  if (!found) {
    throw new FluxError(
      'This API key is not known here. It must be one of the gateway (FLUX_API_KEYS), not a provider key.',
      { status: 401, code: 'invalid_api_key' },
    );
  }
  return found;
}

/** @throws FluxError 403 that says which scope is missing, and nothing of what is behind it */
export function requireScope(key: KnownKey, scope: Scope): void {
  if (key.scopes.has(scope)) return;
  throw new FluxError(`This API key lacks the scope '${scope}'.`, { status: 403, code: 'missing_scope' });
}

/**
 * Whose data a request is about: its key's own customer, or for the admin key the one in `?customer=`.
 * @throws FluxError 400
 */
export function customerOf(key: KnownKey, wanted: string | undefined): string {
  if (key.customer !== null) {
    if (wanted !== undefined && wanted !== key.customer) {
      throw new FluxError('This API key acts on its own customer only: leave `customer` out.', {
        status: 403,
        code: 'wrong_customer',
        param: 'customer',
      });
    }
    return key.customer;
  }
  if (!wanted) {
    throw new FluxError('The admin key acts on all customers: say which with `?customer=`.', {
      status: 400,
      code: 'missing_required_parameter',
      param: 'customer',
    });
  }
  return wanted;
}

function readKey(headers: Headers): string | null {
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headers.get('authorization') ?? '')?.[1];
  return bearer ?? headers.get('x-api-key')?.trim() ?? null;
}
