import { getTableColumns } from 'drizzle-orm';
import { type StepRecord, UNSETTLED } from '../pipeline/record.ts';
import { type Database, sqlStateOf } from '../stores/database.ts';
import { queries, queryRow, sessions } from '../stores/schema.ts';

/** All columns a step has. Postgres sets the others itself. */
const COLUMNS = Object.keys(getTableColumns(queries))
  .filter((name) => name !== 'created_at')
  .join(', ');

const UPDATES = Object.keys(getTableColumns(queries))
  .filter((name) => !['created_at', 'started_at', 'request_id'].includes(name))
  .map((name) => `${name} = excluded.${name}`)
  .join(', ');

/** What of a session adds up. */
const SUMS = Object.keys(getTableColumns(sessions)).filter(
  (name) => !['customer', 'id', 'started_at', 'last_at'].includes(name),
);

/**
 * The row of a step that was begun and never settled gives way to what its settle says, and its session is corrected
 * in the same statement, which reads it as it was before; any other row stays as it was first written. What was not
 * written corrects nothing: of the same settle twice, in one batch or from two consumers at once, one counts.
 *
 * The same text for any number of steps, which come as one JSON array: to build a statement with a parameter for
 * each of their values cost as much as half a request.
 */
const INSERTION = `
  WITH steps AS (SELECT * FROM json_populate_recordset(NULL::queries, $1)),
  owners AS (
    INSERT INTO customers (id) SELECT DISTINCT customer FROM steps ORDER BY customer ON CONFLICT DO NOTHING),
  written AS (
    INSERT INTO queries (${COLUMNS})
    SELECT ${COLUMNS} FROM (
      SELECT DISTINCT ON (started_at, request_id) * FROM steps
      ORDER BY started_at, request_id, (error_code IS NOT DISTINCT FROM '${UNSETTLED}')) AS once
    ORDER BY request_id
    ON CONFLICT (started_at, request_id) DO UPDATE SET ${UPDATES}
    WHERE queries.error_code = '${UNSETTLED}' AND excluded.error_code IS DISTINCT FROM '${UNSETTLED}'
    RETURNING *),
  unsettled AS (
    SELECT * FROM queries
    WHERE error_code = '${UNSETTLED}'
      AND (started_at, request_id) IN (SELECT started_at, request_id FROM written)),
  changes AS (
    SELECT 1 AS n, * FROM written WHERE session IS NOT NULL
    UNION ALL SELECT -1, * FROM unsettled WHERE session IS NOT NULL)
  INSERT INTO sessions
  SELECT customer, session, min(started_at), max(started_at), sum(n), sum(n * tool_calls),
    sum(n * (tokens_fresh + tokens_write_5m + tokens_write_1h + tokens_write_30m + tokens_write_12h + tokens_read)),
    sum(n * tokens_read), sum(n * tokens_output), coalesce(sum(n * cost_usd), 0),
    coalesce(sum(n * baseline_cost_usd), 0), coalesce(sum(n) FILTER (WHERE cost_usd IS NULL), 0)
  FROM changes GROUP BY customer, session ORDER BY customer, session
  ON CONFLICT (customer, id) DO UPDATE SET
    started_at = least(sessions.started_at, excluded.started_at),
    last_at = greatest(sessions.last_at, excluded.last_at),
    ${SUMS.map((name) => `${name} = sessions.${name} + excluded.${name}`).join(', ')}`;

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
