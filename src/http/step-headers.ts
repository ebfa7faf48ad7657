import { createHmac } from 'node:crypto';
import type { Digest } from '../core/context/lane-chain.ts';
import { invalidRequest } from '../core/errors.ts';
import { TIERS, type Tier } from '../core/routing/tier.ts';

const PRINTABLE = /^[\x20-\x7e]{1,128}$/;
/** A tag as `name=value`, wherever one is written. */
export const TAG = /^([a-z0-9_.-]{1,32})=([A-Za-z0-9_.:@-]{1,64})$/;
const MOST_TAGS = 8;

/**
 * The session a step names (contract.md, Session identity): `X-FluxCompute-Session`, Claude Code's own header, what
 * the body says; or a new name where it has none.
 * Stores see only an HMAC of it under the customer's secret (T59).
 * @throws FluxError 400
 */
export function readSession(
  headers: Headers,
  inBody: string | undefined,
  customer: string,
  secret: string | null,
  newName: () => string,
): { shown: string; hash: string | null } {
  const named = [
    ['X-FluxCompute-Session', headers.get('x-fluxcompute-session')],
    ['x-claude-code-session-id', headers.get('x-claude-code-session-id')],
    ['metadata.user_id', inBody ?? null],
  ] as const;
  for (const [field, name] of named) {
    if (name === null) continue;
    if (!PRINTABLE.test(name)) {
      throw invalidRequest(`${field} must be 1–128 printable ASCII characters.`, field);
    }
    return { shown: name, hash: hashSession(name, customer, secret) };
  }
  return { shown: newName(), hash: null };
}

/** What stores know a session by; null without a secret. */
export function hashSession(name: string, customer: string, secret: string | null): string | null {
  return secret === null ? null : hashUnder(secret, customer, `session:${name}`);
}

/** The end user of a request under the customer's secret; null without a name or a secret. */
export function hashUser(name: string | undefined, customer: string, secret: string | null): string | null {
  return name === undefined || secret === null ? null : hashUnder(secret, customer, `user:${name}`);
}

/** Hashes of a customer's conversations, under its own secret. */
export function digestOf(secret: string, customer: string): Digest {
  const own = createHmac('sha256', secret).update(`customer:${customer}`).digest();
  // As bytes: Node's own way from a text to its bytes takes as long as the hash.
  return (text) =>
    createHmac('sha256', own)
      .update(encoder.encode(`lane:${text}`))
      .digest('base64url')
      .slice(0, 22);
}

const encoder = new TextEncoder();

/** The customer's secret is derived, so that one customer's hashes say nothing about another's. */
function hashUnder(secret: string, customer: string, name: string): string {
  const own = createHmac('sha256', secret).update(`customer:${customer}`).digest();
  return createHmac('sha256', own).update(name).digest('hex').slice(0, 32);
}

/** The session's history is put before what is sent; or it begins anew, with what is sent. */
export type HistoryWish = 'append' | 'start';

/** @throws FluxError 400 */
export function readHistoryWish(headers: Headers): HistoryWish | null {
  const text = headers.get('x-fluxcompute-history');
  if (text === null || text === 'append' || text === 'start') return text;
  throw invalidRequest(
    'X-FluxCompute-History is append (only what is new is sent), start (the history begins anew), or left out.',
    'X-FluxCompute-History',
  );
}

/**
 * For what is no conversation.
 * @throws FluxError 400
 */
export function refuseHistory(headers: Headers): void {
  if (!headers.has('x-fluxcompute-history')) return;
  throw invalidRequest(
    'This endpoint answers each request by itself: leave X-FluxCompute-History out.',
    'X-FluxCompute-History',
  );
}

/**
 * `X-FluxCompute-No-Store: 1`: no content in any store; the row goes without its session's hash.
 * @throws FluxError 400
 */
export function readNoStore(headers: Headers): boolean {
  const text = headers.get('x-fluxcompute-no-store');
  if (text === null || text === '0') return false;
  if (text === '1') return true;
  throw invalidRequest('X-FluxCompute-No-Store is 1, or left out.', 'X-FluxCompute-No-Store');
}

/** @throws FluxError 400 */
export function readTags(headers: Headers): Record<string, string> {
  const text = headers.get('x-fluxcompute-tags');
  if (text === null || text.trim() === '') return {};
  const parts = text.split(',');
  if (parts.length > MOST_TAGS) throw invalidRequest(`At most ${MOST_TAGS} tags.`, 'X-FluxCompute-Tags');
  const tags = parts.map((part) => {
    const [, name, value] = TAG.exec(part.trim()) ?? [];
    if (name === undefined || value === undefined) {
      throw invalidRequest(
        'Tags look like team=search,env=prod: a name of 1–32 of a–z 0–9 _ . - and a value of 1–64 letters, digits, _ . : @ -.',
        'X-FluxCompute-Tags',
      );
    }
    return [name, value] as const;
  });
  // Assigned one by one, a tag named __proto__ would be lost.
  return Object.fromEntries(tags);
}

/**
 * The tags of a step: those of the header, and of OpenAI's `metadata` what the customer's setting `tags` names.
 * @throws FluxError 400: what was named to be counted is not dropped in silence (T35)
 */
export function withMetadata(
  tags: Record<string, string>,
  metadata: Record<string, string>,
  tagKeys: readonly string[],
): Record<string, string> {
  if (tagKeys.length === 0) return tags;
  const all = new Map(Object.entries(tags));
  for (const name of tagKeys) {
    const value = Object.hasOwn(metadata, name) ? metadata[name] : undefined;
    if (value === undefined || Object.hasOwn(tags, name)) continue;
    if (!TAG.test(`${name}=${value}`)) {
      throw invalidRequest(
        `metadata.${name} counts as a tag here, so it must be 1–64 letters, digits, _ . : @ -.`,
        `metadata.${name}`,
      );
    }
    all.set(name, value);
  }
  if (all.size > MOST_TAGS) throw invalidRequest(`At most ${MOST_TAGS} tags.`, 'metadata');
  return Object.fromEntries(all);
}

/** @throws FluxError 400 */
export function readMaxTier(headers: Headers): Tier | undefined {
  const text = headers.get('x-fluxcompute-max-tier');
  if (text === null) return undefined;
  const tier = TIERS.find((tier) => tier === text.trim().toLowerCase());
  if (!tier)
    throw invalidRequest(`X-FluxCompute-Max-Tier is one of ${TIERS.join(', ')}.`, 'X-FluxCompute-Max-Tier');
  return tier;
}
