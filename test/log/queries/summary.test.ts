import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inputTokens, TOKEN_CLASSES, usageOf } from '../../../src/core/accounting/usage.ts';
import { insertSteps } from '../../../src/log/insertion.ts';
import { migrate } from '../../../src/log/migrate.ts';
import { summary } from '../../../src/log/queries/summary.ts';
import type { StepRecord } from '../../../src/pipeline/record.ts';
import { type Database, openDatabase } from '../../../src/stores/database.ts';
import { step } from '../records.ts';
import { type FaultyPostgres, onEachPostgres, startPostgres } from '../stores.ts';
import { anySteps, anyTags, expectMoney, filterOf, naivelyMatching } from './naive.ts';

let postgres: FaultyPostgres;
let database: Database;

onEachPostgres((open) => {
  beforeAll(async () => {
    postgres = await startPostgres(open);
    database = openDatabase(postgres.url);
    await migrate(postgres.url);
  }, 60_000);

  afterAll(() => postgres.close());

  beforeEach(() => postgres.read('TRUNCATE queries'));

  test('nothing yet: zeros, rates null, lists empty', async () => {
    const none = await summary(database, filterOf());
    expect(none).toEqual({
      period: '2d',
      from: '2026-11-29T12:00:00.000Z',
      to: '2026-12-01T12:00:00.000Z',
      as_of: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      total_queries: 0,
      passthrough_queries: 0,
      tool_calls: 0,
      by_state: { ok: 0, failed: 0, abandoned: 0 },
      tokens: { fresh: 0, write_5m: 0, write_1h: 0, write_30m: 0, write_12h: 0, read: 0, output: 0 },
      cost_usd: 0,
      baseline_cost_usd: 0,
      savings_usd: 0,
      savings_pct: null,
      oracle_cost_usd: 0,
      infra_cost_usd: 0,
      net_savings_usd: 0,
      unpriced_queries: 0,
      estimated_queries: 0,
      simulated_queries: 0,
      cache_hit_rate: null,
      escalations: 0,
      by_model: [],
      by_tier: [],
    });
    expect(Math.abs(Date.now() - Date.parse(none.as_of))).toBeLessThan(60_000);
  });

  test('traps T42: a step of unknown price is counted and in no sum', async () => {
    const started_at = '2026-11-30T00:00:00Z';
    await insertSteps(database, [
      step({ started_at, cost_usd: 0.25, baseline_cost_usd: 1, infra_cost_usd: 0.125 }),
      step({ started_at, cost_usd: null, baseline_cost_usd: 4, model: 'mystery', tier: 'hard' }),
      step({ started_at, cost_usd: 0.5, baseline_cost_usd: null, passthrough: true, tier: null }),
    ]);
    const sums = await summary(database, filterOf());
    expect(sums).toMatchObject({
      total_queries: 3,
      unpriced_queries: 1,
      cost_usd: 0.75,
      baseline_cost_usd: 1,
      savings_usd: 0.75,
      savings_pct: 75,
      infra_cost_usd: 0.125,
      net_savings_usd: 0.625,
    });
    expect(sums.by_tier).toContainEqual({
      tier: 'hard',
      queries: 1,
      cost_usd: 0,
      baseline_cost_usd: 0,
      savings_usd: 0,
    });
  });

  test('traps T44: a loss is shown as one', async () => {
    const record = step({ started_at: '2026-11-30T00:00:00Z', cost_usd: 3, baseline_cost_usd: 2 });
    await insertSteps(database, [record]);
    expect(await summary(database, filterOf())).toMatchObject({ savings_usd: -1, savings_pct: -50 });
  });

  test('a price of a millionth of a cent is kept', async () => {
    const started_at = '2026-11-30T00:00:00Z';
    await insertSteps(database, [step({ started_at, cost_usd: 7.5e-9, baseline_cost_usd: 1e-7 })]);
    expect(await summary(database, filterOf())).toMatchObject({ cost_usd: 7.5e-9, savings_usd: 9.25e-8 });
  });

  test('tag filters must all match; a name asked for twice matches nothing', async () => {
    const started_at = '2026-11-30T00:00:00Z';
    await insertSteps(database, [
      step({ started_at, tags: { team: 'search', env: 'prod' } }),
      step({ started_at, tags: { team: 'search' } }),
      step({ started_at, tags: {} }),
    ]);
    const count = async (...tags: [string, string][]) =>
      (await summary(database, filterOf({ tags }))).total_queries;
    expect(await count()).toBe(3);
    expect(await count(['team', 'search'])).toBe(2);
    expect(await count(['team', 'search'], ['env', 'prod'])).toBe(1);
    expect(await count(['team', 'search'], ['team', 'ads'])).toBe(0);
    expect(await count(['team', 'prod'])).toBe(0);
    expect(await count(['__proto__', 'x'])).toBe(0);
  });

  test('agrees with adding up the same rows one by one', async () => {
    await fc.assert(
      fc.asyncProperty(anySteps, anyTags, async (records, tags) => {
        await postgres.read('TRUNCATE queries');
        await insertSteps(database, records);
        const filter = filterOf({ tags });
        const mine = naivelyMatching(records, filter);
        const sums = await summary(database, filter);
        const count = (where: (record: StepRecord) => boolean) => mine.filter(where).length;
        const tokens = usageOf({});
        for (const record of mine) for (const name of TOKEN_CLASSES) tokens[name] += record.tokens[name];

        expect(sums).toMatchObject({
          total_queries: mine.length,
          passthrough_queries: count((record) => record.passthrough),
          tool_calls: mine.reduce((sum, record) => sum + record.tool_calls, 0),
          escalations: mine.reduce((sum, record) => sum + record.escalations, 0),
          by_state: {
            ok: count((record) => record.state === 'ok'),
            failed: count((record) => record.state === 'failed'),
            abandoned: count((record) => record.state === 'abandoned'),
          },
          tokens,
          unpriced_queries: count((record) => record.cost_usd === null),
          estimated_queries: count((record) => record.estimated.length > 0),
          simulated_queries: count((record) => record.simulated),
        });
        expectMoney(sums, mine);
        const input = inputTokens(tokens);
        if (input === 0) expect(sums.cache_hit_rate).toBeNull();
        else expect(sums.cache_hit_rate).toBeCloseTo(tokens.read / input, 12);
        if (sums.baseline_cost_usd === 0) expect(sums.savings_pct).toBeNull();
        else expect(sums.savings_pct).toBeCloseTo((100 * sums.savings_usd) / sums.baseline_cost_usd, 3);

        for (const share of sums.by_model) {
          const ofModel = mine.filter(
            ({ provider, model, tier }) =>
              provider === share.provider && model === share.model && tier === share.tier,
          );
          expect(share.queries).toBe(ofModel.length);
          expectMoney(share, ofModel);
        }
        for (const share of sums.by_tier) {
          const ofTier = mine.filter(({ tier }) => tier === share.tier);
          expect(share.queries).toBe(ofTier.length);
          expectMoney(share, ofTier);
        }
        const total = (shares: { queries: number }[]) =>
          shares.reduce((sum, { queries }) => sum + queries, 0);
        expect(total(sums.by_model)).toBe(mine.length);
        expect(total(sums.by_tier)).toBe(mine.length);
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
