import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PAUSES } from '../../../src/core/routing/experience.ts';
import type { Forecast } from '../../../src/core/routing/forecast.ts';
import {
  type AheadModel,
  BEFORE,
  COLD,
  FIRST,
  GRID,
  HORIZON,
  lookAhead,
  RUNNING,
  USES,
} from '../../../src/core/routing/lookahead.ts';

const FLOORS = [0, 1, 2] as const;

/** A lane that surely goes on for so many steps, then ends. */
function forecastOf(steps: number, part: Partial<Forecast> = {}): Forecast {
  return {
    follows: FLOORS.map(() => [0.5, 0.3, 0.2]),
    goesOn: Array.from({ length: HORIZON }, (_, k) => (k < steps ? 1 : 0)),
    ...{ tokens: 500, blocks: 2, seconds: 10, output: 100 },
    pauses: PAUSES.map(() => 0),
    ...part,
  };
}

/** A model whose every cost is given: `cost(k, use)`. */
function modelOf(cost: (k: number, use: number) => number, lifetimeSeconds = 300): AheadModel {
  const costs = new Float64Array(HORIZON * USES);
  for (let k = 0; k < HORIZON; k++) for (let use = 0; use < USES; use++) costs[k * USES + use] = cost(k, use);
  return { lifetimeSeconds, costs };
}

/**
 * The same by plain recursion over every floor and every pause that may come. A model is known by the step that used
 * it last: 'before' the planned one, a number (0 the planned one), or null, nothing.
 */
function bruteForce(
  models: readonly (AheadModel | null)[],
  forecast: Forecast,
  floor: number,
  taken: number,
): number {
  type Use = number | 'before' | null;
  const highest = models.findLastIndex(Boolean);
  const costOf = ({ costs }: AheadModel, k: number, use: Use): number => {
    if (use === null) return costs[k * USES + COLD] ?? Number.NaN;
    if (use === 'before') return costs[k * USES + BEFORE] ?? Number.NaN;
    const index = use === k ? RUNNING : FIRST + GRID.findLastIndex((step) => step <= use);
    return costs[k * USES + index] ?? Number.NaN;
  };
  const from = (k: number, uses: readonly Use[], before: number): number => {
    const goesOn = forecast.goesOn[k] ?? 0;
    if (k >= HORIZON || goesOn === 0) return 0;
    const none = 1 - forecast.pauses.reduce((sum, chance) => sum + chance, 0);
    const events = [
      { chance: none, seconds: 0 },
      ...PAUSES.map((seconds, i) => ({ chance: forecast.pauses[i] ?? 0, seconds })),
    ];
    let expected = 0;
    for (const { chance, seconds } of events) {
      if (chance === 0) continue;
      const left = uses.map((use, i) => ((models[i]?.lifetimeSeconds ?? 0) <= seconds ? null : use));
      for (const drawn of FLOORS) {
        const likely = forecast.follows[before]?.[drawn] ?? 0;
        if (likely === 0) continue;
        const needed = Math.min(drawn, highest);
        const totals = models.flatMap((model, i) =>
          model === null || i < needed
            ? []
            : costOf(model, k, left[i] ?? null) +
              from(
                k + 1,
                left.map((use, j) => (j === i ? k + 1 : use)),
                needed,
              ),
        );
        expected += chance * likely * Math.min(...totals);
      }
    }
    return goesOn * expected;
  };
  const uses = models.map((model, i): Use => (i === taken ? 0 : model ? 'before' : null));
  return from(0, uses, floor);
}

// Tenths: evenly spread, where fast-check's doubles crowd at the ends.
const share = fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10);
const row = fc.tuple(share, share, share).map(([a, b, c]) => {
  const sum = a + b + c;
  return sum === 0 ? [1, 0, 0] : [a / sum, b / sum, c / sum];
});
/** A model's prices of reading and writing, and how its prompt grows: a warm cache is never dearer than a colder one. */
const priced = fc
  .record({
    write: fc.double({ min: 0.01, max: 10, noNaN: true }),
    discount: share,
    before: fc.integer({ min: 0, max: 5 }),
    lifetime: fc.constantFrom(300, 1_800, 86_400),
  })
  .map(({ write, discount, before, lifetime }) => {
    // The prompt has 6 units at the planned step and one more at each further one; what a step used is warm.
    const warmOf = (k: number, use: number) => {
      if (use === COLD) return 0;
      if (use === BEFORE) return before;
      return 6 + (use === RUNNING ? k : (GRID[use - FIRST] ?? 0));
    };
    return modelOf((k, use) => write * (7 + k - discount * warmOf(k, use)), lifetime);
  });
const some = fc
  .tuple(fc.option(priced), fc.option(priced), fc.option(priced))
  .filter((models) => models.some((model) => model !== null));
const lane = fc
  .record({
    steps: fc.integer({ min: 1, max: 3 }),
    follows: fc.tuple(row, row, row),
    goesOn: fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
    pauses: fc.option(fc.tuple(fc.nat({ max: 4 }), share, fc.nat({ max: 4 }), share)),
  })
  .map(({ steps, follows, goesOn, pauses }) =>
    forecastOf(steps, {
      follows,
      goesOn: Array.from({ length: HORIZON }, (_, k) => (k < steps ? (goesOn[k] ?? 0) : 0)),
      pauses: PAUSES.map((_, i) => {
        const [first, chance, second, other] = pauses ?? [-1, 0, -1, 0];
        return (i === first ? chance / 3 : 0) + (i === second ? other / 3 : 0);
      }),
    }),
  );

