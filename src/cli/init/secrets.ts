import { readKeys } from '../../env-keys.ts';
import { readProviders } from '../../env-providers.ts';
import { SettingsError } from '../../settings-error.ts';
import { openRedis } from '../../stores/redis.ts';
import { CommandError, wrongUsage } from '../command-error.ts';
import { missingSecrets, type WantedSecret, wantedSecrets } from '../deployment-secrets.ts';
import { checkProvider } from '../provider-check.ts';
import { type Shell, setting } from '../shell.ts';
import { makeSecret } from './made-secrets.ts';

/** What `flux init` uploads, and what it needs itself. */
export interface GatheredSecrets {
  /** By name; never shown, never in an argument. */
  upload: Map<string, string>;
  /** Where the schema is to be; undefined: on the Worker already, and not known here. */
  databaseUrl: string | undefined;
  /** A provider has its key, now or already. */
  hasProvider: boolean;
  /** Files that keep what was made up here, by name of the secret. */
  made: Map<string, string>;
}

/** Optional ones: taken from the environment where they are, never asked for. */
const OPTIONAL = ['FLUX_ADMIN_KEY'];

/**
 * The secrets the Worker lacks: from the environment, made here, or asked for, once each.
 * @throws CommandError where a needed one is missing and nobody can be asked, or a value can't be one
 */
export async function gatherSecrets(
  vars: Record<string, string>,
  present: ReadonlySet<string>,
  worker: string,
  shell: Shell,
): Promise<GatheredSecrets> {
  const wanted = wantedSecrets(vars);
  const upload = new Map<string, string>();
  const names = [...wanted.map(({ name }) => name), ...OPTIONAL];
  const given = names.filter((name) => setting(shell, name) !== undefined);
  const missing = missingSecrets(wanted, new Set([...present, ...Object.keys(vars), ...given]));
  for (const name of OPTIONAL) {
    const value = setting(shell, name);
    if (value !== undefined && !present.has(name)) upload.set(name, value);
  }
  const unknown: string[] = [];
  const made = new Map<string, string>();
  for (const secret of wanted) {
    const { name, need } = secret;
    if (present.has(name) || Object.hasOwn(vars, name)) continue;
    const value = setting(shell, name);
    if (value !== undefined) {
      upload.set(name, checked(secret, value));
      continue;
    }
    if (!missing.includes(secret)) continue;
    const own = await makeSecret(name, worker, shell);
    if (own) {
      upload.set(name, own.value);
      made.set(name, own.file);
    } else if (shell.interactive) {
      const answer = await askFor(secret, shell);
      if (answer !== undefined) upload.set(name, answer);
    } else if (need === 'always') unknown.push(name);
  }
  if (unknown.length > 0) {
    throw wrongUsage(`nobody is here to be asked: set ${unknown.join(', ')} in the environment`);
  }
  const hasProvider = wanted.some(
    ({ name, need }) => need === 'one' && (present.has(name) || upload.has(name)),
  );
  for (const [name, value] of upload) {
    if (isHere(value)) shell.note(`${name} is an address of this machine: a deployed Worker can't reach it.`);
  }
  if (!hasProvider)
    shell.note('No provider has a key: the gateway will run, and no model answers until one is set.');
  const databaseUrl = upload.get('DATABASE_URL') ?? setting(shell, 'DATABASE_URL');
  return { upload, databaseUrl, hasProvider, made };
}

/** A URL on loopback, such as a .env for npm start has. */
function isHere(value: string): boolean {
  return URL.canParse(value) && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(new URL(value).hostname);
}

/** Enter leaves out what can be left out. */
async function askFor(secret: WantedSecret, shell: Shell): Promise<string | undefined> {
  const { name, about, need } = secret;
  for (;;) {
    const value = await shell.askSecret(`${name} (${about}${need === 'one' ? '; Enter: none' : ''}): `);
    if (value === '' && need === 'one') return undefined;
    try {
      return checked(secret, value);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      shell.note(error.message);
    }
  }
}

/** @throws CommandError that says what it must look like, without the value */
function checked({ name, looks }: WantedSecret, value: string): string {
  if (value === '') throw wrongUsage(`${name} is needed`);
  if (looks && !looks.like.test(value)) throw wrongUsage(`${name} must look like ${looks.in}`);
  return value;
}

/**
 * Tries what was gathered before anything is made of it: Redis, providers, keys.
 * @throws CommandError that names the variable
 */
export async function tryOut({ upload }: GatheredSecrets, vars: Record<string, string>): Promise<void> {
  try {
    readKeys(upload.get('FLUX_API_KEYS'), upload.get('FLUX_ADMIN_KEY'));
    const url = upload.get('UPSTASH_REDIS_REST_URL') ?? vars.UPSTASH_REDIS_REST_URL;
    const token = upload.get('UPSTASH_REDIS_REST_TOKEN');
    if (url !== undefined && token !== undefined) await tryRedis(url, token);
    for (const provider of readProviders({ ...vars, ...Object.fromEntries(upload) }).values()) {
      if (provider.apiKey === undefined) continue;
      if ((await checkProvider(provider)).state === 'refused') {
        throw new CommandError(
          `Provider '${provider.id}' refuses ${provider.keyVariable}: make a new key in its console.`,
        );
      }
    }
  } catch (error) {
    if (error instanceof SettingsError) throw new CommandError(`${error.message}.`);
    throw error;
  }
}

async function tryRedis(url: string, token: string): Promise<void> {
  try {
    await openRedis(url, token).ping();
  } catch {
    throw new CommandError(
      'Redis does not answer: check UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN in the Upstash console.',
    );
  }
}
