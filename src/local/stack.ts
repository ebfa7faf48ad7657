import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Settings } from '../env.ts';
import type { BuildPlan, BuiltWorker } from './built-worker.ts';
import { type DataFolder, openDataFolder } from './data-folder.ts';
import type { GatewayStart } from './gateway.ts';
import { awaitHealth, refuseTakenPort } from './gateway-socket.ts';
import { Parts, type Stopped } from './parts.ts';
import {
  modeOf,
  type ProviderMode,
  type ProviderTarget,
  providerTargets,
  simulatedProviders,
  wantsSimulators,
} from './providers.ts';
import { readLocalSettings, type Variables, workerVariables } from './settings.ts';
import { messageOf, StartError } from './start-error.ts';
import type { StoreName, StoresPlan, StoresStarted } from './stores.ts';
import { writeStoresFile } from './stores-file.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Milliseconds for the builder to end after its work. */
const BUILDER_LIMIT = 1000;
/** In the place of the embedded stores, as long as there are none. */
const EMBEDDED = {
  DATABASE_URL: 'postgresql://embedded@localhost/flux',
  UPSTASH_REDIS_REST_URL: 'http://localhost',
  UPSTASH_REDIS_REST_TOKEN: 'embedded',
};

export interface LocalOptions {
  /** The settings of contract.md, by their names. None are taken from the process's environment. */
  variables?: Variables;
  /** The Worker, built before, e.g. one that wraps ours with faults. */
  worker?: BuiltWorker;
  /** What is being done, as it is done, with the milliseconds it took. */
  progress?: (step: string, milliseconds: number) => void;
  /** Lines that the Worker and the other processes write. */
  output?: (line: string) => void;
}

/** A running stack. */
export interface LocalStack {
  /** The gateway's origin, e.g. `http://127.0.0.1:8787`. */
  url: string;
  /** A key that works, and whether it was made here. */
  key: string;
  keyMade: boolean;
  folder: string;
  mode: ProviderMode;
  providers: ProviderTarget[];
  /** Origin of the simulated providers; null where real ones are set. */
  simulatorUrl: string | null;
  databaseUrl: string;
  redisUrl: string;
  redisToken: string;
  /** The process of the embedded stores, for tests of faults: `refuse` makes one unreachable until `accept`. */
  stores: {
    pid: number;
    refuse(name: StoreName): Promise<void>;
    accept(name: StoreName): Promise<void>;
  } | null;
  gatewayPid: number;
  /** Settles if a part dies by itself, after all others were stopped; says which. */
  died: Promise<string>;
  /** Finishes what is under way and puts everything away, within ten seconds. */
  stop(): Promise<Stopped>;
  /** Ends everything now; what was under way is lost. */
  kill(): void;
}

/**
 * Starts everything that `npm start` starts.
 *
 * @throws StartError with a message for the user: a taken port, a folder that can't be used, a wrong setting
 * @example
 * const stack = await startLocal({ variables: { PORT: '0', FLUX_DATA_DIR: folder } });
 * await fetch(`${stack.url}/health`);
 * await stack.stop();
 */
export async function startLocal(options: LocalOptions = {}): Promise<LocalStack> {
  const { variables = {}, progress = () => {} } = options;
  const { port, folder: path } = readLocalSettings(variables);
  const given = workerVariables(variables);
  await readAsWorker({ ...EMBEDDED, ...given });
  await refuseTakenPort(port);
  const folder = await openDataFolder(path);
  const parts = new Parts(folder, options.output ?? (() => {}));
  try {
    return await assemble(parts, folder, port, given, options.worker, timed(progress));
  } catch (error) {
    parts.kill();
    await folder.release();
    throw error;
  }
}

type Timed = <T>(step: string, work: () => Promise<T>) => Promise<T>;

function timed(progress: (step: string, milliseconds: number) => void): Timed {
  return async (step, work) => {
    const start = performance.now();
    const result = await work();
    progress(step, performance.now() - start);
    return result;
  };
}

