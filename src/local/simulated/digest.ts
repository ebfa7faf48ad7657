import { createHash, randomBytes } from 'node:crypto';

/** A short fingerprint of some texts; their borders count. */
export function digest(...parts: string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('base64url').slice(0, 22);
}

/** JSON with sorted keys, for comparing values whose key order doesn't matter. */
export function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** A fresh id as the providers make them: prefix and 24 letters and digits. */
export function freshId(prefix: string): string {
  return prefix + randomBytes(12).toString('hex');
}