const highestOf = (models: readonly unknown[]) => models.findLastIndex((model) => model !== null);
const near = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b));

describe('looking ahead', () => {
  test('is the expectation over all floors and pauses, with the best model at each step', () => {
    fc.assert(
      fc.property(some, lane, fc.nat({ max: 2 }), (models, forecast, drawn) => {
        const floor = Math.min(drawn, highestOf(models));
        const ahead = lookAhead(models, forecast, floor);
        models.forEach((model, taken) => {
          if (model === null || taken < floor) return;
          const expected = bruteForce(models, forecast, floor, taken);
          expect(near(ahead.after[taken] ?? Number.NaN, expected), `${ahead.after[taken]} ${expected}`).toBe(
            true,
          );
        });
        expect(near(ahead.afterOther, bruteForce(models, forecast, floor, -1))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test('remembers an idle model by the last use on its grid, further on too', () => {
    const sure = fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 2 }), fc.nat({ max: 2 }));
    fc.assert(
      fc.property(some, sure, fc.integer({ min: 4, max: 7 }), (models, next, steps) => {
        const follows = next.map((floor) => FLOORS.map((one) => (one === floor ? 1 : 0)));
        const forecast = forecastOf(steps, { follows });
        const floor = highestOf(models);
        const { after, afterOther } = lookAhead(models, forecast, floor);
        expect(near(after[floor] ?? Number.NaN, bruteForce(models, forecast, floor, floor))).toBe(true);
        expect(near(afterOther, bruteForce(models, forecast, floor, -1))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('by hand: the model that the chain of floors will need is worth warming', () => {
    // One further step, surely hard. Medium costs it nothing, hard 1 warm and 10 cold.
    const hard = modelOf((_k, use) => (use === COLD || use === BEFORE ? 10 : 1));
    const medium = modelOf(() => 0);
    const forecast = forecastOf(1, { follows: FLOORS.map(() => [0, 0, 1]) });
    expect(lookAhead([null, medium, hard], forecast, 1)).toMatchObject({
      after: [expect.anything(), 10, 1],
      afterOther: 10,
    });
  });

  test('by hand: a pause that outlives one cache and not the other', () => {
    // Before the one further step a pause of half an hour, half of the time. Easy keeps five minutes, hard a day;
    // warm they cost 1 and 3, cold 9 each. After easy: ½·1 + ½·min(9, 9). After hard: both ways min(9, 3).
    const warm = (usd: number, seconds: number) => modelOf((_k, use) => (use < FIRST ? 9 : usd), seconds);
    const forecast = forecastOf(1, { follows: FLOORS.map(() => [1, 0, 0]), pauses: [0, 0.5, 0, 0, 0] });
    const { after } = lookAhead([warm(1, 300), null, warm(3, 86_400)], forecast, 0);
    expect(after[0]).toBeCloseTo(5, 12);
    expect(after[2]).toBeCloseTo(3, 12);
  });

  test('costs no less where a price rises, and nothing where the lane ends', () => {
    fc.assert(
      fc.property(
        some,
        lane,
        fc.nat({ max: 2 }),
        fc.double({ min: 1, max: 5, noNaN: true }),
        (models, forecast, tier, by) => {
          const floor = Math.min(tier, highestOf(models));
          const dearer = models.map((model, i) =>
            model && i === tier ? { ...model, costs: model.costs.map((usd) => usd * by) } : model,
          );
          const [now, then] = [lookAhead(models, forecast, floor), lookAhead(dearer, forecast, floor)];
          models.forEach((model, i) => {
            if (model) expect(then.after[i]).toBeGreaterThanOrEqual((now.after[i] ?? 0) * (1 - 1e-12));
          });
          expect(then.afterOther).toBeGreaterThanOrEqual(now.afterOther * (1 - 1e-12));
          const last = lookAhead(models, forecastOf(0), floor);
          expect(models.map((model, i) => (model ? last.after[i] : 0))).toEqual([0, 0, 0]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a model outside warms nothing: no model of the tiers leaves a lane worse off than it', () => {
    fc.assert(
      fc.property(some, lane, (models, forecast) => {
        const floor = highestOf(models);
        const { after, afterOther } = lookAhead(models, forecast, floor);
        // What a step leaves is worth at least what was warm before it: `priced` grows so.
        expect(after[floor]).toBeLessThanOrEqual(afterOther * (1 + 1e-9) + 1e-12);
      }),
      { numRuns: 60 },
    );
  });

  test('leaves nothing behind that the next one reads', () => {
    fc.assert(
      fc.property(some, some, lane, (models, others, forecast) => {
        const floor = highestOf(models);
        const first = lookAhead(models, forecast, floor);
        lookAhead(others, forecastOf(HORIZON), 0);
        const again = lookAhead(models, forecast, floor);
        expect(again.afterOther).toBe(first.afterOther);
        models.forEach((model, i) => {
          if (model) expect(again.after[i]).toBe(first.after[i]);
        });
      }),
      { numRuns: 40 },
    );
  });
});
