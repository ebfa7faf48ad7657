import { openBytes, type Seal, sealBytes } from '../stores/sealing.ts';

/** Secrets that customers entrust to the gateway (their own provider keys), each sealed for its customer and provider. */
function sealOf(customer: string, provider: string): Seal {
  return { purpose: 'provider keys', owner: [customer, provider] };
}

/** @returns text without the secret's, for the database */
export function seal(plain: string, secret: string, customer: string, provider: string): Promise<string> {
  return sealBytes(new TextEncoder().encode(plain), secret, sealOf(customer, provider));
}

/**
 * @param secrets FLUX_SECRET, and the one before it during a rotation
 * @returns null where it was sealed under another secret or for someone else, or is damaged
 */
export async function unseal(
  text: string,
  secrets: readonly string[],
  customer: string,
  provider: string,
): Promise<string | null> {
  const bytes = await openBytes(text, secrets, sealOf(customer, provider));
  return bytes && new TextDecoder().decode(bytes);
}
