import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import * as z from 'zod';
import { closeServer, listenOnLoopback, readBody } from '../loopback-server.ts';
import { messageOf } from '../start-error.ts';
import { postgresError, type SqlBackend, type StatementResult } from './backend.ts';

const statement = z.object({
  query: z.string(),
  params: z
    .array(z.union([z.string(), z.number().transform(String), z.boolean().transform(String), z.null()]))
    .default([]),
});
const requestBody = z.union([z.object({ queries: z.array(statement) }), statement]);

/** The driver's names of the isolation levels, in Postgres's words. */
const ISOLATION: Record<string, string> = {
  ReadUncommitted: 'ISOLATION LEVEL READ UNCOMMITTED',
  ReadCommitted: 'ISOLATION LEVEL READ COMMITTED',
  RepeatableRead: 'ISOLATION LEVEL REPEATABLE READ',
  Serializable: 'ISOLATION LEVEL SERIALIZABLE',
};

export interface SqlServer {
  /** A connection string the Neon driver takes, once its `fetchEndpoint` is `http://host:port/sql`. */
  url: string;
  close(): Promise<void>;
}

/** Neon's SQL-over-HTTP protocol on loopback, in front of any Postgres. The password keeps other local pages out. */
export async function startSqlServer(backend: SqlBackend, password: string, port = 0): Promise<SqlServer> {
  const server = createServer((request, response) => {
    answer(backend, password, request, response).catch((error) => {
      console.error(`postgres: ${messageOf(error)}`);
      if (!response.headersSent) response.writeHead(500).end(messageOf(error));
    });
  });
  const actual = await listenOnLoopback(server, port);
  return {
    url: `postgresql://flux:${password}@127.0.0.1:${actual}/flux`,
    close: () => closeServer(server),
  };
}

async function answer(
  backend: SqlBackend,
  password: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/sql') {
    response.writeHead(404).end('POST /sql');
    return;
  }
  const text = (await readBody(request)).toString();
  if (!knowsPassword(request.headers, password)) {
    sendJson(response, 400, { severity: 'FATAL', code: '28P01', message: 'password authentication failed' });
    return;
  }
  const body = requestBody.safeParse(parseJson(text));
  if (!body.success) {
    sendJson(response, 400, { severity: 'ERROR', code: '08P01', message: z.prettifyError(body.error) });
    return;
  }
  const asArrays = request.headers['neon-array-mode'] === 'true';
  try {
    if ('queries' in body.data) {
      const results = await backend.transaction(body.data.queries, transactionMode(request.headers));
      sendJson(response, 200, { results: results.map((result) => onWire(result, asArrays)) });
    } else {
      sendJson(response, 200, onWire(await backend.query(body.data), asArrays));
    }
  } catch (error) {
    const fields = postgresError(error);
    if (fields === null) throw error;
    sendJson(response, 400, fields);
  }
}

function knowsPassword(headers: IncomingHttpHeaders, password: string): boolean {
  const connection = headers['neon-connection-string'];
  return typeof connection === 'string' && URL.parse(connection)?.password === password;
}

function transactionMode(headers: IncomingHttpHeaders): string {
  const level = ISOLATION[String(headers['neon-batch-isolation-level'])];
  const readOnly = headers['neon-batch-read-only'];
  const deferrable = headers['neon-batch-deferrable'];
  return [
    ...(level === undefined ? [] : [level]),
    ...(readOnly === undefined ? [] : [readOnly === 'true' ? 'READ ONLY' : 'READ WRITE']),
    ...(deferrable === undefined ? [] : [deferrable === 'true' ? 'DEFERRABLE' : 'NOT DEFERRABLE']),
  ].join(', ');
}

function onWire(result: StatementResult, rowAsArray: boolean): Record<string, unknown> {
  if (rowAsArray) return { ...result, rowAsArray };
  const rows = result.rows.map((row) =>
    Object.fromEntries(result.fields.map(({ name }, i) => [name, row[i] ?? null])),
  );
  return { ...result, rows, rowAsArray };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
