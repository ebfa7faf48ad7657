import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from '@upstash/redis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalOptions, type LocalStack, startLocal } from '../../src/local/stack.ts';
import { preparedWorker, seedDatabase } from '../prepared.ts';

/** Making a database takes seconds, more where tests of others run beside: these share one folder, in order. */
const LIMIT = 120_000;
const entry = join(import.meta.dirname, 'fixtures/worker.ts');
let folder: string;
let lines: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flux-stack-'));
  await seedDatabase(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(variables: LocalOptions['variables'] = {}): Promise<LocalStack> {
  lines = [];
  return startLocal({
    variables: {
      PORT: '0',
      FLUX_DATA_DIR: folder,
      // A server of one's own: nothing is simulated, and nothing is called here.
      ANTHROPIC_API_KEY: 'own',
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
      ...variables,
    },
    worker: await preparedWorker(entry),
    output: (line) => lines.push(line),
  });
}

const get = async (stack: LocalStack, path: string) => (await fetch(stack.url + path)).text();
const redisOf = ({ redisUrl, redisToken }: LocalStack) =>
  new Redis({ url: redisUrl, token: redisToken, enableTelemetry: false, retry: false });
const delivered = (stack: LocalStack) => redisOf(stack).lrange('delivered', 0, -1);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test(
  'the Worker gets its settings, stores and a key, and a second stack is told that the folder is in use',
  async () => {
    const stack = await start({ FLUX_MODE: 'observe', HOME_ADDRESS: 'private' });
    try {
      const variables = JSON.parse(await get(stack, '/variables'));
      expect(variables).toMatchObject({
        FLUX_MODE: 'observe',
        FLUX_API_KEYS: `${stack.key}:default:infer+read+admin`,
        DATABASE_URL: stack.databaseUrl,
        UPSTASH_REDIS_REST_URL: stack.redisUrl,
        ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
      });
      expect(Buffer.from(variables.FLUX_SECRET, 'base64')).toHaveLength(32);
      expect(variables).not.toHaveProperty('HOME_ADDRESS');
      expect(stack).toMatchObject({ mode: 'own', simulatorUrl: null, keyMade: true });
      expect(stack.key).toMatch(/^flx_[\w-]{32}$/);
      expect(statSync(join(folder, 'api-key')).mode & 0o777).toBe(0o600);
      expect(readFileSync(join(folder, 'api-key'), 'utf8').trim()).toBe(stack.key);
      await expect(start()).rejects.toThrow('Another FluxCompute');
    } finally {
      await stack.stop();
    }
  },
  LIMIT,
);

test(
  'a stop finishes requests and queue, keeps what waits, and a restart goes on from there',
  async () => {
    const first = await start();
    await get(first, '/send?text=waiting&delay=7');
    await get(first, '/send?text=stubborn');
    const slow = get(first, '/slow?wait=900');
    await get(first, '/later?wait=900&text=after-the-answer');
    await get(first, '/send?text=queued');
    const begun = performance.now();
    const stopping = first.stop();
    await expect.poll(async () => (await fetch(`${first.url}/slow`)).status).toBe(503);
    expect(await slow).toBe('done');
    expect(await stopping).toEqual({ cut: 0 });
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect([isAlive(first.gatewayPid), isAlive(first.stores?.pid ?? 0)]).toEqual([false, false]);
    await expect(fetch(first.url)).rejects.toThrow();

    const second = await start();
    try {
      expect(second.key).toBe(first.key);
      expect(await delivered(second)).toEqual(expect.arrayContaining(['queued', 'after-the-answer']));
      await expect.poll(() => delivered(second), { timeout: 20_000 }).toContain('waiting');
      expect(await delivered(second)).toHaveLength(3);
    } finally {
      await second.stop();
    }
    // Put off for an hour by its consumer: it is still there after two stops.
    expect(readFileSync(join(folder, 'queue.json'), 'utf8')).toContain('stubborn');
  },
  LIMIT,
);

test(
  'a store that refuses for a while loses nothing',
  async () => {
    const stack = await start();
    try {
      await stack.stores?.refuse('redis');
      await stack.stores?.refuse('postgres');
      await expect(redisOf(stack).ping()).rejects.toThrow();
      await get(stack, '/send?text=during');
      await expect.poll(() => lines, { timeout: 10_000 }).toContain('Uncaught Error in queue');
      await stack.stores?.accept('redis');
      await stack.stores?.accept('postgres');
      await expect.poll(() => delivered(stack), { timeout: 20_000 }).toContain('during');
    } finally {
      await stack.stop();
    }
  },
  LIMIT,
);

test(
  'when a part dies the others are stopped, and it is said which',
  async () => {
    const stack = await start();
    process.kill(stack.stores?.pid ?? 0, 'SIGKILL');
    expect(await stack.died).toBe('The stores process was ended by SIGKILL.');
    expect(isAlive(stack.gatewayPid)).toBe(false);
    await expect(fetch(stack.url)).rejects.toThrow();
    await (await start()).stop();
  },
  LIMIT,
);

test(
  'what the user can mend is said before anything starts',
  async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => squatter.once('listening', resolve));
    const address = squatter.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      await expect(start({ PORT: String(port) })).rejects.toThrow(`Port ${port} is taken by another program`);
    } finally {
      squatter.close();
    }
    await expect(start({ PORT: 'x' })).rejects.toThrow("PORT is 'x'");
    await expect(start({ FLUX_DATA_DIR: entry })).rejects.toThrow(/that is a file/);
  },
  LIMIT,
);

test(
  'a setting that the Worker would refuse is refused before anything starts',
  async () => {
    const untouched = join(folder, 'untouched');
    for (const wrong of [{ FLUX_TIERS: '{"easy":["no-such-model"]}' }, { FLUX_MODE: 'guess' }]) {
      const [name = ''] = Object.keys(wrong);
      await expect(start({ ...wrong, FLUX_DATA_DIR: untouched })).rejects.toThrow(`${name}: `);
    }
    expect(existsSync(untouched)).toBe(false);
    await expect(start({ DATABASE_URL: 'postgresql://a:b@127.0.0.1:9/c' })).rejects.toThrow(
      /schema could not be.*DATABASE_URL/,
    );
  },
  LIMIT,
);

test(
  'a part of the data folder that is broken is named, with what to do',
  async () => {
    writeFileSync(join(folder, 'queue.json'), '{cut off');
    await expect(start()).rejects.toThrow(/queue\.json is not what a stop leaves.*delete it/);
    rmSync(join(folder, 'queue.json'));
    rmSync(join(folder, 'worker'), { recursive: true });
    writeFileSync(join(folder, 'worker'), 'no folder');
    await expect(start()).rejects.toThrow(/worker can't be used.*delete it/);
  },
  LIMIT,
);
