import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readKeys } from '../../env-keys.ts';
import { readProviders } from '../../env-providers.ts';
import { SettingsError } from '../../settings-error.ts';
import { openRedis } from '../../stores/redis.ts';
import { CommandError, wrongUsage } from '../command-error.ts';
import { missingSecrets, type WantedSecret, wantedSecrets } from '../deployment-secrets.ts';
import { dataFolder } from '../gateway-client.ts';
import { checkProvider } from '../provider-check.ts';
import { type Shell, setting } from '../shell.ts';

/** What `flux init` uploads, and what it needs itself. */
export interface GatheredSecrets {
  /** By name; never shown, never in an argument. */
  upload: Map<string, string>;
  /** Where the schema is to be; undefined: on the Worker already, and not known here. */
  databaseUrl: string | undefined;
  /** A provider has its key, now or already. */
  hasProvider: boolean;
  /** The new gateway's first key: where it was put, if it was made now. */
  madeKeyFile: string | undefined;
}

/** Secrets that are made up here, because nobody has them yet. */
const MADE: Record<string, () => string> = {
  FLUX_SECRET: () => randomBytes(32).toString('base64'),
};

/** Optional ones: taken from the environment where they are, never asked for. */
const OPTIONAL = ['FLUX_ADMIN_KEY'];

/**
 * The secrets the Worker lacks: from the environment, made here, or asked for, once each.
 * @throws CommandError where a needed one is missing and nobody can be asked, or a value can't be one
 */
export async function gatherSecrets(
  vars: Record<string, string>,
  present: ReadonlySet<string>,
  keyFile: string,
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
  let madeKeyFile: string | undefined;
  for (const secret of wanted) {
    const { name, need } = secret;
    if (present.has(name) || Object.hasOwn(vars, name)) continue;
    const value = setting(shell, name);
    if (value !== undefined) upload.set(name, checked(secret, value));
    else if (!missing.includes(secret)) continue;
    else if (name === 'FLUX_API_KEYS') {
      upload.set(name, `${await makeKey(keyFile)}:default:infer+read+admin`);
      madeKeyFile = keyFile;
    } else if (MADE[name]) upload.set(name, MADE[name]());
    else if (shell.interactive) {
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
  if (!hasProvider)
    shell.note('No provider has a key: the gateway will run, and no model answers until one is set.');
  const databaseUrl = upload.get('DATABASE_URL') ?? setting(shell, 'DATABASE_URL');
  return { upload, databaseUrl, hasProvider, madeKeyFile };
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

/** Makes a key for the new gateway and keeps it on this machine, readable for its user only; it is never printed. */
async function makeKey(file: string): Promise<string> {
  const kept = (await readFile(file, 'utf8').catch(() => '')).trim();
  if (kept !== '') return kept;
  const key = `flx_${randomBytes(24).toString('base64url')}`;
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
  await writeFile(file, `${key}\n`, { mode: 0o600 });
  return key;
}

/** Where the key of a deployed Worker is kept. */
export function keyFileOf(worker: string, shell: Shell): string {
  return join(dataFolder(shell), `${worker}.key`);
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
