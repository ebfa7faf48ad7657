import { getTableColumns } from 'drizzle-orm';
import type { StepRecord } from '../pipeline/record.ts';
import { type Database, sqlStateOf } from '../stores/database.ts';
import { queries, queryRow } from '../stores/schema.ts';

/** All columns a step has. Postgres sets the others itself. */
const COLUMNS = Object.keys(getTableColumns(queries))
  .filter((name) => name !== 'created_at')
  .join(', ');

/**
 * The same text for any number of steps, which come as one JSON array: to build a statement with a parameter for
 * each of their values cost as much as half a request.
 */
const INSERTION = `
  WITH steps AS (SELECT * FROM json_populate_recordset(NULL::queries, $1)),
  owners AS (
    INSERT INTO customers (id) SELECT DISTINCT customer FROM steps ORDER BY customer ON CONFLICT DO NOTHING)
  INSERT INTO queries (${COLUMNS}) SELECT ${COLUMNS} FROM steps ORDER BY request_id ON CONFLICT DO NOTHING`;

/**
 * Writes steps to Postgres, each once however often it is given: the same (started_at, request_id) is the same
 * step. Records that Postgres will never take (a NUL in a name, a number out of range) are found by halving,
 * so that one of them can't keep the others out.
 *
 * @returns the refused records
 * @throws where the database is not there, or not as migrated: nothing more was learned about the rest
 */
export async function insertSteps(database: Database, records: StepRecord[]): Promise<StepRecord[]> {
  if (records.length === 0) return [];
  try {
    await insertAll(database, records);
    return [];
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (records.length === 1) return records;
    const half = records.length >> 1;
    return [
      ...(await insertSteps(database, records.slice(0, half))),
      ...(await insertSteps(database, records.slice(half))),
    ];
  }
}

/**
 * One statement, one round trip. The only place that writes `queries`. In one order everywhere: two writers of the
 * same rows in different orders could lock each other out.
 */
async function insertAll(database: Database, records: StepRecord[]): Promise<void> {
  const rows = records
    .toSorted((a, b) => (a.request_id < b.request_id ? -1 : a.request_id > b.request_id ? 1 : 0))
    .map(queryRow);
  await database.$client.query(INSERTION, [JSON.stringify(rows)]);
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity violation) speak of the row, not of the server. */
function isRefusal(error: unknown): boolean {
  return /^2[23]/.test(sqlStateOf(error));
}
