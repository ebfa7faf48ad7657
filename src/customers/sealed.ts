/**
 * Secrets that customers entrust to the gateway (their own provider keys), sealed with AES-256-GCM under
 * FLUX_SECRET. What is sealed for one customer and provider opens for no other: both are authenticated with it, so
 * that a row copied or swapped in the database is worth nothing.
 */
const FORM = 'v1';
/** NIST SP 800-38D: 96 random bits, good for 2^32 seals under one key. */
const NONCE_BYTES = 12;

/** @returns text without the secret's, for the database */
export async function seal(
  plain: string,
  secret: string,
  customer: string,
  provider: string,
): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(
    parameters(nonce, customer, provider),
    await keyOf(secret),
    new TextEncoder().encode(plain),
  );
  return [FORM, toText(nonce), toText(new Uint8Array(sealed))].join('.');
}

/** @returns null where it was sealed under another FLUX_SECRET or for someone else, or is damaged */
export async function unseal(
  text: string,
  secret: string,
  customer: string,
  provider: string,
): Promise<string | null> {
  const [form, nonce, sealed] = text.split('.');
  if (form !== FORM || nonce === undefined || sealed === undefined) return null;
  try {
    const plain = await crypto.subtle.decrypt(
      parameters(toBytes(nonce), customer, provider),
      await keyOf(secret),
      toBytes(sealed),
    );
    return new TextDecoder().decode(plain);
  } catch {
    return null;
  }
}

function parameters(iv: Uint8Array<ArrayBuffer>, customer: string, provider: string) {
  // As JSON, so that no two pairs read the same.
  return {
    name: 'AES-GCM',
    iv,
    additionalData: new TextEncoder().encode(JSON.stringify([customer, provider])),
  };
}

/** FLUX_SECRET serves other ends too, so this one has a key of its own. HKDF, RFC 5869. */
async function keyOf(secret: string) {
  const material = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), 'HKDF', false, [
    'deriveKey',
  ]);
  return crypto.subtle.deriveKey(
    {
      name: 'HKDF',
      hash: 'SHA-256',
      salt: new Uint8Array(0),
      info: new TextEncoder().encode('fluxcompute provider keys v1'),
    },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}

function toText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

function toBytes(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(text, 'base64url'));
}
