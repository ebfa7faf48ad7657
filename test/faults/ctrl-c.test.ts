import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryFolder } from '../journeys/gateway.ts';
import { seedDatabase } from '../prepared.ts';
import { answered, type Target } from './steps.ts';

const folder = temporaryFolder();
const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  folder.remove();
});

/** `npm start`, as a terminal has it. */
async function npmStart() {
  await seedDatabase(join(folder.path, 'data'));
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../src/local/start.ts')], {
    cwd: folder.path,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder.path,
      PORT: '0',
      FLUX_DATA_DIR: join(folder.path, 'data'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let output = '';
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  const find = (pattern: RegExp) => pattern.exec(output)?.[1] ?? '';
  await expect.poll(() => output, { timeout: 90_000 }).toContain('Ctrl-C stops everything');
  const target: Target = { url: find(/gateway +(http\S+)\/v1/), key: find(/key +(flx_\S+)/) };
  const total = async (): Promise<{ ok: number; failed: number; abandoned: number }> => {
    const headers = { authorization: `Bearer ${target.key}` };
    const response = await fetch(`${target.url}/api/metrics/summary`, { headers });
    // The summary of queries.ts.
    return ((await response.json()) as { by_state: { ok: number; failed: number; abandoned: number } })
      .by_state;
  };
  return { child, ended, target, total, simulator: find(/SIMULATED at (http\S+):/), output: () => output };
}

test('Ctrl-C with requests in flight: they are answered, it ends within ten seconds, and every row is there after a restart', async () => {
  const first = await npmStart();
  const control = (path: string, body?: object) =>
    fetch(`${first.simulator}/control/${path}`, body ? { method: 'POST', body: JSON.stringify(body) } : {});
  await control('script', {
    times: 'always',
    delay: { first_ms: 1_500, between_ms: 10 },
    answer: { text: 'Done.' },
  });
  const asked = Array.from({ length: 40 }, (_, index) => answered(first.target, { stream: index % 2 === 0 }));
  await expect
    .poll(async () => ((await (await control('requests')).json()) as { data: unknown[] }).data.length, {
      timeout: 20_000,
    })
    .toBe(40);

  const begun = performance.now();
  first.child.kill('SIGINT');
  const ids = await Promise.all(asked);
  expect(new Set(ids).size).toBe(40);
  expect(await first.ended).toBe(0);
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(first.output()).toContain('nothing was lost');

  const second = await npmStart();
  expect(second.target.key).toBe(first.target.key);
  await expect
    .poll(second.total, { timeout: 20_000, interval: 200 })
    .toEqual({ ok: 40, failed: 0, abandoned: 0 });
  await answered(second.target);
  await expect
    .poll(second.total, { timeout: 20_000, interval: 200 })
    .toEqual({ ok: 41, failed: 0, abandoned: 0 });
  second.child.kill('SIGINT');
  expect(await second.ended).toBe(0);
}, 200_000);
