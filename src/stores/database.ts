import { neon, neonConfig } from '@neondatabase/serverless';
import { drizzle } from 'drizzle-orm/neon-http';

export type Database = ReturnType<typeof openDatabase>;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

// The driver has one endpoint rule for the whole process: ours answers for loopback hosts only.
const neonEndpoint = neonConfig.fetchEndpoint;
neonConfig.fetchEndpoint = (host, port, options) => {
  if (LOOPBACK.test(host)) return `http://${host}:${port || 5432}/sql`;
  return typeof neonEndpoint === 'string' ? neonEndpoint : neonEndpoint(host, port, options);
};

/**
 * Postgres over Neon's HTTP protocol, one fetch a statement or batch. No connection is made here, so a handle
 * may be made at any time and kept. A loopback host in the URL means the local server (`http://host:port/sql`).
 *
 * @param url `postgresql://user:password@host[:port]/database`
 * @param timeoutMs a call without an answer by then is aborted and rejects
 */
export function openDatabase(url: string, timeoutMs = 5_000) {
  const { protocol } = URL.canParse(url) ? new URL(url) : { protocol: '' };
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    // Neon's own message would quote the URL, and with it the password (T48).
    throw new Error('DATABASE_URL must look like postgresql://user:password@host/database.');
  }
  return drizzle(
    neon(url, {
      // Read anew for every call: the driver spreads this object into fetch's options.
      fetchOptions: {
        get signal() {
          return AbortSignal.timeout(timeoutMs);
        },
      },
    }),
  );
}

/** A SQLSTATE: five characters that Postgres chose, safe to log. */
type SqlState = string & { readonly sqlState: true };

/** Postgres's code of a failed statement, or `unreachable` where no Postgres answered. */
export function sqlStateOf(error: unknown): SqlState | 'unreachable' {
  // Drizzle wraps the driver's error in one whose message quotes every parameter.
  const source = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = source instanceof Error && 'code' in source ? source.code : undefined;
  // Checked by the pattern: the brand says just that.
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? (code as SqlState) : 'unreachable';
}
