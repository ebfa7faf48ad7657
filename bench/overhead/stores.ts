import { setTimeout as sleep } from 'node:timers/promises';
import { answerParent } from '../../src/local/lifeline.ts';
import type { Statement, StatementResult } from '../../src/local/postgres/backend.ts';
import { startSqlServer } from '../../src/local/postgres/server.ts';
import { emulateRedis } from '../../src/local/redis/emulation.ts';
import { Keyspace } from '../../src/local/redis/keyspace.ts';
import { startRedisServer } from '../../src/local/redis/server.ts';

/** The stores of the bench, in a process of their own: a Redis in memory, and a Postgres that only records rows. */
const PASSWORD = 'bench';
const TEXT = 25;
const JSON_TYPE = 114;

/** The steps that were inserted, by request: each counts once however often it comes. */
const rows = new Set<string>();
/** Milliseconds that every call waits besides. */
let delay = 0;
let calls = 0;

async function start(): Promise<{ databaseUrl: string; redis: { url: string; token: string } }> {
  const redis = emulateRedis(new Keyspace(() => Date.now()));
  const redisServer = await startRedisServer(
    {
      pipeline: async (commands) => delayed(await redis.pipeline(commands)),
      multi: async (commands) => delayed(await redis.multi(commands)),
      close: () => redis.close(),
    },
    PASSWORD,
  );
  const sqlServer = await startSqlServer(
    {
      query: async (statement) => delayed(run(statement)),
      transaction: async (statements) => delayed(statements.map(run)),
      close: async () => {},
    },
    PASSWORD,
  );
  return { databaseUrl: sqlServer.url, redis: { url: redisServer.url, token: PASSWORD } };
}

function run({ query, params }: Statement): StatementResult {
  if (query.includes('INSERT INTO queries')) {
    // As src/log/insertion.ts sends them: an array of rows.
    const steps: { request_id: string }[] = JSON.parse(params[0] ?? '[]');
    for (const { request_id } of steps) rows.add(request_id);
  }
  if (!query.includes('row_to_json')) return { fields: [], rows: [], rowCount: 0, command: 'INSERT' };
  // What is known of a configured key whose customer has set nothing.
  const fields = [
    { name: 'customer', dataTypeID: TEXT },
    { name: 'key', dataTypeID: JSON_TYPE },
    { name: 'settings', dataTypeID: JSON_TYPE },
    { name: 'limits', dataTypeID: JSON_TYPE },
  ];
  const row = ['bench', null, null, '{"customer":null,"key":null,"tags":{}}'];
  return { fields, rows: [row], rowCount: 1, command: 'SELECT' };
}

async function delayed<T>(value: T): Promise<T> {
  calls += 1;
  if (delay > 0) await sleep(delay);
  return value;
}

answerParent(
  {
    start,
    slow: async (ms: number) => {
      delay = ms;
    },
    count: async () => ({ rows: rows.size, calls }),
    stop: async () => {},
  },
  async () => {},
);
