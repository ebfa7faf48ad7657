import { readProviders } from '../env-providers.ts';
import { SettingsError } from '../settings-error.ts';
import { CommandError } from './command-error.ts';

/** A secret that a deployed Worker reads. */
export interface WantedSecret {
  name: string;
  /** What it is and where it comes from, for whoever is asked for it. */
  about: string;
  /** `always`: nothing works without. `one`: at least one of these. `better`: something is lost without. */
  need: 'always' | 'one' | 'better';
  /** What such a value looks like; undefined: anything. */
  looks?: { like: RegExp; in: string };
  /** Makes it needless. */
  unless?: string;
}

/**
 * The secrets a deployment with these variables wants, in the order they are asked for: stores, keys of the
 * providers there are (two built in, and those of FLUX_PROVIDERS), and the gateway's own.
 * @throws CommandError where FLUX_PROVIDERS can't be read
 */
export function wantedSecrets(vars: Record<string, string | undefined>): WantedSecret[] {
  return [
    {
      name: 'DATABASE_URL',
      about: 'the connection string from the Neon console',
      need: 'always',
      looks: { like: /^postgres(ql)?:\/\/\S+$/, in: 'postgresql://user:password@host/database' },
    },
    {
      name: 'UPSTASH_REDIS_REST_URL',
      about: 'the REST URL from the Upstash console',
      need: 'always',
      looks: { like: /^https?:\/\/\S+$/, in: 'https://….upstash.io' },
    },
    { name: 'UPSTASH_REDIS_REST_TOKEN', about: 'the REST token from the Upstash console', need: 'always' },
    ...providerKeys(vars).map((name) => ({ name, about: 'key of a model provider', need: 'one' as const })),
    {
      name: 'FLUX_API_KEYS',
      about: 'keys of the gateway: key[:customer[:scope+scope]], comma-separated',
      need: 'always',
      // Keys can then be made with `flux keys create`.
      unless: 'FLUX_ADMIN_KEY',
    },
    {
      name: 'FLUX_SECRET',
      about: 'names of sessions are hashed and customers’ provider keys sealed under it',
      need: 'better',
    },
  ];
}

/** Names of the variables that hold keys of providers. */
function providerKeys(vars: Record<string, string | undefined>): string[] {
  try {
    const names = [...readProviders(vars).values()].map(({ keyVariable }) => keyVariable);
    return [...new Set(names.filter((name) => name !== ''))];
  } catch (error) {
    if (error instanceof SettingsError) throw new CommandError(`${error.message}.`);
    throw error;
  }
}

/** Those that are neither among `present` nor made needless by one that is. */
export function missingSecrets(
  wanted: readonly WantedSecret[],
  present: ReadonlySet<string>,
): WantedSecret[] {
  const oneThere = wanted.some(({ name, need }) => need === 'one' && present.has(name));
  return wanted.filter(({ name, need, unless }) => {
    const needless = (need === 'one' && oneThere) || (unless !== undefined && present.has(unless));
    return !needless && !present.has(name);
  });
}
