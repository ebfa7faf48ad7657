import type { V4WorkerOptionsShape } from 'miniflare';
import * as z from 'zod';
import { messageOf, StartError } from './start-error.ts';

/** What wrangler.toml says of the Worker, in Miniflare's words; the script comes from the bundle. */
export interface WorkerConfig {
  name: string;
  options: V4WorkerOptionsShape;
  crons: string[];
  /** Names of the bindings that are queues. */
  queueBindings: string[];
  /** Names of the classes that are Durable Objects. */
  objectClasses: string[];
}

/** The part of wrangler's own reading that Miniflare's options leave out. Its published types leave `Config` open. */
const readConfig = z.object({
  name: z.string().default('worker'),
  vars: z.record(z.string(), z.json()).default({}),
  triggers: z.object({ crons: z.array(z.string()).nullish() }),
  durable_objects: z.object({ bindings: z.array(z.object({ class_name: z.string() })).default([]) }),
  queues: z.object({ producers: z.array(z.object({ binding: z.string() })).nullish() }),
});

/** Reads wrangler.toml with wrangler itself, so that the local Worker is bound as the deployed one is. */
export async function readWorkerConfig(path: string): Promise<WorkerConfig> {
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import('wrangler');
  try {
    const { name, vars, triggers, queues, durable_objects } = readConfig.parse(
      unstable_readConfig({ config: path }),
    );
    const { assets, ...options }: V4WorkerOptionsShape =
      unstable_getMiniflareWorkerOptions(path).workerOptions;
    return {
      name,
      // wrangler's own bindings would hold whatever is in a .env or .dev.vars beside the file, provider keys too:
      // which variables the Worker gets, settings.ts says.
      options: { ...options, name, bindings: vars, serviceBindings: filesOf(assets) },
      crons: triggers.crons ?? [],
      objectClasses: durable_objects.bindings.map(({ class_name }) => class_name),
      queueBindings: (queues.producers ?? []).map(({ binding }) => binding),
    };
  } catch (error) {
    throw new StartError(`${path} can't be read: ${messageOf(error)}`);
  }
}

/**
 * The folder of files by workerd's own file service: Cloudflare's router in front of the Worker would cost each
 * request a hop here, and wrangler.toml has it ask the Worker first anyway.
 */
function filesOf(assets: V4WorkerOptionsShape['assets']): V4WorkerOptionsShape['serviceBindings'] & object {
  return assets?.binding === undefined ? {} : { [assets.binding]: { disk: { path: assets.directory } } };
}
