import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Experience,
  type LivedStep,
  NO_EXPERIENCE,
  PAUSES,
  stageOf,
  together,
  withEnd,
  withStep,
} from '../../../src/core/routing/experience.ts';
import { TIERS } from '../../../src/core/routing/tier.ts';

function lived(number: number, part: Partial<LivedStep> = {}): LivedStep {
  return { floor: 'easy', tokens: 1_000, output: 50, blocks: 3, at: 0, number, ...part };
}

/** Steps of one lane, counted in order. */
function laneOf(...steps: LivedStep[]): Experience {
  return steps.reduce((seen, step, i) => withStep(seen, step, steps[i - 1] ?? null), NO_EXPERIENCE);
}

describe('what was seen of lanes', () => {
  test('counts floors, growth, rhythm and answers', () => {
    // easy → hard → hard; input 1,000 → 1,400 → 1,500; gaps 10 s and 400 s (a pause of at least 300 s).
    const seen = laneOf(
      lived(1),
      lived(2, { floor: 'hard', tokens: 1_400, blocks: 5, at: 10, output: 70 }),
      lived(3, { floor: 'hard', tokens: 1_500, blocks: 7, at: 410 }),
    );
    expect(seen).toMatchObject({
      followed: [
        [0, 0, 1],
        [0, 0, 0],
        [0, 0, 1],
      ],
      reached: [1, 2, 0, 0, 0, 0, 0, 0],
      ...{ steps: 2, tokens: 500, blocks: 4, answers: 3, output: 170 },
      ...{ gaps: 1, seconds: 10, pauses: [1, 0, 0, 0, 0] },
    });
  });

  test.each(PAUSES.map((seconds, index) => [seconds, index] as const))(
    'a gap of %i seconds is a pause, one second less is the one before it or none',
    (seconds, index) => {
      const gapOf = (gap: number) => laneOf(lived(1), lived(2, { at: gap }));
      expect(gapOf(seconds).pauses[index]).toBe(1);
      const less = gapOf(seconds - 1);
      expect(index === 0 ? less.gaps : less.pauses[index - 1]).toBe(1);
    },
  );

  test('a history that was cut grew by nothing, and a clock that went back shows no gap', () => {
    const seen = laneOf(lived(1, { at: 50 }), lived(2, { tokens: 200, blocks: 1, at: 20 }));
    expect(seen).toMatchObject({ steps: 1, tokens: 0, blocks: 0, gaps: 1, seconds: 0 });
  });

  test('a step belongs to the stage its number is in: 1, 2–3, 4–7, … 128 and more', () => {
    expect([1, 2, 3, 4, 7, 8, 15, 16, 127, 128, 5_000].map(stageOf)).toEqual([
      0, 1, 1, 2, 2, 3, 3, 4, 6, 7, 7,
    ]);
  });

  test('a lane ends at its last step; one without a step never was', () => {
    expect(withEnd(NO_EXPERIENCE, 5).ended).toEqual([0, 0, 1, 0, 0, 0, 0, 0]);
    expect(withEnd(NO_EXPERIENCE, 0)).toEqual(NO_EXPERIENCE);
  });

  test('lanes add up in any order, each step counted once', () => {
    const step = fc.record({
      floor: fc.constantFrom(...TIERS),
      tokens: fc.nat({ max: 100_000 }),
      output: fc.nat({ max: 5_000 }),
      blocks: fc.nat({ max: 60 }),
      gap: fc.nat({ max: 100_000 }),
    });
    const lane = fc.array(step, { minLength: 1, maxLength: 40 }).map((steps) => {
      const at = (i: number) => steps.slice(0, i).reduce((sum, { gap }) => sum + gap, 0);
      return laneOf(...steps.map(({ gap: _gap, ...rest }, i) => ({ ...rest, at: at(i), number: i + 1 })));
    });
    const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
    fc.assert(
      fc.property(lane, lane, (a, b) => {
        const both = together(a, b);
        expect(both).toEqual(together(b, a));
        expect(together(both, a, -1)).toEqual(b);
        for (const seen of [a, b, both]) {
          expect(total(seen.reached)).toBe(seen.answers);
          expect(total(seen.followed.flat())).toBe(seen.steps);
          expect(seen.gaps + total(seen.pauses)).toBe(seen.steps);
        }
        expect(both.answers).toBe(a.answers + b.answers);
      }),
      { numRuns: 50 },
    );
  });

  test('survives a store that keeps JSON', () => {
    const seen = laneOf(lived(1), lived(2, { at: 400 }));
    expect(JSON.parse(JSON.stringify(seen))).toEqual(seen);
  });
});
