import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is measured: `npm start` as a process of its own. */
export interface Started {
  url: string;
  key: string;
  model: string;
  /** The processes to read are this one and those below it. */
  pid: number;
  /** Port of workerd's inspector. */
  inspector: number;
  stop(): Promise<void>;
}

const START = join(import.meta.dirname, '../../src/local/start.ts');
/** An isolate of a deployed Worker has 128 MB. Without a limit workerd's collector lets garbage lie while there is room. */
const WORKERD_FLAGS = '--max-heap-size=128';
/**
 * What closes a step whose Worker dies waits so long in the queue, which is in workerd here: not the 15 minutes of a
 * deployment, so that as much leaves it as comes for most of the run.
 */
const ABANDONED_MS = 10_000;
/** A first start makes a database. */
const START_LIMIT_MS = 120_000;
/** Node needs these; a provider's key in the environment would make the calls live. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'LANG', 'SystemRoot'];

/** Starts what `npm start` starts, in a fresh folder (so that no `.env` is read) and on a free port. */
export async function startProcess(): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-memory-'));
  const url = `http://127.0.0.1:${await freePort()}`;
  const key = 'flx_bench_memory';
  const inspector = await freePort();
  const lines: string[] = [];
  const child = spawn(process.execPath, [START], {
    cwd: folder,
    env: {
      ...Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]])),
      PORT: new URL(url).port,
      FLUX_DATA_DIR: join(folder, 'data'),
      FLUX_API_KEYS: `${key}:default:infer`,
      MINIFLARE_WORKERD_V8_FLAGS: WORKERD_FLAGS,
      FLUX_ABANDONED_AFTER_MS: String(ABANDONED_MS),
      FLUX_INSPECTOR_PORT: String(inspector),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      lines.push(data.toString());
      if (lines.length > 50) lines.shift();
    });
  }
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await awaitHealth(url, child);
  } catch {
    await stop();
    throw new Error(`npm start did not come up:\n${lines.join('')}`);
  }
  return { url, key, model: 'auto', pid: child.pid ?? 0, inspector, stop };
}

async function awaitHealth(url: string, child: ChildProcess): Promise<void> {
  const end = Date.now() + START_LIMIT_MS;
  while (child.exitCode === null && Date.now() < end) {
    const response = await fetch(`${url}/health`).catch(() => undefined);
    if (response?.ok) return;
    await sleep(250);
  }
  throw new Error('not healthy');
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}
