import type { Context } from 'hono';
import { FluxError, invalidRequest } from '../../core/errors.ts';
import { parsePeriod } from '../../log/period.ts';
import type { StepFilter } from '../../log/queries/filter.ts';
import type { Page, Position } from '../../log/queries/page.ts';
import { sessionSteps } from '../../log/queries/session-steps.ts';
import { sessions } from '../../log/queries/sessions.ts';
import { summary } from '../../log/queries/summary.ts';
import { timeseries } from '../../log/queries/timeseries.ts';
import type { Database } from '../../stores/database.ts';
import { customerOf } from '../auth.ts';
import type { AppEnv } from '../context.ts';
import { readCursor, readLimit, writeCursor } from '../paging.ts';
import { hashSession, TAG } from '../step-headers.ts';

const MOST_FILTERS = 8;

/** GET /api/metrics/summary?period=7d: totals of the key's own customer. */
export async function metricsSummary(c: Context<AppEnv>): Promise<Response> {
  const steps = readFilter(c, '7d', new Date());
  return c.json(await readLog(c, (database) => summary(database, steps)));
}

/** GET /api/metrics/timeseries?period=30d: the same by the hour or day. */
export async function metricsTimeseries(c: Context<AppEnv>): Promise<Response> {
  const steps = readFilter(c, '30d', new Date());
  return c.json(await readLog(c, (database) => timeseries(database, steps)));
}

/** GET /api/metrics/sessions?period=7d&limit=50&cursor=…: the latest active first. */
export async function metricsSessions(c: Context<AppEnv>): Promise<Response> {
  const { steps, page } = readPage(c, '7d');
  const { data, next } = await readLog(c, (database) => sessions(database, steps, page));
  return c.json({ data, next_cursor: nextCursor(steps, next) });
}

/**
 * GET /api/metrics/sessions/{id}: the steps of one session, the first one first, of the last 366 days unless
 * `?period=` says otherwise. `id` is that of the list, or the name the client gave the session: its answers show
 * the one, the store has only the other.
 */
export async function metricsSession(c: Context<AppEnv>): Promise<Response> {
  const { steps, page } = readPage(c, '366d');
  const given = c.req.param('id') ?? '';
  for (const id of [given, hashSession(given, steps.customer, c.get('settings').secret)]) {
    if (id === null || !/^[\x20-\x7e]{1,128}$/.test(id)) continue;
    const { data, next } = await readLog(c, (database) => sessionSteps(database, steps, id, page));
    if (data.length > 0) return c.json({ id, data, next_cursor: nextCursor(steps, next) });
  }
  throw new FluxError(
    'No such session has steps here: give an id of /api/metrics/sessions or the name your client gave it, ' +
      'and look whether `period`, `tag.` filters or `cursor` leave its steps out.',
    { status: 404, code: 'unknown_session', param: 'id' },
  );
}

/** @throws FluxError 400 */
function readFilter(c: Context<AppEnv>, usualPeriod: string, now: Date): StepFilter {
  return {
    customer: customerOf(c.get('key'), c.req.query('customer')),
    period: parsePeriod(c.req.query('period') ?? usualPeriod, now),
    tags: readTagFilters(new URL(c.req.url).searchParams),
  };
}

function readPage(c: Context<AppEnv>, usualPeriod: string): { steps: StepFilter; page: Page } {
  const now = Date.now();
  const cursor = readCursor(c.req.query('cursor'), now);
  return {
    steps: readFilter(c, usualPeriod, new Date(cursor?.to ?? now)),
    page: {
      limit: readLimit(c.req.query('limit')),
      after: cursor && { at: new Date(cursor.at), id: cursor.id },
    },
  };
}

function nextCursor({ period }: StepFilter, next: Position | null): string | null {
  return next && writeCursor({ to: period.to.getTime(), at: next.at.getTime(), id: next.id });
}

/** `tag.NAME=value`, any number of times up to what a step can have: all must match. */
function readTagFilters(query: URLSearchParams): StepFilter['tags'] {
  const filters = [...query].filter(([name]) => name.startsWith('tag.'));
  if (filters.length > MOST_FILTERS) throw invalidRequest(`At most ${MOST_FILTERS} tag filters.`, 'tag.NAME');
  return filters.map(([name, wanted]) => {
    const [, tag, value] = TAG.exec(`${name.slice('tag.'.length)}=${wanted}`) ?? [];
    if (tag === undefined || value === undefined) {
      throw invalidRequest(
        'A tag filter looks like tag.team=search: a name of 1–32 of a–z 0–9 _ . - and a value of 1–64 letters, digits, _ . : @ -.',
        'tag.NAME',
      );
    }
    return [tag, value] as const;
  });
}

async function readLog<T>(c: Context<AppEnv>, read: (database: Database) => Promise<T>): Promise<T> {
  try {
    return await read(c.get('stores').database);
  } catch {
    // The driver's error quotes the statement and its parameters: it goes nowhere.
    throw new FluxError('The log could not be read: Postgres did not answer. See /health, and try again.', {
      status: 503,
      code: 'log_unavailable',
      retryAfter: 5,
    });
  }
}
