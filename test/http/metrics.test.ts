import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { hashSession } from '../../src/http/step-headers.ts';
import { insertSteps } from '../../src/log/insertion.ts';
import type { SessionStep } from '../../src/log/queries/session-steps.ts';
import type { Session } from '../../src/log/queries/sessions.ts';
import type { Summary } from '../../src/log/queries/summary.ts';
import type { Timeseries } from '../../src/log/queries/timeseries.ts';
import type { StepRecord } from '../../src/pipeline/record.ts';
import { openDatabase } from '../../src/stores/database.ts';
import { anySteps, NOW, naivelyMatching } from '../log/queries/naive.ts';
import { step } from '../log/records.ts';
import { type FaultyPostgres, startPostgres } from '../log/stores.ts';
import { openPrepared } from '../prepared.ts';
import { gatewayOf } from './gateway.ts';

const SECRET = 'a secret of this deployment';
let postgres: FaultyPostgres;
let gateway: ReturnType<typeof gatewayOf>;

beforeAll(async () => {
  postgres = await startPostgres(openPrepared);
}, 60_000);

afterAll(() => postgres.close());

beforeEach(async () => {
  // The clock alone stands still: what waits for stores goes on.
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  postgres.mood = 'up';
  await postgres.read('TRUNCATE queries');
  gateway = gatewayOf({
    DATABASE_URL: postgres.url,
    FLUX_SECRET: SECRET,
    FLUX_API_KEYS: 'flx_agent_key:acme,flx_reader_key:acme:read,flx_other_key:zeta:infer+read',
  });
});

afterEach(() => {
  vi.useRealTimers();
});

const write = (...records: StepRecord[]) => insertSteps(openDatabase(postgres.url), records);

/** A step of a session an hour ago, `seconds` later. */
const sessionStep = (session: string, seconds = 0, part: Partial<StepRecord> = {}) =>
  step({ session, started_at: new Date(NOW.getTime() - 3_600_000 + seconds * 1000).toISOString(), ...part });

interface Refusal {
  error: { code: string; param: string | null; message: string };
}

async function get(path: string, key: string | null = 'flx_reader_key') {
  const response = await gateway.request(`/api/metrics/${path}`, {}, key);
  return { status: response.status, body: await response.json() };
}

/** The answer, which must be one. Its shape is the caller's to know. */
async function read<T>(path: string, key?: string): Promise<T> {
  const { status, body } = await get(path, key);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as T;
}

interface List<T> {
  data: T[];
  next_cursor: string | null;
}

/** All pages of a list. */
async function walk<T>(path: string, key?: string): Promise<T[]> {
  const all: T[] = [];
  let cursor = '';
  do {
    const page = await read<List<T>>(`${path}${cursor}`, key);
    all.push(...page.data);
    cursor = page.next_cursor === null ? '' : `&cursor=${page.next_cursor}`;
  } while (cursor);
  return all;
}

describe('nothing yet', () => {
  test('zeros, nulls and empty lists', async () => {
    expect(await read('summary')).toMatchObject({
      period: '7d',
      total_queries: 0,
      cost_usd: 0,
      savings_pct: null,
      cache_hit_rate: null,
      by_model: [],
    });
    const series = await read<Timeseries>('timeseries');
    expect(series).toMatchObject({ period: '30d', bucket: 'day' });
    expect(series.points).toHaveLength(31);
    expect(series.points).toContainEqual({
      start: '2026-11-20T00:00:00.000Z',
      queries: 0,
      cost_usd: 0,
      baseline_cost_usd: 0,
      savings_usd: 0,
    });
    expect(await read('sessions')).toEqual({ data: [], next_cursor: null });
    expect(await get('sessions/any')).toMatchObject({
      status: 404,
      body: { error: { code: 'unknown_session' } },
    });
  });
});

