import { and, desc, eq, lt, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../stores/database.ts';
import { customerSettings } from '../stores/schema.ts';
import { type Actor, tellOf } from './audit.ts';
import { type CustomerSettings, readKept } from './settings.ts';

/** One version of a customer's settings. Version 0: nothing was ever set. */
export interface SettingsVersion {
  version: number;
  settings: CustomerSettings;
  /** Sealed provider keys, of the version in force only. */
  sealed: Readonly<Record<string, string>>;
  created_at: string | null;
  created_by: string | null;
}

const NOTHING: SettingsVersion = {
  ...{ version: 0, settings: {}, sealed: {} },
  ...{ created_at: null, created_by: null },
};

/**
 * The version in force, or the one asked for.
 * @returns null where there is no such version
 */
export async function readSettings(
  database: Database,
  customer: string,
  version?: number,
): Promise<SettingsVersion | null> {
  if (version === 0) return NOTHING;
  const [row] = await select(
    database,
    and(
      eq(customerSettings.customer, customer),
      version === undefined ? undefined : eq(customerSettings.version, version),
    ),
    1,
  );
  return row ?? (version === undefined ? NOTHING : null);
}

/** A customer's versions, newest first, before the one given. */
export async function listVersions(
  database: Database,
  customer: string,
  limit: number,
  before: number | null,
): Promise<{ data: SettingsVersion[]; next: number | null }> {
  const rows = await select(
    database,
    and(
      eq(customerSettings.customer, customer),
      before === null ? undefined : lt(customerSettings.version, before),
    ),
    limit + 1,
  );
  const data = rows.slice(0, limit);
  return { data, next: rows.length > limit ? (data.at(-1)?.version ?? null) : null };
}

/**
 * Adds the version after `expected`, tells of it, and takes the sealed keys out of the ones before: one statement.
 * @returns null where `expected` is not in force (any more): nothing was changed
 */
export async function addVersion(
  database: Database,
  customer: string,
  expected: number,
  { settings, sealed }: Pick<SettingsVersion, 'settings' | 'sealed'>,
  actor: Actor,
): Promise<SettingsVersion | null> {
  const version = expected + 1;
  const deed = {
    action: 'settings.update' as const,
    target: sql`version::text`,
    detail: { version, set: Object.keys(settings) },
  };
  // Two at once insert the same version: one of them conflicts, and adds none.
  const { rows } = await database.execute<{ created_at: string }>(sql`
    WITH added AS (
      INSERT INTO ${customerSettings} (customer, version, settings, sealed, created_by)
      SELECT ${customer}, ${version}::integer, ${JSON.stringify(settings)}::jsonb,
        ${JSON.stringify(sealed)}::jsonb, ${actor.keyId}
      WHERE ${expected}::integer =
        (SELECT coalesce(max(version), 0) FROM ${customerSettings} WHERE customer = ${customer})
      ON CONFLICT DO NOTHING
      RETURNING version, created_at),
    emptied AS (
      UPDATE ${customerSettings} SET sealed = '{}'
      WHERE customer = ${customer} AND sealed <> '{}' AND EXISTS (SELECT FROM added)),
    ${tellOf(sql`added`, customer, actor, deed)}
    SELECT created_at FROM added`);
  const [row] = rows;
  if (!row) return null;
  const created_at = new Date(row.created_at).toISOString();
  return { version, settings, sealed, created_at, created_by: actor.keyId };
}

async function select(database: Database, where: SQL | undefined, limit: number): Promise<SettingsVersion[]> {
  const rows = await database
    .select()
    .from(customerSettings)
    .where(where)
    .orderBy(desc(customerSettings.version))
    .limit(limit);
  return rows.map(({ customer: _customer, settings, created_at, ...row }) => ({
    ...row,
    settings: readKept(settings),
    created_at: created_at.toISOString(),
  }));
}
