import * as z from 'zod';
import { FEATURES, type SignalName } from './signals.ts';

function weightsOf<S extends SignalName>(family: S) {
  const weight = z.number().min(-10).max(10);
  const names: readonly (typeof FEATURES)[S][number][] = FEATURES[family];
  return z.strictObject(
    // Each name of the family, and no other, is a key.
    Object.fromEntries(names.map((name) => [name, weight])) as Record<
      (typeof FEATURES)[S][number],
      typeof weight
    >,
  );
}

/** What a scorer is made of: a logistic model over the features, and where the tiers part. JSON. */
export const scorerProfile = z
  .strictObject({
    version: z.number().int().nonnegative(),
    /** Log-odds of a step that shows no feature. */
    bias: z.number().min(-10).max(10),
    weights: z.strictObject({
      length: weightsOf('length'),
      reasoning: weightsOf('reasoning'),
      math: weightsOf('math'),
      code: weightsOf('code'),
      lookup: weightsOf('lookup'),
      constraints: weightsOf('constraints'),
      loop: weightsOf('loop'),
    }),
    /** Most log-odds one family may add or take (T7). */
    limit: z.number().positive().max(10),
    /** Scores: `easy` below the first, `hard` from the second on. */
    thresholds: z.strictObject({ easy: z.number().min(0).max(1), hard: z.number().min(0).max(1) }),
  })
  .refine(({ thresholds }) => thresholds.easy <= thresholds.hard, {
    path: ['thresholds'],
    message: 'easy must not be above hard',
  });

export type ScorerProfile = z.infer<typeof scorerProfile>;
