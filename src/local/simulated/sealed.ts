import { digest } from './digest.ts';

/**
 * Opaque values a client has to send back untouched (thinking signatures, encrypted reasoning). The seal is a
 * checksum, not a secret: it finds a value that was cut or edited, which is all that the real ones show us.
 */
export function seal(value: unknown): string {
  const body = Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${body}.${digest('seal', body)}`;
}

/** What was sealed, or undefined where the value isn't one of ours or was changed. */
export function unseal(sealed: string): unknown {
  const [body, checksum] = sealed.split('.');
  if (body === undefined || checksum !== digest('seal', body)) return undefined;
  return JSON.parse(Buffer.from(body, 'base64url').toString('utf8'));
}
