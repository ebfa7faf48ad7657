import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPglite } from '../../../src/local/postgres/pglite.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flux-pglite-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('what was written is there after a restart', async () => {
  const place = join(folder, 'kept');
  const first = await openPglite(place);
  await first.query({ query: 'CREATE TABLE t (a int)', params: [] });
  await first.query({ query: 'INSERT INTO t VALUES ($1)', params: ['7'] });
  await first.close();
  const second = await openPglite(place);
  expect((await second.query({ query: 'SELECT a FROM t', params: [] })).rows).toEqual([['7']]);
  await second.close();
}, 90_000);

test('a folder that holds something else says what to do', async () => {
  const place = join(folder, 'other');
  mkdirSync(place);
  writeFileSync(join(place, 'PG_VERSION'), 'not a database');
  await expect(openPglite(place)).rejects.toThrow(
    /cannot be opened.*delete it to start with an empty database/,
  );
}, 90_000);

test('a file in the place of the folder says what to do', async () => {
  const place = join(folder, 'file');
  writeFileSync(place, '');
  await expect(openPglite(place)).rejects.toThrow(/cannot be opened/);
}, 90_000);
