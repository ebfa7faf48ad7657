import { expect, test } from 'vitest';
import { openDatabase } from '../../src/stores/database.ts';

test('traps T48: a malformed URL is refused without quoting it', async () => {
  expect(() => openDatabase('postgresql//u:hunter2@host/db')).toThrow(/DATABASE_URL must look like/);
  expect(() => openDatabase('redis://u:hunter2@host/db')).toThrow(/^(?!.*hunter2)/);
});

test('only loopback hosts are reached over plain HTTP', async () => {
  const asked: string[] = [];
  const real = globalThis.fetch;
  globalThis.fetch = async (input) => {
    asked.push(String(input));
    throw new Error('offline');
  };
  try {
    for (const host of [
      'localhost:7',
      '127.0.0.1:7',
      '[::1]:7',
      'ep-x.eu.aws.neon.tech',
      '127.0.0.1.evil.test',
    ]) {
      await openDatabase(`postgresql://u:p@${host}/db`)
        .execute('SELECT 1')
        .catch(() => undefined);
    }
  } finally {
    globalThis.fetch = real;
  }
  expect(asked).toEqual([
    'http://localhost:7/sql',
    'http://127.0.0.1:7/sql',
    'http://[::1]:7/sql',
    'https://api.eu.aws.neon.tech/sql',
    'https://api.0.0.1.evil.test/sql',
  ]);
});
