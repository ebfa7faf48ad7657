import { TIERS, type Tier } from '../../src/core/routing/tier.ts';
import { drawing } from '../steps/draw.ts';
import type { Session } from './sessions.ts';

/** How floors and pauses are drawn. */
export interface Chances {
  /** Shares of easy, medium and hard; null: the floors that the scorer gives. */
  mix: readonly [number, number, number] | null;
  /** The chance that a step keeps the floor before it. */
  rho: number;
  /** The chance that a user turn comes after a pause. */
  gap: number;
  /** How long such a pause is: past the longest lifetime of the set's caches. Milliseconds. */
  pause: number;
}

/** A session with its floors and pauses drawn. */
export interface DrawnSession {
  /** Places in `TIERS`. */
  floors: readonly number[];
  /** Starts of its steps, in milliseconds. */
  at: readonly number[];
}

/** The same session drawn with the same seed is the same. */
export function drawSession(session: Session, { mix, rho, gap, pause }: Chances, seed: number): DrawnSession {
  const draw = drawing(seed);
  const fresh = () => {
    if (draw.chance(mix?.[0] ?? 0)) return 0;
    return draw.chance((mix?.[1] ?? 0) / (1 - (mix?.[0] ?? 0))) ? 1 : 2;
  };
  let floor = 0;
  let paused = 0;
  const floors: number[] = [];
  const at: number[] = [];
  session.forEach((step, index) => {
    if (mix === null) floor = TIERS.indexOf(step.difficulty.label);
    else if (index === 0 || !draw.chance(rho)) floor = fresh();
    if (index > 0 && step.afterUser && draw.chance(gap)) paused += pause;
    floors.push(floor);
    at.push(step.at + paused);
  });
  return { floors, at };
}

/** The chance that a floor follows another. */
export function transitions({ mix, rho }: Chances): number[][] {
  return TIERS.map((_, from) => TIERS.map((_, to) => (1 - rho) * (mix?.[to] ?? 0) + (from === to ? rho : 0)));
}

export function tierAt(floor: number): Tier {
  return TIERS[floor] ?? 'hard';
}
