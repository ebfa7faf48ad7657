import { createHash } from 'node:crypto';
import { SettingsError } from './settings-error.ts';

/** What a key may do. A set: none implies another. */
export const SCOPES = ['infer', 'read', 'admin', 'telemetry'] as const;
export type Scope = (typeof SCOPES)[number];

/** A key we know, without the key: its SHA-256 is enough to recognise it, and useless to a thief. */
export interface KnownKey {
  hash: Uint8Array;
  /** Names it in rows and logs: the first 12 hex digits of the hash. */
  id: string;
  /** Null: acts on every customer (FLUX_ADMIN_KEY). */
  customer: string | null;
  scopes: ReadonlySet<Scope>;
}

/** What a customer may be called, in settings, rows and queries. */
export const CUSTOMER_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const SHORTEST_KEY = 8;

/**
 * Keys of FLUX_API_KEYS, `key[:customer[:scope+scope]]` separated by commas, and FLUX_ADMIN_KEY.
 * @throws SettingsError that counts entries and never quotes a key
 */
export function readKeys(list: string | undefined, adminKey: string | undefined): KnownKey[] {
  const entries = (list ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  const keys = entries.map((entry, index) => readKey(entry, `FLUX_API_KEYS`, index + 1));
  if (adminKey) {
    if (adminKey.length < SHORTEST_KEY)
      throw new SettingsError('FLUX_ADMIN_KEY', `use at least ${SHORTEST_KEY} characters`);
    keys.push({ ...identify(adminKey), customer: null, scopes: new Set(['read', 'admin'] as const) });
  }
  const ids = new Set(keys.map((key) => key.id));
  if (ids.size !== keys.length) throw new SettingsError('FLUX_API_KEYS', 'the same key is listed twice');
  return keys;
}

function readKey(entry: string, variable: string, position: number): KnownKey {
  const [key = '', customer = 'default', scopes = 'infer', ...rest] = entry.split(':');
  const problem = (text: string) => new SettingsError(variable, `entry ${position} ${text}`);
  if (rest.length > 0) throw problem('has more than three parts: write key:customer:scope+scope');
  if (key.length < SHORTEST_KEY) throw problem(`has a key of fewer than ${SHORTEST_KEY} characters`);
  if (!CUSTOMER_NAME.test(customer))
    throw problem('has a customer that is not 1–64 letters, digits, dots, dashes or underscores');
  const set = new Set<Scope>();
  for (const name of scopes.split('+')) {
    const scope = SCOPES.find((scope) => scope === name);
    if (!scope) throw problem(`has an unknown scope: use ${SCOPES.join(', ')}, joined by +`);
    set.add(scope);
  }
  return { ...identify(key), customer, scopes: set };
}

function identify(key: string): Pick<KnownKey, 'hash' | 'id'> {
  const hash = createHash('sha256').update(key).digest();
  return { hash, id: createHash('sha256').update(key).digest('hex').slice(0, 12) };
}
