import { join } from 'node:path';
import * as z from 'zod';
import { CommandError, wrongUsage } from './command-error.ts';

/** What wrangler.toml says of one environment, inheritance done. */
export interface Deployment {
  /** The file. */
  config: string;
  /** Null: the top level. */
  environment: string | null;
  worker: string;
  accountId: string | null;
  /** Variables that are no secrets. */
  vars: Record<string, string>;
  /** Where the Worker runs; null: near each caller. */
  placement: Placement | null;
  queues: {
    /** Queue of the binding LOG_QUEUE. */
    log: string | null;
    /** Where the log queue's consumer sends what it gave up on. */
    dead: string | null;
    /** Queues this Worker consumes. */
    consumed: string[];
  };
}

export interface Placement {
  mode?: string | undefined;
  region?: string | undefined;
  host?: string | undefined;
  hostname?: string | undefined;
}

/** This package's own. */
export const DEFAULT_CONFIG = join(import.meta.dirname, '../../wrangler.toml');
/** Which of wrangler.toml's environments is meant where none is named. */
export const DEFAULT_ENVIRONMENT = 'production';

/** The binding src/env.ts names. */
const LOG_BINDING = 'LOG_QUEUE';

const text = z.string().optional();
/** The part we read; wrangler's published types leave its configuration open. */
const readConfig = z.object({
  name: z.string({ error: 'has no name' }),
  account_id: z.string().nullish(),
  vars: z.record(z.string(), z.unknown()).default({}),
  placement: z.object({ mode: text, region: text, host: text, hostname: text }).nullish(),
  definedEnvironments: z.array(z.string()).nullish(),
  queues: z.object({
    producers: z.array(z.object({ binding: z.string(), queue: text })).nullish(),
    consumers: z.array(z.object({ queue: z.string(), dead_letter_queue: text })).nullish(),
  }),
});

/**
 * Reads wrangler.toml with wrangler itself.
 * @throws CommandError where it can't be read or has no such environment
 */
export async function readDeployment(config: string, environment: string | null): Promise<Deployment> {
  const { unstable_readConfig } = await import('wrangler');
  const read = (env: string | null): z.infer<typeof readConfig> => {
    try {
      const named = env === null ? {} : { env };
      return readConfig.parse(unstable_readConfig({ config, ...named }, { hideWarnings: true }));
    } catch (error) {
      throw new CommandError(
        `${config} can't be read: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  };
  const environments = read(null).definedEnvironments ?? [];
  if (environment !== null && !environments.includes(environment)) {
    throw wrongUsage(
      `${config} has no environment '${environment}', only: ${environments.join(', ') || 'none'}`,
    );
  }
  const found = read(environment);
  const producers = found.queues.producers ?? [];
  const consumers = found.queues.consumers ?? [];
  const log = producers.find(({ binding }) => binding === LOG_BINDING)?.queue ?? null;
  return {
    config,
    environment,
    worker: found.name,
    accountId: found.account_id ?? null,
    vars: Object.fromEntries(
      Object.entries(found.vars).flatMap(([name, value]) =>
        typeof value === 'string' ? [[name, value]] : [],
      ),
    ),
    placement: found.placement ?? null,
    queues: {
      log,
      dead: consumers.find(({ queue }) => queue === log)?.dead_letter_queue ?? null,
      consumed: consumers.map(({ queue }) => queue),
    },
  };
}

/**
 * The cloud region of a Neon database, in the words of `placement.region`: the host names it.
 * @example regionOf('postgresql://u:p@ep-cool-sun-123.us-east-2.aws.neon.tech/db') // 'aws:us-east-2'
 */
export function regionOf(databaseUrl: string): string | null {
  const host = URL.canParse(databaseUrl) ? new URL(databaseUrl).hostname : '';
  const match = /\.([a-z0-9-]+)\.(aws|azure|gcp)\.neon\.(?:tech|build)$/.exec(host);
  return match ? `${match[2]}:${match[1]}` : null;
}
