import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Experience,
  NO_EXPERIENCE,
  together,
  withEnd,
  withStep,
} from '../../../src/core/routing/experience.ts';
import { forecast, PRIOR_EXPERIENCE, seenPauses } from '../../../src/core/routing/forecast.ts';
import { type LaneView, unknownLane } from '../../../src/core/routing/lane-view.ts';
import { HORIZON } from '../../../src/core/routing/lookahead.ts';
import { TIERS, type Tier } from '../../../src/core/routing/tier.ts';

const view = (part: Partial<LaneView> = {}) => forecast({ ...unknownLane([]), ...part });

/** Lanes of these floors, one step every so many seconds that adds so much. */
function seen(lanes: readonly (readonly Tier[])[], { seconds = 10, tokens = 100 } = {}): Experience {
  return lanes.reduce((all, floors) => {
    const steps = floors.map((floor, i) => ({
      ...{ floor, number: i + 1, at: i * seconds },
      ...{ tokens: 1_000 + i * tokens, output: 40, blocks: 1 + 2 * i },
    }));
    const own = steps.reduce((one, step, i) => withStep(one, step, steps[i - 1] ?? null), NO_EXPERIENCE);
    return together(all, withEnd(own, floors.length));
  }, NO_EXPERIENCE);
}

const EASY: Tier[] = ['easy', 'easy', 'easy'];

describe('the forecast of a lane', () => {
  test('of which nothing is known is the prior', () => {
    const { follows, goesOn, tokens, output, seconds, pauses } = view();
    // Four floors of five stay; a tenth of all lanes ends at the first step; 1,000 tokens in 4 steps.
    expect(follows[0]).toEqual([0.9, 0.06, 0.04]);
    expect(goesOn[0]).toBeCloseTo(0.9, 12);
    expect([tokens, output, seconds]).toEqual([250, 100, 15]);
    expect(pauses.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(0.1, 12);
  });

  test('what a customer has shown takes the place of the prior, as it grows', () => {
    // Hard follows easy in every one of these lanes.
    const of = (count: number) =>
      view({ customers: seen(Array.from({ length: count }, () => ['easy', 'hard'] as const)) })
        .follows[0]?.[2] ?? 0;
    expect(of(0)).toBeCloseTo(0.04, 12);
    expect(of(10)).toBeCloseTo((0.4 + 10) / 20, 12);
    expect(of(1_000)).toBeGreaterThan(0.98);
  });

  test("a lane's own growth and rhythm come first once it has steps of its own", () => {
    // The customer's lanes grow by 100 tokens every 10 s, this one by 5,000 every 60 s.
    const customers = seen(Array.from({ length: 500 }, () => EASY));
    const own = seen([Array.from({ length: 20 }, () => 'easy' as const)], { seconds: 60, tokens: 5_000 });
    const { tokens, seconds } = view({ customers, experience: own, number: 21 });
    // (19 × 5,000 + 6 × about 100) / 25, (19 × 60 + 6 × about 10) / 25
    expect(tokens).toBeGreaterThan(3_800);
    expect(tokens).toBeLessThan(3_850);
    expect(seconds).toBeCloseTo(48, 0);
  });

  test('how it goes on is looked up by the stage each further step is in', () => {
    // 90 lanes end at their 3rd step (stage of 2 and 3), 10 go on to the 12th.
    const long: Tier[] = Array.from({ length: 12 }, () => 'easy');
    const customers = seen([
      ...Array.from({ length: 90 }, () => EASY),
      ...Array.from({ length: 10 }, () => long),
    ]);
    const at = (number: number) => view({ customers, number }).goesOn;
    // Steps 2 and 3: 200 reached and the prior's 10, 90 ended and its 0.7; then nobody ends before step 8.
    expect(at(2).slice(0, 2)).toEqual([1 - 90.7 / 210, 1 - 90.7 / 210]);
    expect(at(1)[1]).toBe(at(2)[0]);
    expect(at(4)[0]).toBeGreaterThan(0.97);
    expect(at(4)[3]).toBe(at(4)[0]);
  });

  test('pauses are a share of all gaps', () => {
    const customers = seen(
      Array.from({ length: 200 }, () => EASY),
      { seconds: 2_000 },
    );
    // 400 gaps of half an hour and more (the second pause), on the prior's 10 of which 0.2 were so.
    expect(view({ customers }).pauses[1]).toBeCloseTo(400.2 / 410, 12);
  });

  test('pauses that nobody has seen are none where they are paid for at once', () => {
    const lane = unknownLane([]);
    expect(seenPauses(lane)).toEqual([0, 0, 0, 0, 0]);
    const experience = seen([EASY], { seconds: 600 });
    // Two pauses of ten minutes, beside six gaps as its customer's are.
    expect(seenPauses({ ...lane, experience })).toEqual([2 / 8, 0, 0, 0, 0]);
  });

  test('chances are chances, whatever was seen', () => {
    const floors = fc.array(fc.constantFrom(...TIERS), { maxLength: 30 });
    const lanes = fc.array(floors, { maxLength: 10 });
    const pace = fc.record({ seconds: fc.nat({ max: 100_000 }), tokens: fc.nat({ max: 50_000 }) });
    fc.assert(
      fc.property(lanes, lanes, pace, fc.integer({ min: 1, max: 500 }), (of, own, how, number) => {
        const found = view({ customers: seen(of, how), experience: seen(own, how), number });
        expect(found.goesOn).toHaveLength(HORIZON);
        for (const chance of [...found.goesOn, ...found.pauses, ...found.follows.flat()]) {
          expect(chance).toBeGreaterThanOrEqual(0);
          expect(chance).toBeLessThanOrEqual(1);
        }
        for (const row of found.follows)
          expect(row.reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(1, 9);
        expect(found.pauses.reduce((sum, chance) => sum + chance, 0)).toBeLessThanOrEqual(1 + 1e-12);
        for (const value of [found.tokens, found.blocks, found.seconds, found.output]) {
          expect(Number.isFinite(value) && value >= 0).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('the prior is a chain of 50, 30 and 20 %', () => {
    // The share of each floor that the chain leaves as it is: π = π · P.
    const rows = PRIOR_EXPERIENCE.followed.map((row) =>
      row.map((count) => count / row.reduce((a, b) => a + b, 0)),
    );
    let shares = [1, 0, 0];
    for (let i = 0; i < 500; i++) {
      shares = [0, 1, 2].map((to) =>
        shares.reduce((sum, share, from) => sum + share * (rows[from]?.[to] ?? 0), 0),
      );
    }
    expect(shares.map((share) => Math.round(share * 10) / 10)).toEqual([0.5, 0.3, 0.2]);
  });
});
