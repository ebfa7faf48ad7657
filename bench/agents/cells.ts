import { cacheRulesOf } from '../../src/core/context/cache-rules.ts';
import type { Chances } from './chain.ts';
import type { TierSet } from './tier-sets.ts';

/** One cell of the bench, but for the tiers. */
export interface Cell {
  /** `70/20/10`, or `scored`: the floors that the scorer gives. */
  mix: string;
  rho: number;
  scale: number;
  gap: number;
}

/** The 54 cells of economics.md, then the scorer's own floors. */
export function standardCells(): Cell[] {
  const drawn = ['70/20/10', '50/30/20', '30/40/30'].flatMap((mix) =>
    [0.5, 0.8, 0.95].flatMap((rho) => contexts().map((context) => ({ mix, rho, ...context }))),
  );
  return [...drawn, ...contexts().map((context) => ({ mix: 'scored', rho: 0, ...context }))];
}

function contexts() {
  return [1, 3, 10].flatMap((scale) => [0, 0.25].map((gap) => ({ scale, gap })));
}

/** Milliseconds past a lifetime that a pause lasts. */
const PAST = 60_000;
/** A cache that lives for a day is not waited for. */
const WAITED = 3_600;

export function chancesOf({ mix, rho, gap }: Cell, { tiers }: TierSet): Chances {
  const lifetimes = Object.values(tiers)
    .flat()
    .map(({ model }) => cacheRulesOf(model).default.seconds)
    .filter((seconds) => seconds <= WAITED);
  return { mix: sharesOf(mix), rho, gap, pause: Math.max(300, ...lifetimes) * 1_000 + PAST };
}

/** `70/20/10` as shares; any three numbers. @throws where they are not */
function sharesOf(mix: string): Chances['mix'] {
  if (mix === 'scored') return null;
  const [easy = Number.NaN, medium = Number.NaN, hard = Number.NaN] = mix.split('/').map(Number);
  const total = easy + medium + hard;
  if (!(total > 0) || Math.min(easy, medium, hard) < 0) {
    throw new Error(`--mix: ${mix} is no mix, e.g. 70/20/10 or scored`);
  }
  return [easy / total, medium / total, hard / total];
}
