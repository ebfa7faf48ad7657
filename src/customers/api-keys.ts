import { createHash, randomBytes } from 'node:crypto';
import { and, asc, eq, gt, inArray, isNull, or, sql } from 'drizzle-orm';
import type { KnownKey, Scope } from '../env-keys.ts';
import type { Database } from '../stores/database.ts';
import { apiKeys } from '../stores/schema.ts';
import { type Actor, tellOf } from './audit.ts';

/** 24 random bytes, 192 bits: 32 characters. Nobody guesses one, so a plain SHA-256 keeps it (no salt, no stretching). */
const SECRET_BYTES = 24;

/** What a key made here looks like; anything else can't be in the database. */
export const MADE_KEY = /^flx_[A-Za-z0-9_-]{32}$/;

/** A key as it is shown to its customer's admins: everything but the key. */
export interface ApiKey {
  id: string;
  customer: string;
  name: string;
  scopes: string[];
  /** Stands in FLUX_API_KEYS. */
  configured: boolean;
  created_at: string | null;
  created_by: string | null;
  revoked_at: string | null;
  revoked_by: string | null;
}

type Row = typeof apiKeys.$inferSelect;

/** Makes a key. Its secret is in this answer and nowhere else. */
export async function createKey(
  database: Database,
  wanted: { customer: string; name: string; scopes: readonly Scope[] },
  actor: Actor,
): Promise<ApiKey & { key: string }> {
  const key = `flx_${randomBytes(SECRET_BYTES).toString('base64url')}`;
  const hash = createHash('sha256').update(key).digest('hex');
  const id = hash.slice(0, 12);
  const row = { id, hash, ...wanted, scopes: [...wanted.scopes], created_by: actor.keyId };
  const deed = { action: 'key.create' as const, target: sql`id`, detail: { scopes: row.scopes } };
  // Two keys whose hashes begin alike are one in 2^48: the insert then fails, and the client asks again.
  const { rows } = await database.execute<{ created_at: string }>(sql`
    WITH made AS (
      INSERT INTO ${apiKeys} (id, customer, hash, name, scopes, created_by)
      VALUES (${id}, ${row.customer}, ${hash}, ${row.name}, ${scopeList(row.scopes)}, ${actor.keyId})
      RETURNING id, created_at),
    ${tellOf(sql`made`, row.customer, actor, deed)}
    SELECT created_at FROM made`);
  const created = {
    ...row,
    created_at: new Date(rows[0]?.created_at ?? 0),
    revoked_at: null,
    revoked_by: null,
  };
  return { ...toApiKey(created, false), key };
}

/** A customer's keys, oldest first, revoked ones too; those of FLUX_API_KEYS before the others. */
export async function listKeys(
  database: Database,
  customer: string,
  configured: readonly KnownKey[],
): Promise<ApiKey[]> {
  const own = configured.filter((key) => key.customer === customer);
  const ids = new Set(own.map((key) => key.id));
  const rows = await database
    .select()
    .from(apiKeys)
    // A configured key is whose the configuration says, also where it was another's when it was revoked.
    .where(or(eq(apiKeys.customer, customer), inArray(apiKeys.id, [...ids])))
    .orderBy(asc(apiKeys.created_at), asc(apiKeys.id));
  return [
    ...own.map((key) => {
      const row = rows.find(({ id }) => id === key.id);
      return configuredKey(key, customer, row ?? null);
    }),
    ...rows.filter(({ id }) => !ids.has(id)).map((row) => toApiKey(row, false)),
  ];
}

/**
 * Revokes a key of a customer for good. Doing it again changes nothing and says when it was.
 * A configured key gets a row now, which outlives every start.
 * @returns null where the customer has no such key
 */
export async function revokeKey(
  database: Database,
  customer: string,
  id: string,
  configured: readonly KnownKey[],
  actor: Actor,
): Promise<ApiKey | null> {
  const known = configured.find((key) => key.id === id && key.customer === customer);
  const deed = {
    action: 'key.revoke' as const,
    target: sql`id`,
    detail: { configured: known !== undefined },
  };
  // A configured key's row is made first, by whoever comes first. Any unique index may find it there
  // already: naming one here would leave the other to fail two revocations at the same time.
  const making = sql`
    INSERT INTO ${apiKeys} (id, customer, hash, name, scopes)
    SELECT ${id}, ${customer}, ${known ? Buffer.from(known.hash).toString('hex') : ''}, ${CONFIGURED},
      ${scopeList([...(known?.scopes ?? [])])}
    WHERE ${known !== undefined}
    ON CONFLICT DO NOTHING`;
  const [, , rows] = await database.batch([
    database.execute(making),
    database.execute(sql`
      WITH revoked AS (
        UPDATE ${apiKeys} SET revoked_at = now(), revoked_by = ${actor.keyId}
        WHERE id = ${id} AND revoked_at IS NULL AND (customer = ${customer} OR ${known !== undefined})
        RETURNING id),
      ${tellOf(sql`revoked`, customer, actor, deed)}
      SELECT id FROM revoked`),
    database
      .select()
      .from(apiKeys)
      .where(and(eq(apiKeys.id, id), known ? undefined : eq(apiKeys.customer, customer))),
  ]);
  const [row] = rows;
  if (known) return configuredKey(known, customer, row ?? null);
  return row ? toApiKey(row, false) : null;
}

/** What Redis may know the customer's keys by: of those revoked, the ones it has not forgotten by itself. */
export async function hashesOf(
  database: Database,
  customer: string,
  configured: readonly KnownKey[],
): Promise<string[]> {
  const rows = await database
    .select({ hash: apiKeys.hash })
    .from(apiKeys)
    .where(
      and(
        eq(apiKeys.customer, customer),
        or(isNull(apiKeys.revoked_at), gt(apiKeys.revoked_at, sql`now() - interval '5 minutes'`)),
      ),
    );
  const own = configured.filter((key) => key.customer === customer);
  return [
    ...new Set([...rows.map(({ hash }) => hash), ...own.map((key) => Buffer.from(key.hash).toString('hex'))]),
  ];
}

const CONFIGURED = 'FLUX_API_KEYS';

function configuredKey(key: KnownKey, customer: string, row: Row | null): ApiKey {
  const { id, scopes } = key;
  return {
    ...{ id, customer, name: CONFIGURED, scopes: [...scopes], configured: true },
    ...{ created_at: null, created_by: null },
    revoked_at: row?.revoked_at?.toISOString() ?? null,
    revoked_by: row?.revoked_by ?? null,
  };
}

function toApiKey({ hash: _hash, ...row }: Row, configured: boolean): ApiKey {
  return {
    ...row,
    configured,
    created_at: row.created_at.toISOString(),
    revoked_at: row.revoked_at?.toISOString() ?? null,
  };
}

/** An array as SQL: the driver would send a JavaScript array as a list of parameters. */
function scopeList(scopes: readonly string[]) {
  return sql`ARRAY[${sql.join(
    scopes.map((scope) => sql`${scope}`),
    sql`, `,
  )}]::text[]`;
}
