import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrateCommand } from '../../src/cli/migrate.ts';
import { openPglite } from '../../src/local/postgres/pglite.ts';
import { type FaultyPostgres, startPostgres } from '../log/stores.ts';
import { run } from './shell.ts';

const FILES = readdirSync(join(import.meta.dirname, '../../drizzle'))
  .filter((name) => name.endsWith('.sql'))
  .sort();

const FIRST = FILES[0];

let postgres: FaultyPostgres;
beforeAll(async () => {
  postgres = await startPostgres(openPglite);
});
afterAll(() => postgres.close());

const flux = (...args: string[]) => run(migrateCommand, args, { DATABASE_URL: postgres.url });

describe('flux migrate', () => {
  it('says what is behind, applies it, and has nothing to do then', async () => {
    const before = await flux('--status', '--json');
    expect([before.code, before.json]).toEqual([1, { applied: [], pending: FILES, newer: [] }]);
    const applied = await flux();
    expect([applied.code, applied.out]).toEqual([0, FILES.map((name) => `applied  ${name}\n`).join('')]);
    const again = await flux('--json');
    expect([again.code, again.json]).toEqual([0, { applied: [] }]);
    const after = await flux('--status');
    expect([after.code, after.out]).toEqual([0, expect.stringContaining('up to date')]);
  });

  it('names one that is missing, and those of a newer version', async () => {
    await postgres.read('DELETE FROM flux_migrations WHERE name = $1', [FIRST]);
    await postgres.read(`INSERT INTO flux_migrations (name, hash) VALUES ('9999_later.sql', 'x')`);
    const { code, out } = await flux('--status');
    expect(code).toBe(1);
    expect(out).toContain(`pending  ${FIRST}`);
    expect(out).toContain('newer    9999_later.sql');
    expect(out).toContain('flux migrate');
  });

  it('gives Postgres’s own words where a migration fails, and names it', async () => {
    // Its tables are there, and it is not known to have made them.
    const { code, notes } = await flux();
    expect(code).toBe(1);
    expect(notes).toContain(`Migration ${FIRST} failed`);
    expect(notes).toMatch(/SQLSTATE \w{5}/);
  });

  it('says that no database answers, and quotes no URL', async () => {
    const url = 'postgresql://user:MARKED@127.0.0.1:1/flux';
    for (const args of [
      ['--database', url],
      ['--status', '--database', url],
    ]) {
      const { code, notes } = await flux(...args);
      expect([code, notes]).toEqual([1, expect.stringContaining('does not answer')]);
      expect(notes).not.toContain('MARKED');
    }
  });

  it.each([
    ['no database', [], {}],
    ['a URL of something else', ['--database', 'mysql://root:MARKED@host/db'], {}],
    ['an argument', ['now'], { DATABASE_URL: 'postgresql://a@b/c' }],
  ])('exits 2 on %s', async (_, args, variables) => {
    const { code, notes } = await run(migrateCommand, args, { FLUX_DATA_DIR: 'nowhere', ...variables });
    expect([code, notes]).toEqual([2, expect.stringContaining('Usage: flux migrate')]);
    expect(notes).not.toContain('MARKED');
  });
});
