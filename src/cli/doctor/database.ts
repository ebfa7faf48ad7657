import { readKeys } from '../../env-keys.ts';
import { SettingsError } from '../../settings-error.ts';
import { openDatabase } from '../../stores/database.ts';
import { readSchemaState } from '../migrations.ts';
import { storeProblem } from '../stores.ts';
import type { ClockReading } from './clock.ts';
import { type Finding, fault, ok, skipped, warning } from './finding.ts';

const HOW = 'Set DATABASE_URL to the database of this gateway, and run it again.';

/** Whether the schema is this version's, and what Postgres takes for the time. */
export async function checkSchema(
  databaseUrl: string | undefined,
): Promise<{ findings: Finding[]; clock: ClockReading | null }> {
  if (databaseUrl === undefined) {
    return {
      findings: [skipped('schema', 'The schema was not looked at: which database?', HOW)],
      clock: null,
    };
  }
  try {
    const clock = await readDatabaseClock(databaseUrl);
    const { pending, newer } = await readSchemaState(databaseUrl);
    if (pending.length > 0) {
      const message = `The schema is behind by ${pending.length}: ${pending.join(', ')}.`;
      return { findings: [fault('migration_behind', message, 'Run `flux migrate`.')], clock };
    }
    if (newer.length > 0) {
      const message = `The schema is newer than this checkout: ${newer.join(', ')}.`;
      const fix = 'Harmless after a roll-back (migrations only go forward). Else update this checkout.';
      return { findings: [warning('schema_newer', message, fix)], clock };
    }
    return { findings: [ok('schema', 'The schema is up to date.')], clock };
  } catch (error) {
    const fix = 'Check DATABASE_URL in the Neon console, and that the project is not suspended.';
    return { findings: [fault('postgres_down', storeProblem(error), fix)], clock: null };
  }
}

async function readDatabaseClock(databaseUrl: string): Promise<ClockReading> {
  const sent = Date.now();
  const [row] = await openDatabase(databaseUrl).$client.query(
    'SELECT extract(epoch FROM clock_timestamp()) * 1000 AS ms',
  );
  return { source: 'Postgres', ahead: Number(row?.ms) - (sent + Date.now()) / 2 };
}

/**
 * Several customers on one provider key (T56): each can learn from cache reads what the others send.
 *
 * @param providers ids of the providers that have a key of the deployment's
 */
export async function checkSharing(
  databaseUrl: string | undefined,
  apiKeys: string | undefined,
  providers: readonly string[],
): Promise<Finding[]> {
  const configured = configuredCustomers(apiKeys);
  const known = databaseUrl === undefined ? null : await readCustomers(databaseUrl).catch(() => null);
  if (known === null && configured.length === 0) {
    return [skipped('shared_provider_key', 'Who shares a provider key was not looked at.', HOW)];
  }
  const customers = [...new Set([...configured, ...(known?.customers ?? [])])].sort();
  const findings = providers.flatMap((provider) => {
    const sharing = customers.filter((customer) => !known?.ownKeys.get(customer)?.has(provider));
    if (sharing.length < 2) return [];
    const names = sharing.length > 5 ? `${sharing.slice(0, 5).join(', ')}, …` : sharing.join(', ');
    return [
      warning(
        'shared_provider_key',
        `${sharing.length} customers (${names}) share the deployment's key for '${provider}', and with it the ` +
          "provider's prompt cache: how many tokens an answer read from it tells one what another has sent.",
        `Give each a key of its own: PATCH /api/settings with {"provider_keys": {"${provider}": "…"}}. If they trust one another, leave it.`,
      ),
    ];
  });
  return findings.length > 0
    ? findings
    : [ok('provider_key_sharing', 'No two customers share a provider key.')];
}

/** Customers of FLUX_API_KEYS. What is wrong with it the gateway itself says. */
function configuredCustomers(apiKeys: string | undefined): string[] {
  try {
    return readKeys(apiKeys, undefined).flatMap(({ customer }) => (customer === null ? [] : [customer]));
  } catch (error) {
    if (error instanceof SettingsError) return [];
    throw error;
  }
}

/** Customers that have a key or a step of the last 30 days, and the providers each has a key of its own for. */
async function readCustomers(
  databaseUrl: string,
): Promise<{ customers: string[]; ownKeys: Map<string, Set<string>> }> {
  const { $client: client } = openDatabase(databaseUrl);
  const [customers = [], settings = []] = await client.transaction([
    client.query(`SELECT customer FROM api_keys WHERE revoked_at IS NULL
      UNION SELECT id FROM customers WHERE EXISTS (
        SELECT 1 FROM queries WHERE customer = customers.id AND started_at > now() - interval '30 days')`),
    client.query(`SELECT customer, array(SELECT jsonb_object_keys(coalesce(settings->'provider_keys', '{}'))) AS own
      FROM customer_settings AS one
      WHERE version = (SELECT max(version) FROM customer_settings WHERE customer = one.customer)`),
  ]);
  return {
    customers: customers.map((row) => String(row.customer)),
    ownKeys: new Map(
      settings.map((row) => [
        String(row.customer),
        new Set(Array.isArray(row.own) ? row.own.map(String) : []),
      ]),
    ),
  };
}
