import { FluxError, invalidRequest } from '../core/errors.ts';
import type { Access, AccessBook, Background } from '../customers/access-book.ts';
import { CUSTOMER_NAME, type KnownKey, type Scope } from '../env-keys.ts';

/**
 * Who asks, by the key in `Authorization: Bearer` or `x-api-key`. A promise only where this isolate does not know
 * the key (any more) and asks the stores.
 * @throws FluxError 401; 503 where no store answers for a key never seen here
 */
export function authenticate(
  headers: Headers,
  book: AccessBook,
  background: Background,
): Access | Promise<Access> {
  const presented = readKey(headers);
  if (presented === null) {
    throw new FluxError('No API key: send `Authorization: Bearer flx_…` (or `x-api-key`).', {
      status: 401,
      code: 'missing_api_key',
    });
  }
  return book.find(presented, background);
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
  if (!CUSTOMER_NAME.test(wanted)) {
    throw invalidRequest('A customer is 1–64 letters, digits, dots, dashes or underscores.', 'customer');
  }
  return wanted;
}

function readKey(headers: Headers): string | null {
  const bearer = /^Bearer\s+(\S+)\s*$/i.exec(headers.get('authorization') ?? '')?.[1];
  return bearer ?? headers.get('x-api-key')?.trim() ?? null;
}
