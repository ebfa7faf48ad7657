import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataFolder } from '../../src/local/data-folder.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flux-folder-'));
});
afterEach(() => rmSync(root, { recursive: true }));

test('a folder is made where there is none, for its owner only', async () => {
  const folder = await openDataFolder(join(root, 'a/b'));
  expect(statSync(folder.path).mode & 0o777).toBe(0o700);
  await folder.release();
  expect(readdirSync(folder.path)).toEqual([]);
});

test('a second stack on the same folder is told who holds it', async () => {
  const folder = await openDataFolder(root);
  await expect(openDataFolder(root)).rejects.toThrow(
    `Another FluxCompute (process ${process.pid}) uses ${root}`,
  );
  await folder.release();
  const next = await openDataFolder(root);
  await next.release();
});

test('the lock of a process that is no more is taken over', async () => {
  const { pid } = spawnSync('true');
  writeFileSync(join(root, 'lock'), String(pid));
  const folder = await openDataFolder(root);
  await expect(openDataFolder(root)).rejects.toThrow('Another FluxCompute');
  await folder.release();
});

test.each(['', 'nonsense', '-1', '0'])('a lock that says %j is taken over', async (content) => {
  writeFileSync(join(root, 'lock'), content);
  await (await openDataFolder(root)).release();
});

test("our own number in a crashed container's lock is no other stack", async () => {
  writeFileSync(join(root, 'lock'), String(process.pid));
  await (await openDataFolder(root)).release();
});

test('a lock of a living stranger is respected', async () => {
  writeFileSync(join(root, 'lock'), '1');
  await expect(openDataFolder(root)).rejects.toThrow(/process 1.*delete .*lock/);
});

test('a file in the place of the folder says what to do', async () => {
  writeFileSync(join(root, 'file'), '');
  await expect(openDataFolder(join(root, 'file'))).rejects.toThrow(/that is a file.*give a folder/);
  await expect(openDataFolder(join(root, 'file/below'))).rejects.toThrow(/that is a file.*give a folder/);
});

// Linux's /proc takes no folders, not even root's.
test.runIf(process.platform === 'linux')('a place that takes no folder says what to do', async () => {
  await expect(openDataFolder('/proc/flux/data')).rejects.toThrow(
    /\/proc\/flux\/data can't be used.*set FLUX_DATA_DIR/,
  );
});

test('a folder in the place of the lock is named', async () => {
  mkdirSync(join(root, 'lock/full'), { recursive: true });
  await expect(openDataFolder(root)).rejects.toThrow(/lock is in the way.*Delete it/);
});

test('a secret is made once, and nobody else may read it', async () => {
  const folder = await openDataFolder(root);
  expect(await folder.secret('key', () => 'one')).toEqual({ value: 'one', made: true });
  expect(await folder.secret('key', () => 'two')).toEqual({ value: 'one', made: false });
  expect(statSync(join(root, 'key')).mode & 0o777).toBe(0o600);
  await folder.release();
});
