import { existsSync } from 'node:fs';
import { PGlite, type Results, type Transaction } from '@electric-sql/pglite';
import { messageOf, StartError } from '../start-error.ts';
import type { SqlBackend, Statement, StatementResult } from './backend.ts';

/** Values go in and out as Postgres's text: the driver at the other end of the wire does the parsing. */
const AS_TEXT = new Proxy({}, { get: () => (value: string) => value });

/** Commands that leave something behind in a session. At Neon each request is a session of its own. */
const SESSION_COMMANDS = new Set(['BEGIN', 'START', 'SET', 'LISTEN', 'PREPARE', 'DECLARE']);

/**
 * Postgres in WebAssembly, kept in `folder`. One connection: PGlite queues what comes meanwhile.
 * Without a folder it lives in memory, for tests.
 *
 * @param copy a database to begin with: a tar of its folder
 * @throws StartError if the folder holds something that is no readable database.
 */
export async function openPglite(folder?: string, copy?: Blob): Promise<SqlBackend> {
  const existed = folder !== undefined && existsSync(folder);
  let database: PGlite;
  try {
    database = await PGlite.create({
      dataDir: folder ?? 'memory://',
      ...(copy === undefined ? {} : { loadDataDir: copy }),
    });
    database.parsers = AS_TEXT;
    database.serializers = AS_TEXT;
  } catch (error) {
    throw new StartError(
      existed
        ? `The database in ${folder} cannot be opened (${messageOf(error)}). ` +
            'Put a copy of that folder back, or delete it to start with an empty database.'
        : `A database cannot be made in ${folder} (${messageOf(error)}). Check free space and permissions.`,
    );
  }

  return {
    async query(statement) {
      const result = await run(database, statement);
      if (SESSION_COMMANDS.has(result.command)) await endSession(database);
      return result;
    },
    async transaction(statements, begin) {
      const results = await database.transaction(async (transaction) => {
        if (begin !== '') await transaction.exec(`SET TRANSACTION ${begin}`);
        const done: StatementResult[] = [];
        for (const statement of statements) done.push(await run(transaction, statement));
        return done;
      });
      if (results.some(({ command }) => SESSION_COMMANDS.has(command))) await endSession(database);
      return results;
    },
    close: () => database.close(),
  };
}

/** As two commands: `DISCARD ALL` refuses to run in a row with others. */
async function endSession(database: PGlite): Promise<void> {
  await database.exec('ROLLBACK');
  await database.exec('DISCARD ALL');
}

async function run(session: PGlite | Transaction, { query, params }: Statement): Promise<StatementResult> {
  const result: Results<(string | null)[]> = await session.query(query, params, { rowMode: 'array' });
  return {
    fields: result.fields,
    rows: result.rows,
    rowCount: result.rowCount ?? null,
    command: result.command ?? '',
  };
}