describe('a session', () => {
  test('is found by the id of the list, and by the name the client gave it', async () => {
    const name = 'runs/2026 11?a=%25#1';
    const id = hashSession(name, 'acme', SECRET) ?? '';
    await write(sessionStep(id, 0), sessionStep(id, 1));
    const { data } = await read<List<Session>>('sessions');
    expect(data).toMatchObject([{ id, queries: 2 }]);
    const byId = await read<{ id: string } & List<SessionStep>>(`sessions/${id}`);
    expect(byId).toMatchObject({ id, data: [{ model: 'claude-haiku-5-5' }, {}], next_cursor: null });
    expect(await read(`sessions/${encodeURIComponent(name)}`)).toEqual(byId);
    // A slash may come as it is.
    expect(await read(`sessions/${encodeURIComponent(name).replace('%2F', '/')}`)).toEqual(byId);
  });

  test('without a secret there are no names, and ids do', async () => {
    await write(sessionStep('aa'));
    gateway = gatewayOf({ DATABASE_URL: postgres.url, FLUX_SECRET: '' });
    expect(await read('sessions/aa')).toMatchObject({ id: 'aa' });
    expect(await get('sessions/bb')).toMatchObject({ status: 404 });
  });

  test('shows all its steps unless a period is given', async () => {
    await write(sessionStep('aa', 0), sessionStep('aa', -60 * 86_400));
    expect((await read<List<SessionStep>>('sessions/aa')).data).toHaveLength(2);
    expect((await read<List<SessionStep>>('sessions/aa?period=7d')).data).toHaveLength(1);
    expect(await get('sessions/aa?period=7d&tag.team=other')).toMatchObject({ status: 404 });
  });

  test.each(['%00', '%F0%9F%98%80', 'a'.repeat(129)])('%s names none', async (name) => {
    expect(await get(`sessions/${name}`)).toMatchObject({ status: 404, body: { error: { param: 'id' } } });
  });
});

describe('pages', () => {
  test('all of a list, each once, while more comes in', async () => {
    await write(...Array.from({ length: 120 }, (_, index) => sessionStep(`s${index}`, index)));
    const first = await read<List<Session>>('sessions');
    expect(first.data).toHaveLength(50);
    // A minute later a session of the last page goes on, and another one begins.
    vi.setSystemTime(NOW.getTime() + 60_000);
    await write(sessionStep('s3', 3601), sessionStep('new', 3602));
    const second = await read<List<Session>>(`sessions?cursor=${first.next_cursor}`);
    const third = await read<List<Session>>(`sessions?cursor=${second.next_cursor}`);
    expect(third.next_cursor).toBeNull();
    const ids = [first, second, third].flatMap(({ data }) => data.map(({ id }) => id));
    expect(ids).toEqual(Array.from({ length: 120 }, (_, index) => `s${119 - index}`));
    const { data } = await read<List<Session>>('sessions?limit=2');
    expect(data.map(({ id }) => id)).toEqual(['new', 's3']);
  });

  test('agree with the rows, whatever their length', async () => {
    await fc.assert(
      fc.asyncProperty(
        anySteps,
        fc.integer({ min: 1, max: 9 }),
        fc.constantFrom('flx_reader_key', 'flx_other_key'),
        async (records, limit, key) => {
          await postgres.read('TRUNCATE queries');
          await write(...records);
          const mine = naivelyMatching(records, {
            customer: key === 'flx_reader_key' ? 'acme' : 'zeta',
            period: { period: '2d', from: new Date(NOW.getTime() - 2 * 86_400_000), to: NOW },
            tags: [['team', 'search']],
          });
          const query = `period=2d&tag.team=search&limit=${limit}`;
          const found = await walk<Session>(`sessions?${query}`, key);
          expect(Object.fromEntries(found.map(({ id, queries }) => [id, queries]))).toEqual(
            Object.fromEntries(
              [...Map.groupBy(mine, ({ session }) => session)]
                .filter(([session]) => session !== null)
                .map(([session, steps]) => [session, steps.length]),
            ),
          );
          for (const { id } of found) {
            const steps = await walk<SessionStep>(`sessions/${id}?${query}`, key);
            expect(new Set(steps.map(({ request_id }) => request_id))).toEqual(
              new Set(mine.filter(({ session }) => session === id).map(({ request_id }) => request_id)),
            );
          }
          const whole = await read<Summary>(`summary?${query}`, key);
          const series = await read<Timeseries>(`timeseries?${query}`, key);
          expect(whole.total_queries).toBe(mine.length);
          expect(series.points.reduce((sum, { queries }) => sum + queries, 0)).toBe(mine.length);
        },
      ),
      { numRuns: 15 },
    );
  }, 60_000);

  const cursorOf = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = NOW.getTime();
  test.each([
    ['limit=0', 'limit'],
    ['limit=201', 'limit'],
    ['limit=ten', 'limit'],
    ['limit=1e2', 'limit'],
    ['limit=', 'limit'],
    ['cursor=', 'cursor'],
    ['cursor=nonsense', 'cursor'],
    [`cursor=${cursorOf({})}`, 'cursor'],
    [`cursor=${cursorOf([now, now - 1])}`, 'cursor'],
    [`cursor=${cursorOf([now, now - 1, "x' OR 1=1"])}`, 'cursor'],
    [`cursor=${cursorOf([now, now - 1, 'a\u0000'])}`, 'cursor'],
    [`cursor=${cursorOf([now, now, 'aa'])}`, 'cursor'],
    [`cursor=${cursorOf([now + 3_600_000, now, 'aa'])}`, 'cursor'],
    [`cursor=${cursorOf([8.7e15, now, 'aa'])}`, 'cursor'],
    [`cursor=${cursorOf([now, -1, 'aa'])}`, 'cursor'],
    [`cursor=${cursorOf([now, now - 1, 'aa'])}x`, 'cursor'],
    ['period=7', 'period'],
    ['tag.Team=search', 'tag.NAME'],
    ['tag.=search', 'tag.NAME'],
    ['tag.team=', 'tag.NAME'],
    ['tag.team=a%20b', 'tag.NAME'],
    [`tag.team=${'x'.repeat(65)}`, 'tag.NAME'],
    [Array.from({ length: 9 }, (_, index) => `tag.t${index}=x`).join('&'), 'tag.NAME'],
  ])('%s is a 400 that says what is wrong', async (query, param) => {
    for (const path of ['sessions', 'sessions/aa']) {
      const { status, body } = await get(`${path}?${query}`);
      expect(status).toBe(400);
      expect((body as Refusal).error.param).toBe(param);
    }
  });
});

