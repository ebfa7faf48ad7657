import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase, sqlStateOf } from '../stores/database.ts';

/** How the schema of a database stands to this version's drizzle/ folder. Names are those of the files. */
export interface SchemaState {
  applied: string[];
  /** In the folder and not yet in the database: it is behind. */
  pending: string[];
  /** In the database and not in the folder: a newer version was here. */
  newer: string[];
}

const FOLDER = join(import.meta.dirname, '../../drizzle');
/** SQLSTATE undefined_table. */
const NO_SUCH_TABLE = '42P01';

/** @throws where the database does not answer */
export async function readSchemaState(databaseUrl: string, folder = FOLDER): Promise<SchemaState> {
  const here = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  const there = await readApplied(databaseUrl);
  return {
    applied: here.filter((name) => there.includes(name)),
    pending: here.filter((name) => !there.includes(name)),
    newer: there.filter((name) => !here.includes(name)),
  };
}

async function readApplied(databaseUrl: string): Promise<string[]> {
  try {
    // The table is made by log/migrate.ts.
    const rows = await openDatabase(databaseUrl).$client.query(
      'SELECT name FROM flux_migrations ORDER BY name',
    );
    return rows.map((row) => String(row.name));
  } catch (error) {
    if (sqlStateOf(error) === NO_SUCH_TABLE) return [];
    throw error;
  }
}
