import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { startChild } from '../../src/local/child.ts';
import type { Started } from './start.ts';

const NAME = 'passthrough';
const SIMULATOR = fileURLToPath(new URL('../../src/local/simulator.ts', import.meta.url));
/** Milliseconds for the simulator to end. */
const END_LIMIT = 2000;

/** The least that any Worker of this kind does: it forwards, and queues a message of a row's size. */
const script = (provider: string): string => `
  const row = 'x'.repeat(2000);
  export default {
    async fetch(request, env, context) {
      const answer = await fetch('${provider}/v1/chat/completions', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: 'Bearer simulated' },
        body: await request.text(),
      });
      context.waitUntil(env.ROWS.send(row, { contentType: 'text' }));
      return new Response(answer.body, answer);
    },
    async queue() {},
  };`;

/**
 * A Worker without any code of ours in the same runtime, in front of the same simulated providers: what its workerd
 * grows by is the runtime's. `pid` is this process, which workerd is a child of.
 */
export async function startPassthrough(): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-memory-'));
  const simulator = startChild('simulator', SIMULATOR, join(folder, 'cache'), console.error);
  const end = async (): Promise<void> => {
    await simulator.stop(undefined, END_LIMIT);
    await rm(folder, { recursive: true, force: true });
  };
  let miniflare: Miniflare | undefined;
  try {
    miniflare = new Miniflare(
      convertV4MiniflareOptions({
        host: '127.0.0.1',
        port: 0,
        cf: false,
        telemetry: { enabled: false },
        logRequests: false,
        log: new Log(LogLevel.WARN),
        workers: [
          {
            name: NAME,
            compatibilityDate: '2026-08-01',
            modules: [
              {
                type: 'ESModule',
                path: 'worker.js',
                contents: script(await simulator.call<string>('start')),
              },
            ],
            // As wrangler.toml has the log's queue.
            queueProducers: { ROWS: 'rows' },
            queueConsumers: { rows: { maxBatchSize: 100, maxBatchTimeout: 2 } },
            unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
          },
        ],
      }),
    );
    await miniflare.ready;
    const { origin } = await miniflare.unsafeGetDirectURL(NAME);
    const running = miniflare;
    return {
      url: origin,
      key: 'none',
      model: 'gpt-5.4-mini',
      pid: process.pid,
      stop: async () => {
        await running.dispose();
        await end();
      },
    };
  } catch (error) {
    await miniflare?.dispose();
    await end();
    throw error;
  }
}
