import { join } from 'node:path';
import { answerParent } from './lifeline.ts';
import type { SqlBackend } from './postgres/backend.ts';
import { openPglite } from './postgres/pglite.ts';
import { type SqlServer, startSqlServer } from './postgres/server.ts';
import { emulateRedis } from './redis/emulation.ts';
import { type RedisServer, startRedisServer } from './redis/server.ts';
import { type KeptKeyspace, keepKeyspace } from './redis/snapshot.ts';

/** Which of the two are wanted, and the password of both. */
export interface StoresPlan {
  folder: string;
  password: string;
  postgres: boolean;
  redis: boolean;
}

export interface StoresStarted {
  databaseUrl?: string;
  redis?: { url: string; token: string };
}

export type StoreName = 'postgres' | 'redis';

interface Store {
  server: SqlServer | RedisServer;
  listen(port: number): Promise<SqlServer | RedisServer>;
}

/**
 * Embedded Postgres and Redis in one process of their own, so that neither ever stands in the way of the Worker.
 * `refuse` and `accept` are for tests of faults: the store is not reachable for a while, and loses nothing.
 */
const stores = new Map<StoreName, Store>();
let database: SqlBackend | undefined;
let keyspace: KeptKeyspace | undefined;

async function start({ folder, password, postgres, redis }: StoresPlan): Promise<StoresStarted> {
  const started: StoresStarted = {};
  if (redis) {
    keyspace = await keepKeyspace(join(folder, 'redis.json'));
    const backend = emulateRedis(keyspace.db);
    const listen = (port: number) => startRedisServer(backend, password, port);
    const server = await listen(0);
    stores.set('redis', { server, listen });
    started.redis = { url: server.url, token: password };
  }
  if (postgres) {
    const backend = await openPglite(join(folder, 'postgres'));
    database = backend;
    const listen = (port: number) => startSqlServer(backend, password, port);
    const server = await listen(0);
    stores.set('postgres', { server, listen });
    started.databaseUrl = server.url;
  }
  return started;
}

async function refuse(name: StoreName): Promise<void> {
  await stores.get(name)?.server.close();
}

async function accept(name: StoreName): Promise<void> {
  const store = stores.get(name);
  if (store !== undefined) store.server = await store.listen(Number(new URL(store.server.url).port));
}

async function stop(): Promise<void> {
  await Promise.all([...stores.values()].map(({ server }) => server.close()));
  await keyspace?.close();
  await database?.close();
}

answerParent({ start, refuse, accept, stop }, stop);
