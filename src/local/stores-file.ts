import { rmSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoresStarted } from './stores.ts';

/** Where `flux` finds the embedded stores while they run. */
function fileIn(folder: string): string {
  return join(folder, 'stores.json');
}

/**
 * Writes where the embedded stores are, by the names of the settings, readable for its user only. Stores of the
 * user's own are not written: their secrets stay where the user has put them.
 */
export async function writeStoresFile(folder: string, { databaseUrl, redis }: StoresStarted): Promise<void> {
  const file = fileIn(folder);
  const variables = {
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    ...(redis === undefined
      ? {}
      : { UPSTASH_REDIS_REST_URL: redis.url, UPSTASH_REDIS_REST_TOKEN: redis.token }),
  };
  // Moved into place: nobody reads half of it, and the mode is that of a new file.
  rmSync(`${file}.new`, { force: true });
  await writeFile(`${file}.new`, `${JSON.stringify(variables, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** At once, so that it can be done on the way out. */
export function removeStoresFile(folder: string): void {
  rmSync(fileIn(folder), { force: true });
}
