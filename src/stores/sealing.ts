/**
 * Sealing with AES-256-GCM under keys derived from FLUX_SECRET, one for each purpose. What is sealed for one owner
 * opens for no other: the owner is authenticated with it, so that a value copied or swapped in a store is worth
 * nothing.
 */
const FORM = 'v1';
/** NIST SP 800-38D: 96 random bits, good for 2^32 seals under one key. */
const NONCE_BYTES = 12;

/** Whose it is, and what for. */
export interface Seal {
  /** Separates the keys: what one purpose sealed no other opens. */
  purpose: string;
  /** Names of the owner and of the thing. */
  owner: readonly string[];
}

/** @returns text that shows nothing of it, for a store */
export async function sealBytes(plain: Uint8Array<ArrayBuffer>, secret: string, seal: Seal): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(
    parameters(nonce, seal),
    await keyOf(secret, seal.purpose),
    plain,
  );
  return [FORM, toText(nonce), toText(new Uint8Array(sealed))].join('.');
}

/**
 * @param secrets the one of today, then those before it that are still to be opened
 * @returns null where it was sealed under none of them or for someone else, or is damaged
 */
export async function openBytes(
  text: string,
  secrets: readonly string[],
  seal: Seal,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const [form, nonce, sealed] = text.split('.');
  if (form !== FORM || nonce === undefined || sealed === undefined) return null;
  const bytes = toBytes(sealed);
  for (const secret of secrets) {
    try {
      const key = await keyOf(secret, seal.purpose);
      return new Uint8Array(await crypto.subtle.decrypt(parameters(toBytes(nonce), seal), key, bytes));
    } catch {
      // Another secret may open it.
    }
  }
  return null;
}

function parameters(iv: Uint8Array<ArrayBuffer>, { owner }: Seal) {
  // As JSON, so that no two owners read the same.
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(JSON.stringify(owner)) };
}

/** A deployment has two secrets at most, and a handful of purposes. */
const MOST_KEYS = 32;
const keys = new Map<string, Promise<Awaited<ReturnType<typeof deriveKey>>>>();

/** Derived once in the life of an isolate: a long history opens hundreds of seals. */
function keyOf(secret: string, purpose: string) {
  const name = JSON.stringify([purpose, secret]);
  const known = keys.get(name);
  if (known) return known;
  if (keys.size >= MOST_KEYS) keys.clear();
  const made = deriveKey(secret, purpose);
  keys.set(name, made);
  return made;
}

/** FLUX_SECRET serves several ends, so each has a key of its own. HKDF, RFC 5869. */
async function deriveKey(secret: string, purpose: string) {
  const material = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), 'HKDF', false, [
    'deriveKey',
  ]);
  return crypto.subtle.deriveKey(
    {
      name: 'HKDF',
      hash: 'SHA-256',
      salt: new Uint8Array(0),
      info: new TextEncoder().encode(`fluxcompute ${purpose} v1`),
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
