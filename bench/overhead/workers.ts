import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from 'miniflare';
import { bundleWorker } from '../../src/local/bundle.ts';
import { readWorkerConfig } from '../../src/local/worker-config.ts';
import type { Contestant } from './contestant.ts';
import { workerdsOf } from './process-cost.ts';

const ROOT = join(import.meta.dirname, '../..');
const KEY = 'flx_bench_key';
export const PATH = '/v1/chat/completions';
/** Keys that no isolate has seen: one a cold request. */
export const COLD_KEYS = Array.from({ length: 20 }, (_, index) => `flx_bench_cold_${index}`);
/** A batch of the log queue waits so long at most; the deployed two seconds would only make the bench longer. */
const BATCH_S = 0.5;
const SETTLE_MS = 20_000;

export interface Stores {
  databaseUrl: string;
  redis: { url: string; token: string };
}

/** The least a Worker can do between a client and a provider: the reference that all others are shares of. */
export async function startPassthrough(upstream: number): Promise<Contestant> {
  const script = `export default {
    async fetch(request) {
      const body = await request.text();
      const answer = await fetch('http://127.0.0.1:${upstream}${PATH}', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      return new Response(answer.body, answer);
    },
  };`;
  const { miniflare, pid } = await run({
    name: 'passthrough',
    compatibilityDate: '2026-08-01',
    modules: [{ type: 'ESModule', path: 'worker.js', contents: script }],
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  });
  const { port } = await miniflare.unsafeGetDirectURL('passthrough');
  return {
    name: 'passthrough',
    target: { port: Number(port), path: PATH, headers: {} },
    pid,
    skips: {},
    settle: async () => {},
    stop: () => miniflare.dispose(),
  };
}

/**
 * This Worker, as `npm start` runs it: bundled the same way, its queue and its consumer in the same workerd.
 * @param keeps sessions, each named by a connection; else what it keeps of a step is its row alone
 */
export async function startWorker(
  upstream: number,
  { databaseUrl, redis }: Stores,
  keeps?: 'sessions',
): Promise<Contestant> {
  const { name, options, queueBindings, objectClasses } = await readWorkerConfig(join(ROOT, 'wrangler.toml'));
  const script = await bundleWorker(join(ROOT, 'src/worker.ts'), queueBindings, objectClasses);
  const price = { input: 1, output: 5 };
  const token = 'flx_bench_control';
  const { miniflare, pid } = await run({
    ...options,
    modules: [{ type: 'ESModule', path: 'worker.js', contents: script }],
    queueConsumers: Object.fromEntries(
      Object.entries(options.queueConsumers ?? {}).map(([queue, consumer]) => [
        queue,
        { ...consumer, maxBatchTimeout: BATCH_S },
      ]),
    ),
    bindings: {
      ...options.bindings,
      DATABASE_URL: databaseUrl,
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: redis.token,
      FLUX_API_KEYS: [KEY, ...COLD_KEYS].map((key) => `${key}:bench:infer`).join(','),
      FLUX_LOCAL_TOKEN: token,
      // Without it no session is known, be it named or told by the conversation itself.
      ...(keeps ? { FLUX_SECRET: 'of the bench' } : {}),
      BENCH_KEY: 'sk-bench',
      // A provider of its own: the client's dialect on both sides, as for Portkey.
      FLUX_PROVIDERS: JSON.stringify([
        {
          id: 'bench',
          kind: 'openai',
          base_url: `http://127.0.0.1:${upstream}/v1`,
          key_secret: 'BENCH_KEY',
          prices: { small: price, middle: price, large: price },
          capabilities: { vision: true },
        },
      ]),
      FLUX_TIERS: JSON.stringify({ easy: ['bench/small'], medium: ['bench/middle'], hard: ['bench/large'] }),
    },
    unsafeDirectSockets: [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port: 0, entrypoint: 'LocalControl' },
    ],
  });
  const { port } = await miniflare.unsafeGetDirectURL(name);
  const control = await miniflare.unsafeGetDirectURL(name, 'LocalControl');
  const settle = async (): Promise<void> => {
    for (const end = Date.now() + SETTLE_MS; Date.now() < end; await sleep(50)) {
      const answer = await fetch(new URL(`/pending?until=${Date.now() + SETTLE_MS}`, control), {
        headers: { authorization: `Bearer ${token}` },
      });
      // As src/local/in-worker/watch.ts answers.
      const { requests, messages } = (await answer.json()) as { requests: number; messages: number };
      if (requests + messages === 0) return;
    }
    throw new Error(`the log queue is not empty after ${SETTLE_MS / 1000} s`);
  };
  return {
    name: keeps ? 'session' : 'worker',
    target: { port: Number(port), path: PATH, headers: { authorization: `Bearer ${KEY}` } },
    ...(keeps ? { own: (connection: number) => ({ 'x-fluxcompute-session': `bench-${connection}` }) } : {}),
    pid,
    skips: {},
    settle,
    stop: () => miniflare.dispose(),
  };
}

/** A session for each connection. */
export function ownSession(connection: number): Record<string, string> {
  return { 'x-fluxcompute-session': `bench-${connection}` };
}

/** Each in a workerd of its own, reached without Miniflare's proxy. */
export async function run(worker: V4WorkerOptions): Promise<{ miniflare: Miniflare; pid: number }> {
  const before = new Set(workerdsOf(process.pid));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      logRequests: false,
      log: new Log(LogLevel.WARN),
      // The last line of stdout is the result.
      handleStructuredLogs: ({ message }) => console.error(message),
      workers: [worker],
    }),
  );
  await miniflare.ready;
  return { miniflare, pid: workerdsOf(process.pid).find((pid) => !before.has(pid)) ?? 0 };
}
