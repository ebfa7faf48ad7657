import { spawn, spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { SqlBackend, Statement, StatementResult } from '../../../src/local/postgres/backend.ts';
import { prepared } from '../../prepared.ts';

/** Where `initdb` and `postgres` are: Debian keeps them off the PATH, a folder per version. */
const PROGRAMS = ['/usr/lib/postgresql', '/usr/local/pgsql', '/opt/homebrew/opt']
  .filter((root) => existsSync(root))
  .flatMap((root) => readdirSync(root).map((version) => join(root, version, 'bin')))
  .find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));

export const hasPostgres = PROGRAMS !== undefined;

type User = { uid: number; gid: number } | undefined;

/** Postgres refuses to run as root: there it runs as the user its Debian package makes. */
function serverUser(): User {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres']).stdout);
  return { uid: id('-u'), gid: id('-g') };
}

/** A real Postgres of its own on a Unix socket, as the backend of our SQL-over-HTTP server. */
export async function startRealPostgres(): Promise<SqlBackend> {
  const programs = PROGRAMS ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'flux-postgres-'));
  const user = serverUser();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  runAs(user, 'cp', '-R', await emptyCluster(programs, user), data);
  const options = ['-D', data, '-k', folder, '-h', '', '-F'];
  const server = spawn(join(programs, 'postgres'), options, { cwd: folder, stdio: 'ignore', ...user });
  const pool = new pg.Pool({ host: folder, user: 'flux', database: 'postgres' });
  // A connection that is cut when the server stops is no news.
  pool.on('error', () => {});
  for (let tries = 0; ; tries++) {
    try {
      await pool.query('SELECT 1');
      break;
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(50);
    }
  }
  return {
    query: async (statement) => {
      const client = await pool.connect();
      try {
        return await run(client, statement);
      } finally {
        // As at Neon, what the statement left in its session goes with it.
        client.release(true);
      }
    },
    transaction: async (statements, begin) => {
      const client = await pool.connect();
      try {
        await client.query(`BEGIN ${begin}`);
        const results: StatementResult[] = [];
        for (const statement of statements) results.push(await run(client, statement));
        await client.query('COMMIT');
        return results;
      } finally {
        client.release(true);
      }
    },
    close: async () => {
      await pool.end();
      const exited = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGINT');
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

/** Making one takes a second, copying it a tenth. */
function emptyCluster(programs: string, user: User): Promise<string> {
  return prepared('cluster', async (folder) => {
    mkdirSync(folder, { mode: 0o700 });
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
    const options = ['-U', 'flux', '-A', 'trust', '-N', '-E', 'UTF8', '--locale=C'];
    runAs(user, join(programs, 'initdb'), '-D', folder, ...options);
  });
}

function runAs(user: User, program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { cwd: tmpdir(), ...user });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
}

async function run(client: pg.PoolClient, { query, params }: Statement): Promise<StatementResult> {
  // Named first, since the driver's types don't know `queryMode`: without it a query that has no parameters may be several.
  const config = {
    text: query,
    values: params,
    rowMode: 'array' as const,
    queryMode: 'extended',
    types: { getTypeParser: () => (text: string) => text },
  };
  const result = await client.query<(string | null)[]>(config);
  const fields = result.fields.map(({ name, dataTypeID }) => ({ name, dataTypeID }));
  return { fields, rows: result.rows, rowCount: result.rowCount, command: result.command };
}
