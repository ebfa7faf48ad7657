/** One statement with its parameters as text, as the Neon driver sends them. */
export interface Statement {
  query: string;
  params: (string | null)[];
}

/** What one statement gave, every value as Postgres's own text: the driver parses it by `dataTypeID`. */
export interface StatementResult {
  fields: { name: string; dataTypeID: number }[];
  rows: (string | null)[][];
  /** Rows returned or changed; null where the command counts none (`CREATE TABLE`). */
  rowCount: number | null;
  command: string;
}

/** A Postgres that the SQL-over-HTTP server can stand in front of. */
export interface SqlBackend {
  /** One statement in a session of its own. */
  query(statement: Statement): Promise<StatementResult>;
  /** All statements in one transaction, or none. `begin` is the text after `BEGIN`, e.g. `ISOLATION LEVEL SERIALIZABLE`. */
  transaction(statements: Statement[], begin: string): Promise<StatementResult[]>;
  close(): Promise<void>;
}

/** The fields of a Postgres error that the Neon driver copies onto its own. */
const ERROR_FIELDS = [
  'message',
  'severity',
  'code',
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'schema',
  'table',
  'column',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const;

/** Postgres's own error as the wire has it, or null where something else went wrong. */
export function postgresError(error: unknown): Record<string, unknown> | null {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return null;
  const fields: Record<string, unknown> = {};
  // Every name is read off an object known to be an error; absent ones stay out.
  for (const name of ERROR_FIELDS) fields[name] = (error as Error & Record<string, unknown>)[name];
  return fields;
}
