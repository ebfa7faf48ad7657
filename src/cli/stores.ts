import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import * as z from 'zod';
import { type Database, openDatabase, sqlStateOf } from '../stores/database.ts';
import { openRedis, type Redis } from '../stores/redis.ts';
import { CommandError, wrongUsage } from './command-error.ts';
import { dataFolder } from './gateway-client.ts';
import { type Shell, setting } from './shell.ts';

export const STORES_HELP = `  Stores: DATABASE_URL, UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN of the environment, else those of the
  running npm start (its data folder, FLUX_DATA_DIR, says where they are).`;

const NAMES = ['DATABASE_URL', 'UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'] as const;
export type StoreVariables = Partial<Record<(typeof NAMES)[number], string>>;

/** What `npm start` leaves in its data folder while it runs: those of its stores that are embedded. */
const embeddedStores = z.partialRecord(z.enum(NAMES), z.string());
/** A port of this machine answers at once or never. */
const KNOCK_MS = 2_000;

/** Where the stores are, as the environment says. */
export function storesOfEnvironment(shell: Shell): StoreVariables {
  const found: StoreVariables = {};
  for (const name of NAMES) {
    const value = setting(shell, name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** The same, and where it says nothing, the embedded stores of the `npm start` that runs. */
export async function findStores(shell: Shell): Promise<StoreVariables> {
  return { ...(await readEmbedded(shell)).running, ...storesOfEnvironment(shell) };
}

/** What the data folder says of embedded stores. `gone`: it was left there by an `npm start` that was killed. */
async function readEmbedded(shell: Shell): Promise<{ running: StoreVariables; gone: boolean }> {
  let stores: StoreVariables;
  try {
    const text = await readFile(join(dataFolder(shell), 'stores.json'), 'utf8');
    stores = embeddedStores.parse(JSON.parse(text));
  } catch {
    return { running: {}, gone: false };
  }
  const urls = [stores.DATABASE_URL, stores.UPSTASH_REDIS_REST_URL].filter((url) => url !== undefined);
  const open = (await Promise.all(urls.map(isListening))).every(Boolean);
  return { running: open ? stores : {}, gone: !open };
}

function isListening(url: string): Promise<boolean> {
  if (!URL.canParse(url)) return Promise.resolve(false);
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), timeout: KNOCK_MS });
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('timeout', () => resolve(false));
    socket.once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}

/** What to say where a store is not known: `variables`, those that name it. */
async function unknownStore(shell: Shell, store: string, variables: string): Promise<CommandError> {
  if ((await readEmbedded(shell)).gone) {
    return new CommandError(
      `The stores of npm start can't be reached: it was killed. Run \`npm start\`, or set ${variables}.`,
    );
  }
  return wrongUsage(`which ${store}? Run \`npm start\`, or set ${variables}`);
}

/** @throws CommandError where there is none, or it is no Postgres URL */
export async function databaseUrlOf(shell: Shell, flag?: string): Promise<string> {
  const url = flag ?? (await findStores(shell)).DATABASE_URL;
  if (url === undefined) {
    throw await unknownStore(shell, 'database', 'DATABASE_URL (postgresql://user:password@host/db)');
  }
  if (!/^postgres(ql)?:\/\/\S+$/.test(url) || !URL.canParse(url)) {
    throw wrongUsage('the database URL must look like postgresql://user:password@host/database');
  }
  return url;
}

/** @throws CommandError that names what is missing */
export async function openRedisOf(shell: Shell): Promise<Redis> {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = await findStores(shell);
  if (url === undefined || token === undefined) {
    throw await unknownStore(shell, 'Redis', 'UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN');
  }
  if (!/^https?:\/\/\S+$/.test(url) || !URL.canParse(url)) {
    throw wrongUsage('UPSTASH_REDIS_REST_URL must be an http(s) URL');
  }
  return openRedis(url, token);
}

export async function openDatabaseOf(shell: Shell): Promise<Database> {
  return openDatabase(await databaseUrlOf(shell));
}

/** Whether an error came from the driver of Postgres, directly or inside Drizzle's. */
export function isOfPostgres(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return [error, cause].some((one) => one instanceof Error && one.name === 'NeonDbError');
}

/**
 * What a failure of Postgres says to whoever runs it: its own words and SQLSTATE, or that none answered; never the
 * parameters of a statement, nor the URL (T48).
 */
export function storeProblem(error: unknown): string {
  const source = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const state = sqlStateOf(error);
  const words =
    state === 'unreachable' || !(source instanceof Error)
      ? 'Postgres does not answer: check DATABASE_URL, and that the database is there and awake.'
      : `Postgres says: ${source.message} (SQLSTATE ${state}).`;
  // The driver's errors have names of their own; a plain one is of log/migrate.ts and names the migration.
  if (!(error instanceof Error) || error.name !== 'Error') return words;
  return error.cause === undefined ? error.message : `${error.message} ${words}`;
}
