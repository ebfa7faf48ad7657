import { bundleWorker } from './bundle.ts';
import { copyDocsFiles } from './docs-files.ts';
import { readWorkerConfig, type WorkerConfig } from './worker-config.ts';

export interface BuildPlan {
  /** The Worker's source, e.g. src/worker.ts. */
  entry: string;
  /** wrangler.toml. */
  config: string;
}

export interface BuiltWorker {
  config: WorkerConfig;
  script: string;
}

/** The Worker as Miniflare runs it. */
export async function buildWorker({ entry, config: file }: BuildPlan): Promise<BuiltWorker> {
  await copyDocsFiles();
  const config = await readWorkerConfig(file);
  return { config, script: await bundleWorker(entry, config.queueBindings, config.objectClasses) };
}
