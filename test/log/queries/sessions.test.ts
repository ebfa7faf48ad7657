import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inputTokens } from '../../../src/core/accounting/usage.ts';
import { insertSteps } from '../../../src/log/insertion.ts';
import { migrate } from '../../../src/log/migrate.ts';
import type { Page, Position } from '../../../src/log/queries/page.ts';
import { sessionSteps } from '../../../src/log/queries/session-steps.ts';
import { sessions } from '../../../src/log/queries/sessions.ts';
import type { StepRecord } from '../../../src/pipeline/record.ts';
import { type Database, openDatabase } from '../../../src/stores/database.ts';
import { step } from '../records.ts';
import { type FaultyPostgres, onEachPostgres, startPostgres } from '../stores.ts';
import { anySteps, anyTags, expectMoney, filterOf, naivelyMatching } from './naive.ts';

let postgres: FaultyPostgres;
let database: Database;

const firstPage = { limit: 50, after: null };
const startOf = (record: StepRecord) => Date.parse(record.started_at);
/** As text compares: `started_at` is always written with milliseconds here. */
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** All pages together; each but the last must be full. */
async function walk<T>(
  limit: number,
  read: (page: Page) => Promise<{ data: T[]; next: Position | null }>,
): Promise<T[]> {
  const all: T[] = [];
  let after: Position | null = null;
  do {
    const { data, next }: { data: T[]; next: Position | null } = await read({ limit, after });
    if (next) expect(data).toHaveLength(limit);
    all.push(...data);
    after = next;
  } while (after);
  return all;
}

onEachPostgres((open) => {
  beforeAll(async () => {
    postgres = await startPostgres(open);
    database = openDatabase(postgres.url);
    await migrate(postgres.url);
  }, 60_000);

  afterAll(() => postgres.close());

  beforeEach(() => postgres.read('TRUNCATE queries'));

  test('nothing yet: no session, and no steps of one', async () => {
    await insertSteps(database, [step({ started_at: '2026-11-30T00:00:00Z', session: null })]);
    expect(await sessions(database, filterOf(), firstPage)).toEqual({ data: [], next: null });
    expect(await sessionSteps(database, filterOf(), 'aa', firstPage)).toEqual({ data: [], next: null });
  });

  test('a session is what its steps of the period came to', async () => {
    const session = 'aa';
    await insertSteps(database, [
      step({ session, started_at: '2026-11-01T00:00:00.000Z', cost_usd: 100 }),
      step({ session, started_at: '2026-11-30T01:00:00.000Z', cost_usd: 0.25, baseline_cost_usd: 1 }),
      step({ session, started_at: '2026-11-30T02:00:00.001Z', model: 'gpt-4.1', provider: 'openai' }),
      step({
        session,
        started_at: '2026-11-30T03:00:00.002Z',
        state: 'failed',
        provider: null,
        model: null,
        cost_usd: null,
        tool_calls: 3,
      }),
      step({ session, started_at: '2026-11-30T04:00:00.000Z', customer: 'zeta' }),
    ]);
    const { data } = await sessions(database, filterOf(), firstPage);
    expect(data).toEqual([
      {
        id: 'aa',
        first_step_at: '2026-11-30T01:00:00.000Z',
        last_step_at: '2026-11-30T03:00:00.002Z',
        queries: 3,
        models: ['anthropic/claude-haiku-5-5', 'openai/gpt-4.1'],
        cost_usd: 0.25000064,
        baseline_cost_usd: 1.000012,
        savings_usd: 0.75001136,
        by_state: { ok: 2, failed: 1, abandoned: 0 },
        tool_calls: 3,
        unpriced_queries: 1,
        cache_hit_rate: 0,
      },
    ]);
  });

  test('a step comes back as its record was', async () => {
    const record = step({
      session: 'aa',
      lane: 'main',
      turn: 2,
      started_at: '2026-11-30T01:00:00.123Z',
      cost_usd: 0.25,
      baseline_cost_usd: 1,
      estimated: ['cost'],
    });
    const failed = step({
      session: 'aa',
      started_at: '2026-11-30T01:00:00.124Z',
      cost_usd: null,
      model: null,
    });
    await insertSteps(database, [failed, record]);
    const { data } = await sessionSteps(database, filterOf(), 'aa', firstPage);
    const { savings_usd, ...shown } = data[0] ?? {};
    expect(record).toMatchObject(shown);
    expect(shown).toMatchObject({ tokens: record.tokens, attempts: record.attempts, reason: 'floor' });
    expect(savings_usd).toBe(0.75);
    expect(data[1]).toMatchObject({ cost_usd: null, savings_usd: null, model: null });
    // What belongs to the key, not to the step.
    expect(shown).not.toHaveProperty('customer');
    expect(shown).not.toHaveProperty('key_id');
  });

  test('agrees with adding up the same rows one by one, whatever the length of a page', async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, anyTags, fc.integer({ min: 1, max: 4 }), async (records, tags, limit) => {
        await postgres.read('TRUNCATE queries');
        await insertSteps(database, records);
        const filter = filterOf({ tags });
        const bySession = Map.groupBy(naivelyMatching(records, filter), ({ session }) => session ?? '');
        bySession.delete('');
        const lastOf = (id: string) => Math.max(...(bySession.get(id) ?? []).map(startOf));
        const ids = [...bySession.keys()].sort((a, b) => lastOf(b) - lastOf(a) || compare(b, a));

        const found = await walk(limit, (page) => sessions(database, filter, page));
        expect(found.map(({ id }) => id)).toEqual(ids);
        for (const session of found) {
          const mine = bySession.get(session.id) ?? [];
          const count = (of: (record: StepRecord) => number) =>
            mine.reduce((sum, record) => sum + of(record), 0);
          const input = count(({ tokens }) => inputTokens(tokens));
          expect(session).toMatchObject({
            first_step_at: new Date(Math.min(...mine.map(startOf))).toISOString(),
            last_step_at: new Date(lastOf(session.id)).toISOString(),
            queries: mine.length,
            by_state: {
              ok: count(({ state }) => (state === 'ok' ? 1 : 0)),
              failed: count(({ state }) => (state === 'failed' ? 1 : 0)),
              abandoned: count(({ state }) => (state === 'abandoned' ? 1 : 0)),
            },
            tool_calls: count(({ tool_calls }) => tool_calls),
            unpriced_queries: count(({ cost_usd }) => (cost_usd === null ? 1 : 0)),
          });
          expect(session.models).toEqual(
            [
              ...new Set(
                mine
                  .filter(({ model }) => model !== null)
                  .map(({ provider, model }) => (provider === null ? model : `${provider}/${model}`)),
              ),
            ].sort(),
          );
          expectMoney(session, mine);
          if (input === 0) expect(session.cache_hit_rate).toBeNull();
          else expect(session.cache_hit_rate).toBeCloseTo(count(({ tokens }) => tokens.read) / input, 12);

          const steps = await walk(limit, (page) => sessionSteps(database, filter, session.id, page));
          expect(steps.map(({ request_id }) => request_id)).toEqual(
            mine
              .toSorted((a, b) => startOf(a) - startOf(b) || compare(a.request_id, b.request_id))
              .map(({ request_id }) => request_id),
          );
        }
        expect((await sessionSteps(database, filter, 'nobody', firstPage)).data).toEqual([]);
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
