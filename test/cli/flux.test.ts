import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';

const FLUX = join(import.meta.dirname, '../../src/cli/flux.ts');
const folder = mkdtempSync(join(tmpdir(), 'flux-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

function flux(args: string[], variables: Record<string, string> = {}) {
  return spawnSync(process.execPath, [FLUX, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', ...variables },
    encoding: 'utf8',
  });
}

it('lists every command, and each of them helps', async () => {
  const names = [...flux(['--help']).stdout.matchAll(/^ {2}(\w+) {2,}\w/gm)].map(([, name]) => name ?? '');
  expect(names).toEqual(['classify', 'replay', 'keys', 'migrate', 'init', 'doctor', 'dlq']);
  const helps = names.map((name) => promisify(execFile)(process.execPath, [FLUX, name, '--help']));
  for (const [index, { stdout }] of (await Promise.all(helps)).entries()) {
    expect(stdout).toContain(`Usage: flux ${names[index]}`);
    expect(stdout).toContain('--json');
  }
}, 60_000);

it('reads .env as npm start does, and the environment wins', () => {
  writeFileSync(join(folder, '.env'), 'FLUX_KEY=flx_some_key\nFLUX_URL=http://127.0.0.1:1\n');
  const file = flux(['keys', 'list']);
  expect([file.status, file.stderr]).toEqual([1, expect.stringContaining('http://127.0.0.1:1')]);
  const both = flux(['keys', 'list'], { FLUX_URL: 'http://127.0.0.1:2' });
  expect(both.stderr).toContain('http://127.0.0.1:2');
});

it('gives errors as JSON too, on standard output', () => {
  const { status, stdout } = flux(['migrate', '--json'], { FLUX_DATA_DIR: folder });
  expect([status, JSON.parse(stdout)]).toEqual([2, { error: expect.stringContaining('DATABASE_URL') }]);
});
