import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import type { BuiltWorker } from './built-worker.ts';
import { firesAt } from './cron.ts';
import { portTaken } from './gateway-socket.ts';
import { answerParent } from './lifeline.ts';
import { openSessions } from './open-sessions.ts';
import { messageOf, StartError } from './start-error.ts';
import type { WorkerConfig } from './worker-config.ts';

export interface GatewayStart {
  worker: BuiltWorker;
  folder: string;
  port: number;
  variables: Record<string, string>;
}

/** workerd with the Worker in it, and what Cloudflare does around it: crons, and a queue that forgets nothing. */
interface Running {
  miniflare: Miniflare;
  control(path: string, body?: unknown): Promise<unknown>;
  /** What the queue had not delivered when the stack stopped. */
  heldFile: string;
}

let running: Running | undefined;
let cronTimer: NodeJS.Timeout | undefined;

async function run({ worker: { config, script }, folder, port, variables }: GatewayStart): Promise<string> {
  const token = randomBytes(24).toString('base64url');
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      logRequests: false,
      log: new Log(LogLevel.WARN),
      handleStructuredLogs: ({ level, message }) =>
        console[level === 'error' || level === 'warn' ? 'error' : 'log'](message),
      // Durable Objects are kept with the rest.
      resourcePersistencePath: join(folder, 'worker'),
      ...(variables.FLUX_INSPECTOR_PORT ? { inspectorPort: Number(variables.FLUX_INSPECTOR_PORT) } : {}),
      unsafeHandleRuntimeRestart: () => {
        console.error('workerd has crashed: what it was doing is lost.');
        process.exit(1);
      },
      workers: [
        {
          ...config.options,
          modules: [{ type: 'ESModule', path: 'worker.js', contents: script }],
          bindings: { ...config.options.bindings, ...variables, FLUX_LOCAL_TOKEN: token },
          // Straight to workerd: Miniflare's own proxy halves the rate and buffers.
          unsafeDirectSockets: [
            { host: '127.0.0.1', port },
            { host: '127.0.0.1', port: 0, entrypoint: 'LocalControl' },
          ],
        },
      ],
    }),
  );
  try {
    await miniflare.ready;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_ADDRESS_IN_USE') throw portTaken(port);
    const kept = join(folder, 'worker');
    if (!messageOf(error).includes(kept)) throw error;
    throw new StartError(
      `${kept} can't be used (${messageOf(error)}). Put a copy back, or delete it: the log stays.`,
    );
  }
  const controlUrl = await miniflare.unsafeGetDirectURL(config.name, 'LocalControl');
  const control = async (path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(new URL(path, controlUrl), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`the Worker's control answered ${response.status} to ${path}`);
    return response.json();
  };
  running = { miniflare, control, heldFile: join(folder, 'queue.json') };
  await restoreQueue(running);
  const sessions = await openSessions(join(folder, 'worker/do', `${config.name}-SessionObject`));
  if (sessions.length > 0) await control('/touch', { binding: 'SESSIONS', ids: sessions });
  scheduleCrons(miniflare, config);
  const url = await miniflare.unsafeGetDirectURL(config.name);
  return url.origin;
}

/** No cron timer runs in workerd: at each full minute (UTC) this fires what wrangler.toml says. */
function scheduleCrons(miniflare: Miniflare, config: WorkerConfig): void {
  const untilNextMinute = 60_000 - (Date.now() % 60_000);
  cronTimer = setTimeout(async () => {
    const now = new Date();
    scheduleCrons(miniflare, config);
    for (const cron of config.crons.filter((expression) => firesAt(expression, now))) {
      try {
        const worker = await miniflare.getWorker(config.name);
        await worker.scheduled({ cron, scheduledTime: now });
      } catch (error) {
        console.error(`cron '${cron}' failed: ${messageOf(error)}`);
      }
    }
  }, untilNextMinute).unref();
}

/**
 * Refuses what is new, waits up to `grace` milliseconds for what is under way, and keeps what the queue still holds.
 * Gives the number of requests that were cut.
 */
async function stop(grace: number): Promise<number> {
  clearTimeout(cronTimer);
  const stopped = running;
  running = undefined;
  if (stopped === undefined) return 0;
  try {
    await stopped.control('/stop');
    const end = Date.now() + grace;
    let pending = await readPending(stopped, end);
    while (Date.now() < end && pending.requests + pending.messages > 0) {
      await sleep(50);
      pending = await readPending(stopped, end);
    }
    await keepQueue(stopped);
    return pending.requests;
  } finally {
    await stopped.miniflare.dispose();
  }
}

/** Requests under way, and messages that are due before `end`. */
async function readPending(
  { control }: Running,
  end: number,
): Promise<{ requests: number; messages: number }> {
  // Asked of `LocalControl`, which answers in this shape.
  return (await control(`/pending?until=${end}`)) as { requests: number; messages: number };
}

async function keepQueue({ control, heldFile }: Running): Promise<void> {
  const held = await control('/held');
  if (!Array.isArray(held) || held.length === 0) return;
  await writeFile(`${heldFile}.new`, JSON.stringify(held), { mode: 0o600 });
  await rename(`${heldFile}.new`, heldFile);
}

/** The file goes only once the queue has it all: a crash in between delivers twice, which consumers allow. */
async function restoreQueue({ control, heldFile }: Running): Promise<void> {
  let text: string;
  try {
    text = await readFile(heldFile, 'utf8');
  } catch {
    return;
  }
  let held: unknown;
  try {
    held = JSON.parse(text);
  } catch {
    throw new StartError(
      `${heldFile} is not what a stop leaves behind. Put a copy back, or delete it: the steps in it are then not logged.`,
    );
  }
  await control('/restore', held);
  await rm(heldFile);
}

answerParent({ run, stop }, async () => {
  await stop(0);
});
