import { type Experience, NO_EXPERIENCE, PAUSES } from './experience.ts';
import { TIERS } from './tier.ts';

/** How long its lists are: `followed` in rows, then the others. */
const [ROW, STAGES] = [TIERS.length, NO_EXPERIENCE.reached.length];

/**
 * What was seen, as a row of numbers: what a store keeps, and adds up place by place. The order is part of what is
 * stored; numbers of another length are of another version.
 */
export function toCounts(seen: Experience): number[] {
  const { followed, reached, ended, pauses } = seen;
  return [
    ...[...followed.flat(), ...reached, ...ended, ...pauses],
    ...[seen.steps, seen.tokens, seen.blocks, seen.gaps, seen.seconds, seen.answers, seen.output],
  ];
}

/** Numbers that a row has. */
export const COUNTS = toCounts(NO_EXPERIENCE).length;

/** The same back; null where it is none of this version's. */
export function fromCounts(counts: readonly number[]): Experience | null {
  if (counts.length !== COUNTS || !counts.every((count) => Number.isFinite(count) && count >= 0)) return null;
  const left = [...counts];
  const next = (length: number) => left.splice(0, length);
  const followed = TIERS.map(() => next(ROW));
  const [reached, ended, pauses] = [next(STAGES), next(STAGES), next(PAUSES.length)];
  const [steps = 0, tokens = 0, blocks = 0, gaps = 0, seconds = 0, answers = 0, output = 0] = next(7);
  return {
    ...{ followed, reached, ended, pauses, steps, tokens, blocks, gaps, seconds },
    ...{ answers, output },
  };
}