async function assemble(
  parts: Parts,
  folder: DataFolder,
  port: number,
  given: Record<string, string>,
  built: BuiltWorker | undefined,
  step: Timed,
): Promise<LocalStack> {
  const gateway = parts.start('gateway', 'gateway.ts');
  // Building takes a processor that making the database leaves free.
  const building = built === undefined ? build(parts, step) : Promise.resolve(built);
  building.catch(() => {});

  const simulator = wantsSimulators(given) ? parts.start('simulator', 'simulator.ts') : null;
  const starting = simulator && step('simulated providers', () => simulator.call<string>('start'));
  starting?.catch(() => {});

  const storesPlan: StoresPlan = {
    folder: folder.path,
    password: randomBytes(24).toString('base64url'),
    postgres: given.DATABASE_URL === undefined,
    redis: given.UPSTASH_REDIS_REST_URL === undefined,
  };
  const stores = storesPlan.postgres || storesPlan.redis ? parts.start('stores', 'stores.ts') : null;
  const embedded =
    stores === null
      ? {}
      : await step('Postgres and Redis', () => stores.call<StoresStarted>('start', storesPlan));
  await writeStoresFile(folder.path, embedded);
  const databaseUrl = embedded.databaseUrl ?? given.DATABASE_URL ?? '';
  await step('schema', () => migrateTo(databaseUrl));

  const simulatorUrl = await starting;
  const key = given.FLUX_API_KEYS === undefined ? await folder.secret('api-key', makeKey) : null;
  const secret = await folder.secret('secret', () => randomBytes(32).toString('base64'));
  const worker: Record<string, string> = {
    FLUX_SECRET: secret.value,
    FLUX_API_KEYS: `${key?.value}:default:infer+read+admin`,
    ...given,
    DATABASE_URL: databaseUrl,
    ...(embedded.redis === undefined
      ? {}
      : { UPSTASH_REDIS_REST_URL: embedded.redis.url, UPSTASH_REDIS_REST_TOKEN: embedded.redis.token }),
    ...(simulatorUrl === null ? {} : simulatedProviders(simulatorUrl)),
  };
  const settings = await readAsWorker(worker);
  const providers = providerTargets(settings.providers.values(), port);

  const run: GatewayStart = { worker: await building, folder: folder.path, port, variables: worker };
  const url = await step('workerd', () => gateway.call<string>('run', run));
  await step('first answer', () => Promise.race([awaitHealth(url), parts.deathAsError()]));

  return {
    url,
    key: key?.value ?? keyToTry(given.FLUX_API_KEYS ?? ''),
    keyMade: key !== null,
    folder: folder.path,
    mode: simulatorUrl === null ? modeOf(providers) : 'simulated',
    providers,
    simulatorUrl,
    databaseUrl,
    redisUrl: worker.UPSTASH_REDIS_REST_URL ?? '',
    redisToken: worker.UPSTASH_REDIS_REST_TOKEN ?? '',
    stores: stores && {
      pid: stores.pid,
      refuse: (name) => stores.call('refuse', name),
      accept: (name) => stores.call('accept', name),
    },
    gatewayPid: gateway.pid,
    died: parts.death.then(async (text) => {
      // What is missing won't come back: waiting for it helps nobody.
      await parts.stop(0);
      return text;
    }),
    stop: () => parts.stop(),
    kill: () => parts.kill(),
  };
}

async function build(parts: Parts, step: Timed): Promise<BuiltWorker> {
  const builder = parts.start('builder', 'builder.ts');
  const plan: BuildPlan = { entry: join(ROOT, 'src/worker.ts'), config: join(ROOT, 'wrangler.toml') };
  const built = await step('Worker built', () => builder.call<BuiltWorker>('build', plan));
  await builder.stop(undefined, BUILDER_LIMIT);
  return built;
}

async function migrateTo(databaseUrl: string): Promise<void> {
  const { migrate } = await import('../log/migrate.ts');
  try {
    await migrate(databaseUrl);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? ` (${messageOf(error.cause)})` : '';
    throw new StartError(
      `The database's schema could not be brought up to date: ${messageOf(error)}${cause}. Is DATABASE_URL right, and its database up?`,
    );
  }
}

/**
 * Reads the settings as the Worker will, so that a wrong one is said before anything starts and not in every answer.
 * @throws StartError that names the variable
 */
async function readAsWorker(worker: Record<string, string>): Promise<Settings> {
  const { readSettings } = await import('../env.ts');
  try {
    // The one binding that is no variable; reading the settings does not touch it.
    return readSettings(worker as unknown as Parameters<typeof readSettings>[0]);
  } catch (error) {
    throw new StartError(messageOf(error));
  }
}

/** The first key of FLUX_API_KEYS that can infer, else the first. What is written was read before. */
function keyToTry(list: string): string {
  const entries = list
    .split(',')
    .map((entry) => entry.trim().split(':'))
    .filter(([key]) => key !== '');
  const [key = ''] =
    entries.find(([, , scopes = 'infer']) => scopes.split('+').includes('infer')) ?? entries[0] ?? [];
  return key;
}

function makeKey(): string {
  return `flx_${randomBytes(24).toString('base64url')}`;
}
