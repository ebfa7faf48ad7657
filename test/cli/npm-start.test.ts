import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LocalStack } from '../../src/local/stack.ts';
import { openRedis, REDIS_LISTS } from '../../src/stores/redis.ts';
import { step } from '../log/records.ts';
import { startPrepared } from '../prepared.ts';

// The real thing on both sides: the stack of npm start, and `flux` as a process that knows its data folder only.
const FLUX = join(import.meta.dirname, '../../src/cli/flux.ts');
const LIMIT = 120_000;
let folder: string;
let stack: LocalStack;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flux-cli-'));
  stack = await startPrepared({ variables: { PORT: '0', FLUX_DATA_DIR: folder } });
}, LIMIT);
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const file = () => join(folder, 'stores.json');

function flux(...args: string[]): Promise<{ code: unknown; out: string; notes: string }> {
  // No .env of this checkout is read: it runs in the folder.
  const options = { cwd: folder, env: { PATH: process.env.PATH ?? '', FLUX_DATA_DIR: folder } };
  return new Promise((resolve) => {
    execFile(process.execPath, [FLUX, ...args], options, (error, out, notes) =>
      resolve({ code: error ? error.code : 0, out, notes }),
    );
  });
}

test(
  'flux reaches the embedded stores and the gateway of the npm start that runs',
  async () => {
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    const redis = openRedis(stack.redisUrl, stack.redisToken);
    await redis.rpush(REDIS_LISTS.dead, JSON.stringify(step({ request_id: 'buried' })));
    expect((await flux('dlq', 'list')).out).toMatch(/dead: 1.*\n.*\nburied/);
    expect((await flux('dlq', 'replay')).out).toBe('1 replayed.\n');
    expect((await flux('migrate')).out).toContain('Nothing to do');
    expect((await flux('migrate', '--status')).out).toContain('The schema is up to date.');
    const keys = await flux('keys', 'list', '--url', stack.url);
    expect(keys.out).toMatch(/FLUX_API_KEYS +default +infer,read,admin/);
    const doctor = JSON.parse((await flux('doctor', '--json', '--url', stack.url)).out);
    expect(doctor).toMatchObject({ ok: true });
    for (const code of ['schema', 'dead_letters', 'redis', 'postgres']) {
      expect(doctor.findings).toContainEqual(expect.objectContaining({ code, level: 'ok' }));
    }
  },
  LIMIT,
);

test(
  'after it has stopped, or was killed and left its file, flux says to start it',
  async () => {
    const left = readFileSync(file());
    await stack.stop();
    expect(() => statSync(file())).toThrow('ENOENT');
    const stopped = await flux('migrate', '--status');
    expect([stopped.code, stopped.notes]).toEqual([2, expect.stringContaining('Run `npm start`')]);

    writeFileSync(file(), left);
    for (const args of [
      ['dlq', 'list'],
      ['migrate', '--status'],
    ]) {
      const killed = await flux(...args);
      expect(killed.code).toBe(1);
      expect(killed.notes).toMatch(/can't be reached: it was killed. Run `npm start`/);
    }
  },
  LIMIT,
);

test(
  'stores of the user’s own are not written into the data folder, and kill leaves no file',
  async () => {
    const redis = { UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:9', UPSTASH_REDIS_REST_TOKEN: 'own-token' };
    const own = await startPrepared({ variables: { PORT: '0', FLUX_DATA_DIR: folder, ...redis } });
    try {
      expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ DATABASE_URL: own.databaseUrl });
    } finally {
      own.kill();
    }
    expect(() => statSync(file())).toThrow('ENOENT');
  },
  LIMIT,
);
