import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { usageOf } from '../../src/core/accounting/usage.ts';
import { insertSteps } from '../../src/log/insertion.ts';
import { migrate } from '../../src/log/migrate.ts';
import type { StepRecord } from '../../src/pipeline/record.ts';
import { openDatabase } from '../../src/stores/database.ts';
import { step } from './records.ts';
import { type FaultyPostgres, onEachPostgres, startPostgres } from './stores.ts';

let postgres: FaultyPostgres;

/** A step of a session, and what begin left of it. */
function begun(part: Partial<StepRecord> = {}): [unsettled: StepRecord, settled: StepRecord] {
  const settled = step({
    session: 'session-1',
    cost_usd: 0.25,
    baseline_cost_usd: 0.5,
    tokens: usageOf({ fresh: 10, read: 90, output: 20 }),
    ...part,
  });
  const unsettled: StepRecord = {
    ...settled,
    ...{ state: 'abandoned', status: 499, error_code: 'unsettled', model: null, tokens: usageOf({}) },
    ...{ cost_usd: 0.75, baseline_cost_usd: null, estimated: ['cost'] },
  };
  return [unsettled, settled];
}

onEachPostgres((open) => {
  beforeAll(async () => {
    postgres = await startPostgres(open);
    await migrate(postgres.url);
  }, 60_000);
  afterAll(() => postgres.close());
  afterEach(() => postgres.read('TRUNCATE queries, sessions'));

  const insert = (...records: StepRecord[]) => insertSteps(openDatabase(postgres.url), records);
  const rows = () => postgres.read('SELECT request_id, state, cost_usd::float8, model FROM queries');
  const session = async () => {
    const [found] = await postgres.read(
      'SELECT steps, cost_usd::float8 AS cost, baseline_cost_usd::float8 AS baseline, tokens_input::int AS input, unpriced FROM sessions',
    );
    return found;
  };

  test('a step that was begun and never settled is one row; a late settle replaces it and corrects its session', async () => {
    const [unsettled, settled] = begun();
    await insert(unsettled);
    expect(await rows()).toEqual([
      { request_id: settled.request_id, state: 'abandoned', cost_usd: 0.75, model: null },
    ]);
    expect(await session()).toEqual({ steps: 1, cost: 0.75, baseline: 0, input: 0, unpriced: 0 });
    await insert(settled);
    await insert(settled, unsettled);
    expect(await rows()).toEqual([
      { request_id: settled.request_id, state: 'ok', cost_usd: 0.25, model: 'claude-haiku-5-5' },
    ]);
    expect(await session()).toEqual({ steps: 1, cost: 0.25, baseline: 0.5, input: 100, unpriced: 0 });
  });

  test('both in one batch, twice, in any order: the settled one is written, once', async () => {
    const [unsettled, settled] = begun();
    const [other] = begun();
    await insert(unsettled, settled, other, unsettled, settled);
    expect((await rows()).map(({ state }) => state).sort()).toEqual(['abandoned', 'ok']);
    expect(await session()).toEqual({ steps: 2, cost: 1, baseline: 0.5, input: 100, unpriced: 0 });
  });

  test('a late settle that comes twice, in one batch or from two consumers at once, corrects its session once', async () => {
    const [unsettled, settled] = begun();
    const [another, late] = begun();
    await insert(unsettled, another);
    await insert(settled, settled);
    await Promise.all([insert(late), insert(late), insert(late)]);
    expect(await session()).toEqual({ steps: 2, cost: 0.5, baseline: 1, input: 200, unpriced: 0 });
  });

  test('a settled row stays as it was first written, and steps without a session count in none', async () => {
    const [, settled] = begun();
    await insert(settled);
    await insert({ ...settled, cost_usd: 9 }, ...begun({ session: null }));
    expect((await rows()).map(({ cost_usd }) => cost_usd)).toEqual([0.25, 0.25]);
    expect(await session()).toEqual({ steps: 1, cost: 0.25, baseline: 0.5, input: 100, unpriced: 0 });
  });

  test('a step without a price is counted, not summed', async () => {
    const [, settled] = begun({ cost_usd: null, baseline_cost_usd: null });
    await insert(settled);
    expect(await session()).toEqual({ steps: 1, cost: 0, baseline: 0, input: 100, unpriced: 1 });
  });
});
