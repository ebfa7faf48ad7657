import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { bundleWorker } from '../../src/local/bundle.ts';

/** The Durable Objects in workerd, with their database on disk and a queue behind them. */
export interface Objects {
  call<T>(binding: 'SESSIONS' | 'BUDGETS', name: string, method: string, ...args: unknown[]): Promise<T>;
  delivered(): Promise<Record<string, unknown>[]>;
  /** Ends workerd and starts it again on the same folder. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startObjects(): Promise<Objects> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-objects-'));
  const script = await bundleWorker(
    join(import.meta.dirname, '../local/fixtures/objects.ts'),
    ['LOG_QUEUE'],
    ['SessionObject', 'BudgetObject'],
  );
  let miniflare = await start(script, folder);
  const ask = async (path: string, body?: unknown): Promise<unknown> => {
    const response = await miniflare.dispatchFetch(`http://objects${path}`, {
      method: 'POST',
      body: JSON.stringify(body ?? null),
    });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return response.json();
  };
  return {
    // What a method returns is its caller's to know.
    call: async <T>(binding: string, name: string, method: string, ...args: unknown[]) =>
      (await ask('/', { binding, name, method, args })) as T,
    delivered: async () => (await ask('/delivered')) as Record<string, unknown>[],
    async restart() {
      await miniflare.dispose();
      miniflare = await start(script, folder);
    },
    async stop() {
      await miniflare.dispose();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start(script: string, folder: string): Promise<Miniflare> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      cf: false,
      telemetry: { enabled: false },
      log: new Log(LogLevel.ERROR),
      resourcePersistencePath: folder,
      workers: [
        {
          name: 'objects',
          compatibilityDate: '2026-08-01',
          compatibilityFlags: ['nodejs_compat'],
          modules: [{ type: 'ESModule', path: 'worker.js', contents: script }],
          durableObjects: {
            SESSIONS: { className: 'SessionObject', useSQLite: true },
            BUDGETS: { className: 'BudgetObject', useSQLite: true },
          },
          queueProducers: { LOG_QUEUE: 'log' },
          queueConsumers: { log: { maxBatchTimeout: 0 } },
        },
      ],
    }),
  );
  await miniflare.ready;
  return miniflare;
}