describe('tag filters', () => {
  test('hold on every route, and all must match', async () => {
    await write(
      sessionStep('aa', 0, { tags: { team: 'search', env: 'prod' } }),
      sessionStep('aa', 1, { tags: { team: 'search', env: 'dev' } }),
      sessionStep('bb', 2, { tags: { team: 'ads' } }),
    );
    const counts = async (query: string) => [
      (await read<Summary>(`summary?${query}`)).total_queries,
      (await read<Timeseries>(`timeseries?${query}`)).points.reduce((sum, { queries }) => sum + queries, 0),
      (await read<List<Session>>(`sessions?${query}`)).data.reduce((sum, { queries }) => sum + queries, 0),
    ];
    expect(await counts('')).toEqual([3, 3, 3]);
    expect(await counts('tag.team=search')).toEqual([2, 2, 2]);
    expect(await counts('tag.team=search&tag.env=dev')).toEqual([1, 1, 1]);
    expect(await counts('tag.env=dev&tag.env=prod')).toEqual([0, 0, 0]);
    expect((await read<List<SessionStep>>('sessions/aa?tag.env=dev')).data).toHaveLength(1);
  });
});

describe('whose data', () => {
  const routes = ['summary', 'timeseries', 'sessions', 'sessions/aa'];

  test("a customer sees its own, and another's session is not there", async () => {
    await write(
      sessionStep('aa', 0),
      sessionStep('bb', 1, { customer: 'zeta' }),
      sessionStep('shared', 2),
      sessionStep('shared', 3, { customer: 'zeta' }),
    );
    expect((await read<Summary>('summary', 'flx_other_key')).total_queries).toBe(2);
    expect((await walk<Session>('sessions?', 'flx_other_key')).map(({ id }) => id)).toEqual(['shared', 'bb']);
    expect(await get('sessions/aa', 'flx_other_key')).toMatchObject({ status: 404 });
    expect((await read<List<SessionStep>>('sessions/shared')).data).toHaveLength(1);
    // A name is hashed under the customer's own secret.
    await write(sessionStep(hashSession('mine', 'acme', SECRET) ?? '', 4));
    expect(await get('sessions/mine', 'flx_reader_key')).toMatchObject({ status: 200 });
    expect(await get('sessions/mine', 'flx_other_key')).toMatchObject({ status: 404 });
  });

  test("a cursor opens no other customer's data", async () => {
    await write(...['aa', 'bb', 'cc'].map((session, at) => sessionStep(session, at)));
    const { next_cursor } = await read<List<Session>>('sessions?limit=1');
    expect(await read(`sessions?cursor=${next_cursor}`, 'flx_other_key')).toEqual({
      data: [],
      next_cursor: null,
    });
  });

  test.each(routes)('%s: who may read it', async (route) => {
    await write(sessionStep('aa'));
    expect((await get(route, null)).status).toBe(401);
    expect((await get(route, 'flx_agent_key')).status).toBe(403);
    expect((await get(`${route}?customer=acme`, 'flx_other_key')).status).toBe(403);
    expect((await get(route, 'flx_admin_key')).status).toBe(400);
    expect(await get(`${route}?customer=acme`, 'flx_admin_key')).toEqual(await get(route));
  });

  test.each(routes)('%s: a log that is down is a 503 that says so', async (route) => {
    postgres.mood = 'down';
    const { status, body } = await get(route);
    expect(status).toBe(503);
    expect((body as Refusal).error.code).toBe('log_unavailable');
    expect(JSON.stringify(body)).not.toMatch(/SELECT|acme|127/);
  });
});
