import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { startSqlServer } from '../../src/local/postgres/server.ts';
import { type LocalStack, startLocal } from '../../src/local/stack.ts';
import { insertSteps } from '../../src/log/insertion.ts';
import { migrate } from '../../src/log/migrate.ts';
import type { StepRecord } from '../../src/pipeline/record.ts';
import { openDatabase } from '../../src/stores/database.ts';
import { hasPostgres, startRealPostgres } from '../local/postgres/real-postgres.ts';
import { step } from '../log/records.ts';

/**
 * What one step takes of the machine: `npx node test/docs/measure-step.ts` (Linux). Prints one JSON object last.
 * The figures stand in src/core/accounting/infra-cost.ts. Nothing leaves this machine.
 */
const STEPS = 600;
const WARM_UP = 100;
const AT_ONCE = 8;
const BATCH = 100;
/** A clock tick of /proc/PID/stat, in milliseconds, on every Linux that Node runs on. */
const TICK_MS = 10;

/** Rows enough for pages and indexes to be full ones. */
const ROWS = 3_000;

/**
 * Bytes a row of `queries` takes on disk, indexes included: the rows there are, copied until there are many.
 * The database is a test's own.
 */
export async function rowBytes(databaseUrl: string): Promise<number> {
  const database = openDatabase(databaseUrl, 60_000);
  await database.execute(sql`
    INSERT INTO queries
    SELECT copy.* FROM queries q
    CROSS JOIN generate_series(1, ${ROWS}::integer / (SELECT greatest(count(*), 1) FROM queries)::integer) i
    CROSS JOIN LATERAL jsonb_populate_record(q, jsonb_build_object(
      'request_id', gen_random_uuid()::text, 'started_at', q.started_at + make_interval(secs => i / 1000.0))) copy`);
  const { rows } = await database.execute<{ bytes: string; rows: string }>(sql`
    SELECT sum(pg_total_relation_size(inhrelid)) AS bytes, (SELECT count(*) FROM queries) AS rows
    FROM pg_inherits WHERE inhparent = 'queries'::regclass`);
  return Math.round(Number(rows[0]?.bytes) / Number(rows[0]?.rows));
}

if (process.argv[1] === import.meta.filename) console.log(JSON.stringify(await measure()));

async function measure(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'flux-measure-'));
  const result: Record<string, number> = {};
  const stack = await startLocal({ variables: { PORT: '0', FLUX_DATA_DIR: folder } });
  try {
    for (const [name, body] of Object.entries(bodies())) {
      await send(stack, WARM_UP, body);
      await settled(stack);
      const before = cpuMs(isWorkerd);
      await send(stack, STEPS, body);
      await settled(stack);
      result[`cpu_ms_${name}`] = round((cpuMs(isWorkerd) - before) / STEPS);
    }
    result.message_bytes = await messageBytes(stack);
    result.row_bytes = await rowBytes(stack.databaseUrl);
  } finally {
    await stack.stop();
    rmSync(folder, { recursive: true });
  }
  if (hasPostgres) result.postgres_ms_a_row = await postgresMs();
  return result;
}

/** A question, and a tool-using conversation of about 8 KB. */
function bodies(): Record<string, object> {
  const tool = (name: string) => ({
    type: 'function',
    function: { name, parameters: { type: 'object', properties: { id: { type: 'string' } } } },
  });
  const turn = (index: number) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: `Turn ${index}: ${'the order was late and the customer wants to know why. '.repeat(9)}`,
  });
  return {
    small: { model: 'auto', messages: [{ role: 'user', content: 'What is the capital of France?' }] },
    '8kb': {
      model: 'auto',
      messages: Array.from({ length: 15 }, (_, index) => turn(index)),
      tools: ['get_order', 'get_customer', 'refund'].map(tool),
    },
  };
}

async function send(stack: LocalStack, count: number, body: object): Promise<void> {
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const response = await fetch(`${stack.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Until the queue's consumer has written everything: its work is part of a step. */
async function settled(stack: LocalStack): Promise<void> {
  const database = openDatabase(stack.databaseUrl);
  for (let last = -1; ; ) {
    const { rows } = await database.execute<{ n: string }>('SELECT count(*) AS n FROM queries');
    const count = Number(rows[0]?.n);
    if (count === last) return;
    last = count;
    await new Promise((resolve) => setTimeout(resolve, 5_000));
  }
}

/** A step as the queue takes it is its row as JSON, nearly: tokens and times are nested there. */
async function messageBytes(stack: LocalStack): Promise<number> {
  const { rows } = await openDatabase(stack.databaseUrl).execute<{ bytes: string }>(
    'SELECT avg(length(row_to_json(queries)::text)) AS bytes FROM queries',
  );
  return Math.round(Number(rows[0]?.bytes));
}

/** Processor time of a real Postgres for a row, inserted as the consumer does. It does not sync to disk here. */
async function postgresMs(): Promise<number> {
  const backend = await startRealPostgres();
  const server = await startSqlServer(backend, 'secret');
  try {
    await migrate(server.url);
    const database = openDatabase(server.url);
    const batch = (): StepRecord[] =>
      Array.from({ length: BATCH }, () => step({ request_id: crypto.randomUUID() }));
    for (let count = 0; count < 20; count++) await insertSteps(database, batch());
    const before = cpuMs(isPostgres);
    for (let count = 0; count < 100; count++) await insertSteps(database, batch());
    return round((cpuMs(isPostgres) - before) / (100 * BATCH));
  } finally {
    await server.close();
    await backend.close();
  }
}

interface Process {
  pid: number;
  parent: number;
  command: string;
  ms: number;
}

function isWorkerd({ command }: Process): boolean {
  return command.includes('workerd');
}

function isPostgres({ command }: Process): boolean {
  return command.includes('postgres');
}

/** Processor time so far of the processes below this one that `wanted` names, their ended children included. */
function cpuMs(wanted: (process: Process) => boolean): number {
  const all = processes();
  const inside = new Set([process.pid]);
  for (let depth = 0; depth < 4; depth++) {
    for (const { pid, parent } of all) if (inside.has(parent)) inside.add(pid);
  }
  return all.filter((one) => inside.has(one.pid) && wanted(one)).reduce((sum, { ms }) => sum + ms, 0);
}

function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // The command stands in brackets and may hold anything; the fields after it are state, ppid, …
        const fields = stat
          .slice(stat.lastIndexOf(')') + 2)
          .split(' ')
          .map(Number);
        const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + (fields[index] ?? 0), 0);
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        return [{ pid: Number(name), parent: fields[1] ?? 0, command, ms: ticks * TICK_MS }];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

function round(value: number): number {
  return Number(value.toPrecision(2));
}
