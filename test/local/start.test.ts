import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const LIMIT = 180_000;
const START = join(import.meta.dirname, '../../src/local/start.ts');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flux-start-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** No key of the developer's reaches these. */
function environment(variables: Record<string, string>): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    PORT: '0',
    FLUX_DATA_DIR: join(folder, 'data'),
    ...variables,
  };
}

function runToEnd(args: string[], variables: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [START, ...args], {
    cwd: folder,
    env: environment(variables),
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('--help says what there is and starts nothing', () => {
  const { status, stdout } = runToEnd(['--help']);
  expect(status).toBe(0);
  expect(stdout).toContain('FLUX_DATA_DIR');
});

test.each([['--demo'], ['--port'], ['stop']])('%s is wrong usage', (argument) => {
  const { status, stderr } = runToEnd([argument]);
  expect(status).toBe(2);
  expect(stderr).toContain('--help');
});

test.each<[string, Record<string, string>, RegExp]>([
  ['a port that is none', { PORT: 'x' }, /^PORT is 'x': give a number/],
  ['a file in the place of the data folder', { FLUX_DATA_DIR: START }, /^FLUX_DATA_DIR is .* that is a file/],
])('%s: one message, no stack, exit 1', (_name, variables, message) => {
  const { status, stderr } = runToEnd([], variables);
  expect(status).toBe(1);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

test(
  'a data folder that holds no database: what to do, no stack, exit 1',
  () => {
    const data = join(folder, 'broken');
    spawnSync('mkdir', ['-p', join(data, 'postgres')]);
    writeFileSync(join(data, 'postgres/PG_VERSION'), 'no database');
    const { status, stderr } = runToEnd([], { FLUX_DATA_DIR: data });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^The database in .*broken\/postgres cannot be opened/);
    expect(stderr).not.toContain('    at ');
  },
  LIMIT,
);

interface Running {
  process: ChildProcess;
  output(): string;
  curl: string;
  ended: Promise<number | null>;
}

async function start(variables: Record<string, string> = {}): Promise<Running> {
  const child = spawn(process.execPath, [START], { cwd: folder, env: environment(variables) });
  let output = '';
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  let died = false;
  ended.then(() => (died = true));
  await expect.poll(() => died || output.includes('Ctrl-C stops'), { timeout: 60_000 }).toBe(true);
  const curl = /^ {2}(curl .*)$/m.exec(output)?.[1];
  if (curl === undefined) throw new Error(`npm start did not get there:\n${output}`);
  return { process: child, output: () => output, curl, ended };
}

function paste(curl: string): { model: string; fluxcompute: { simulated: boolean } } {
  const { stdout, stderr } = spawnSync('bash', ['-c', curl.replace('curl ', 'curl -sS ')], {
    encoding: 'utf8',
  });
  if (stderr !== '') throw new Error(stderr);
  return JSON.parse(stdout);
}

async function totalQueries({ curl }: Running): Promise<number> {
  const [, url, key] = /curl (\S+)\/v1\S+ -H 'authorization: Bearer ([^']+)'/.exec(curl) ?? [];
  const response = await fetch(`${url}/api/metrics/summary`, { headers: { authorization: `Bearer ${key}` } });
  return JSON.parse(await response.text()).total_queries;
}

/** Still running when the next test begins: a start takes seconds. */
let third: Running;

test(
  'the pasted curl line is answered and logged; one Ctrl-C, however npm passes it on, loses nothing',
  async () => {
    const first = await start();
    expect(first.output()).toContain('SIMULATED');
    expect(first.output()).not.toContain('LIVE');
    expect(paste(first.curl).fluxcompute.simulated).toBe(true);
    // The row is still in the queue when this comes, once from the terminal and once from npm.
    first.process.kill('SIGINT');
    first.process.kill('SIGINT');
    expect(await first.ended).toBe(0);
    expect(first.output()).toContain('nothing was lost');

    const second = await start({ FLUX_API_KEYS: 'a-key-for-admins:me:admin,a-key-of-mine:me:infer+read' });
    expect(await totalQueries(second)).toBe(0);
    expect(paste(second.curl).fluxcompute.simulated).toBe(true);
    second.process.kill('SIGTERM');
    expect(await second.ended).toBe(0);

    third = await start();
    expect(third.curl.replace(/:\d+\//, '')).toBe(first.curl.replace(/:\d+\//, ''));
    expect(await totalQueries(third)).toBe(1);
  },
  LIMIT,
);

test(
  'killed outright, it leaves no process behind, and the next start has the row',
  async () => {
    const first = third;
    const before = await totalQueries(first);
    paste(first.curl);
    const children = spawnSync('pgrep', ['-P', String(first.process.pid)], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter(Boolean);
    expect(children).toHaveLength(3);
    first.process.kill('SIGKILL');
    await first.ended;
    const alive = () => children.filter((pid) => spawnSync('kill', ['-0', pid]).status === 0);
    await expect.poll(alive, { timeout: 15_000 }).toEqual([]);

    const second = await start();
    await expect.poll(() => totalQueries(second), { timeout: 10_000 }).toBe(before + 1);
    second.process.kill('SIGINT');
    expect(await second.ended).toBe(0);
  },
  LIMIT,
);
