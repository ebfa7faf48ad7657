import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Ids of the sessions of which a step was begun and not settled when the stack last ended. workerd fires no alarm that
 * fell due meanwhile; once an object is looked at, it sets its own anew.
 * @param folder where Miniflare keeps the objects of the class
 */
export async function openSessions(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name) => {
    const [, id] = /^([0-9a-f]{64})\.sqlite$/.exec(name) ?? [];
    return id !== undefined && hasOpenStep(join(folder, name)) ? [id] : [];
  });
}

function hasOpenStep(file: string): boolean {
  try {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      return database.prepare('SELECT 1 FROM steps WHERE abandoned_usd IS NULL LIMIT 1').get() !== undefined;
    } finally {
      database.close();
    }
  } catch {
    // Nothing was ever kept in it.
    return false;
  }
}
