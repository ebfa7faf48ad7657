import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { describe } from 'vitest';
import { closeServer, listenOnLoopback, readBody } from '../../src/local/loopback-server.ts';
import type { SqlBackend } from '../../src/local/postgres/backend.ts';
import { startSqlServer } from '../../src/local/postgres/server.ts';
import { emulateRedis } from '../../src/local/redis/emulation.ts';
import { Keyspace } from '../../src/local/redis/keyspace.ts';
import { startRedisServer } from '../../src/local/redis/server.ts';
import { openDatabase } from '../../src/stores/database.ts';
import { openRedis, type Redis } from '../../src/stores/redis.ts';
import { hasPostgres, startRealPostgres } from '../local/postgres/real-postgres.ts';
import { withRealServer } from '../local/real-thing.ts';
import { openPrepared } from '../prepared.ts';

/**
 * Runs the tests of `body` over PGlite and, where it is installed, over a real Postgres.
 * @param pglite one that is migrated already, unless migrations are what is tested
 */
export function onEachPostgres(
  body: (open: () => Promise<SqlBackend>) => void,
  pglite: () => Promise<SqlBackend> = openPrepared,
): void {
  describe('PGlite', () => body(pglite));
  describe('Postgres', () => withRealServer('Postgres', hasPostgres, () => body(startRealPostgres)));
}

/** How a store behaves from now on: `down` drops connections, `hang` takes the request and never answers. */
type Mood = 'up' | 'down' | 'hang';

/** A store that fails at will, for the tests' subject to talk to. */
export interface FaultyStore {
  url: string;
  mood: Mood;
  /** Requests that were let through. */
  calls: number;
  /** Milliseconds before each of its answers. */
  delay: number;
  /** When each request that was answered came and was answered, in ms since the epoch. */
  spans: { from: number; to: number }[];
  /** Takes effect, and then the answer is lost. */
  losesAnswers: boolean;
  close(): Promise<void>;
}

export interface FaultyPostgres extends FaultyStore {
  /** Looks behind the faults. */
  read(query: string, params?: unknown[]): Promise<Record<string, unknown>[]>;
}

/** A Postgres behind Neon's protocol, as `npm start` has it, and faults before that. */
export async function startPostgres(open: () => Promise<SqlBackend>): Promise<FaultyPostgres> {
  const backend = await open();
  const server = await startSqlServer(backend, 'secret');
  const store = await startStore(forwardTo(server.url.replace(/^.*@(.*)\/flux$/, 'http://$1')));
  const close = store.close;
  return Object.assign(store, {
    url: server.url.replace(/127.*(?=\/)/, new URL(store.url).host),
    read: (query: string, params: unknown[] = []) =>
      openDatabase(server.url, 60_000).$client.query(query, params),
    close: async () => {
      await close();
      await server.close();
      await backend.close();
    },
  });
}

export interface FaultyRedis extends FaultyStore {
  /** Looks behind the faults. */
  direct: Redis;
}

/** Redis behind Upstash's protocol, as `npm start` has it, and faults before that. */
export async function startRedis(): Promise<FaultyRedis> {
  const server = await startRedisServer(emulateRedis(new Keyspace(Date.now)), 'token');
  const store = await startStore(forwardTo(server.url));
  const close = store.close;
  return Object.assign(store, {
    direct: openRedis(server.url, server.token),
    close: async () => {
      await close();
      await server.close();
    },
  });
}

type Answer = { status: number; body: string };
type Answering = (path: string, headers: IncomingHttpHeaders, body: Buffer) => Promise<Answer>;

function forwardTo(url: string): Answering {
  return async (path, headers, body) => {
    const kept = Object.entries(headers).filter(([name]) => /^(neon|upstash)-|^authorization$/.test(name));
    const forward = () =>
      fetch(`${url}${path}`, {
        method: 'POST',
        // A header of these names comes once.
        headers: Object.fromEntries(kept) as Record<string, string>,
        body: new Uint8Array(body),
      });
    // Once more where the connection was an idle one that the server was just closing.
    const answer = await forward().catch(forward);
    return { status: answer.status, body: await answer.text() };
  };
}

/** A server on loopback with faults before its answers. */
export async function startStore(answer: Answering): Promise<FaultyStore> {
  const server = createServer((request, response) => {
    // What is behind it may be gone at a test's end.
    serve(request, response).catch(() => request.socket.destroy());
  });
  const store: FaultyStore = {
    url: `http://127.0.0.1:${await listenOnLoopback(server)}`,
    mood: 'up',
    calls: 0,
    delay: 0,
    spans: [],
    losesAnswers: false,
    close: () => {
      server.closeAllConnections();
      return closeServer(server);
    },
  };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request);
    if (store.mood === 'hang') return;
    if (store.mood === 'down') {
      request.socket.destroy();
      return;
    }
    store.calls++;
    const from = Date.now();
    if (store.delay > 0) await new Promise((resolve) => setTimeout(resolve, store.delay));
    const { status, body: text } = await answer(request.url ?? '/', request.headers, body);
    store.spans.push({ from, to: Date.now() });
    if (store.losesAnswers) request.socket.destroy();
    else response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  };
  return store;
}
