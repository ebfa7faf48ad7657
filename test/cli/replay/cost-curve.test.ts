import { expect, it } from 'vitest';
import { costCurve } from '../../../src/cli/replay/cost-curve.ts';

it('is of bounded size, in order, and ends at the sums, whatever the length', () => {
  for (const steps of [1, 799, 800, 801, 100_000]) {
    const curve = costCurve();
    for (let step = 0; step < steps; step += 1) curve.add(2, 1);
    const points = curve.points();
    expect(points.length).toBeLessThanOrEqual(801);
    expect(points.at(-1)).toEqual({ steps, top_cached: 2 * steps, flux: steps });
    expect(points.every((point, index) => index === 0 || point.steps > (points[index - 1]?.steps ?? 0))).toBe(
      true,
    );
  }
});
