import type { Context } from 'hono';
import type * as z from 'zod';
import { FluxError, invalidRequest } from '../core/errors.ts';
import { forgetAccess } from '../customers/access.ts';
import { hashesOf } from '../customers/api-keys.ts';
import type { Actor } from '../customers/audit.ts';
import { logLine } from '../log/line.ts';
import type { Database } from '../stores/database.ts';
import { readBody } from './body.ts';
import type { AppEnv } from './context.ts';

/** A body of settings, with every list full. */
const LARGEST_BODY = 256 * 1024;

/** Who does what is being done. */
export function actorOf(c: Context<AppEnv>): Actor {
  return { requestId: c.get('requestId'), keyId: c.get('key').id };
}

/** The body of an admin's request: a JSON object. @throws FluxError 400, 413 */
export async function readObject(c: Context<AppEnv>): Promise<Record<string, unknown>> {
  const body = c.req.raw.body === null ? undefined : parse((await readBody(c.req.raw, LARGEST_BODY)).text);
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body };
  throw invalidRequest('The body must be a JSON object.', undefined, 'invalid_json');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * @param names what there is, for the message about a field that is none of it (T10)
 * @throws FluxError 400 that names the field
 */
export function readFields<T>(schema: z.ZodType<T>, body: unknown, names: readonly string[]): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = pathOf(issue?.path ?? []);
  if (issue?.code === 'unrecognized_keys') {
    const unknown = issue.keys.map((key) => (path === '' ? key : `${path}.${key}`));
    const known = path === '' ? ` There are: ${names.join(', ')}.` : '';
    throw invalidRequest(
      `There is no ${unknown.map((name) => `'${name}'`).join(', no ')} here.${known}`,
      unknown[0],
      'unknown_key',
    );
  }
  throw invalidRequest(`Invalid '${path}': ${issue?.message}.`, path);
}

/** `rules[0].when.tag` */
function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === 'number' ? `${text}[${key}]` : text === '' ? String(key) : `${text}.${String(key)}`,
    '',
  );
}

/**
 * What a customer has set, read or changed. The driver's errors quote statements and parameters: they go nowhere.
 * @throws FluxError 503 where Postgres does not answer: nothing is changed without it (fails closed)
 */
export async function withDatabase<T>(
  c: Context<AppEnv>,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  try {
    return await work(c.get('stores').database);
  } catch (error) {
    if (error instanceof FluxError) throw error;
    throw new FluxError('Postgres did not answer: nothing was read or changed. See /health, and try again.', {
      status: 503,
      code: 'database_unavailable',
      retryAfter: 5,
    });
  }
}

/**
 * After a change of a customer's keys, settings or limits: here it holds at once, elsewhere as soon as what was read
 * before is too old (customers/access-book.ts). Redis is only made to forget: where that fails its own time does it.
 */
export async function spread(c: Context<AppEnv>, customer: string): Promise<void> {
  const { database, redis } = c.get('stores');
  c.get('book').forget(customer);
  try {
    await forgetAccess(redis, await hashesOf(database, customer, c.get('settings').keys));
  } catch {
    logLine('warn', 'access_not_forgotten');
  }
}
