import { PAUSES } from './experience.ts';
import type { Forecast } from './forecast.ts';

/** How many further steps a plan looks ahead. */
export const HORIZON = 20;

/**
 * Steps at which an idle model may last have been used, 0 the planned one; the steps between count as the one before
 * them. What is forgotten so is what a step or two wrote, once they are some steps away.
 */
export const GRID = [0, 1, 3, 6, 11] as const;

/** What the cache of an idle model holds: nothing, what it holds before the planned step, or what step `GRID[use - FIRST]` left. */
export const COLD = 0;
export const BEFORE = 1;
export const FIRST = 2;
/** It is not idle: the step before used it. */
export const RUNNING = FIRST + GRID.length;
export const USES = RUNNING + 1;

/** A model as the look-ahead sees it. */
export interface AheadModel {
  /** How long its cache keeps a prefix that nothing reads. */
  lifetimeSeconds: number;
  /** USD of each further step `k` (from 0) by what the model's cache holds then: `costs[k * USES + use]`. */
  costs: Float64Array;
}

const FLOORS = 3;
type Costs = readonly [Float64Array, Float64Array, Float64Array];
/** By further step: the uses behind it, and the use that the step before it is remembered as. */
const BEHIND = Array.from({ length: HORIZON }, (_, k) => FIRST + GRID.filter((step) => step < k).length);
const REMEMBERED = Array.from({ length: HORIZON }, (_, k) => FIRST + GRID.findLastIndex((step) => step <= k));
/** Costs of a tier without a model: no plan takes it. USD. */
const ABSENT = new Float64Array(HORIZON * USES).fill(1e12);

// A value stands at [use of the first model][of the second][of the third][floor of the step before].
const [STEP0, STEP1, STEP2] = [USES * USES * FLOORS, USES * FLOORS, FLOORS] as const;
// Scratch space: a look-ahead is made in one go and leaves nothing behind that another reads.
let later = new Float64Array(USES * STEP0);
let values = new Float64Array(later.length);
const best = new Float64Array(FLOORS);
const cold = new Float64Array(FLOORS);
const other = new Float64Array(FLOORS);

/** Expected USD of all further steps, where the planned step takes a tier's model, or one that is none of them. */
export interface Ahead {
  after: number[];
  afterOther: number;
}

/**
 * What a lane costs from the step after the planned one on, if every further step takes the model that is then best:
 * dynamic programming over the step that last used each model and the Markov chain of floors. It knows the chances of
 * what is to come, not the draws: the informed optimum of a lane that goes as the forecast says.
 *
 * @param models one a tier, in the order of `TIERS`; null: it has none
 * @param floor of the planned step, as its place in `TIERS`
 */
export function lookAhead(models: readonly (AheadModel | null)[], forecast: Forecast, floor: number): Ahead {
  const { goesOn } = forecast;
  const costs: Costs = [models[0]?.costs ?? ABSENT, models[1]?.costs ?? ABSENT, models[2]?.costs ?? ABSENT];
  const chances = chancesOf(models, forecast);
  const resets = resetsOf(models, forecast);
  later.fill(0);
  const expect = (k: number, u0: number, u1: number, u2: number, into: Float64Array, at: number): void => {
    choose(costs, k, u0, u1, u2);
    let m0 = resets.steady * (best[0] ?? 0) + resets.all * (cold[0] ?? 0);
    let m1 = resets.steady * (best[1] ?? 0) + resets.all * (cold[1] ?? 0);
    let m2 = resets.steady * (best[2] ?? 0) + resets.all * (cold[2] ?? 0);
    for (const { chance, expired } of resets.some) {
      choose(costs, k, expired[0] ? COLD : u0, expired[1] ? COLD : u1, expired[2] ? COLD : u2);
      m0 += chance * (best[0] ?? 0);
      m1 += chance * (best[1] ?? 0);
      m2 += chance * (best[2] ?? 0);
    }
    for (let before = 0; before < FLOORS; before++) {
      const row = before * FLOORS;
      into[at + before] =
        (goesOn[k] ?? 0) *
        ((chances[row] ?? 0) * m0 + (chances[row + 1] ?? 0) * m1 + (chances[row + 2] ?? 0) * m2);
    }
  };
  for (let k = HORIZON - 1; k >= 0; k--) {
    if (k < HORIZON - 1) [later, values] = [values, later];
    choose(costs, k, COLD, COLD, COLD);
    cold.set(best);
    const behind = BEHIND[k] ?? FIRST;
    for (let last = 0; last < FLOORS; last++) {
      if (!models[last]) continue;
      const ends = [0, 1, 2].map((tier) => (tier === last ? USES : models[tier] ? behind : 1));
      const [end0 = 0, end1 = 0, end2 = 0] = ends;
      for (let u0 = last === 0 ? RUNNING : 0; u0 < end0; u0++) {
        for (let u1 = last === 1 ? RUNNING : 0; u1 < end1; u1++) {
          for (let u2 = last === 2 ? RUNNING : 0; u2 < end2; u2++) {
            expect(k, u0, u1, u2, values, u0 * STEP0 + u1 * STEP1 + u2 * STEP2);
          }
        }
      }
    }
  }
  const [b0, b1, b2] = [0, 1, 2].map((tier) => (models[tier] ? BEFORE : COLD)) as [number, number, number]; // one a tier
  expect(0, b0, b1, b2, other, 0);
  const after = (last: number) =>
    values[
      (last === 0 ? RUNNING : b0) * STEP0 +
        (last === 1 ? RUNNING : b1) * STEP1 +
        (last === 2 ? RUNNING : b2) * STEP2 +
        floor
    ] ?? 0;
  return { after: models.map((_, tier) => after(tier)), afterOther: other[floor] ?? 0 };
}

/** Into `best`: the least USD of step `k` and all after it, for each floor it may have, by the models' uses. */
function choose([costs0, costs1, costs2]: Costs, k: number, u0: number, u1: number, u2: number): void {
  const remembered = REMEMBERED[k] ?? 0;
  const s0 = (u0 === RUNNING ? remembered : u0) * STEP0;
  const s1 = (u1 === RUNNING ? remembered : u1) * STEP1;
  const s2 = (u2 === RUNNING ? remembered : u2) * STEP2;
  const c0 = costs0[k * USES + u0] ?? 0;
  const c1 = costs1[k * USES + u1] ?? 0;
  const c2 = costs2[k * USES + u2] ?? 0;
  const to0 = RUNNING * STEP0 + s1 + s2;
  const to1 = s0 + RUNNING * STEP1 + s2;
  const to2 = s0 + s1 + RUNNING * STEP2;
  best[2] = c2 + (later[to2 + 2] ?? 0);
  best[1] = Math.min(c1 + (later[to1 + 1] ?? 0), c2 + (later[to2 + 1] ?? 0));
  best[0] = Math.min(c0 + (later[to0] ?? 0), c1 + (later[to1] ?? 0), c2 + (later[to2] ?? 0));
}

/** The chain's chances in a row; a floor above every model there is counts as the highest that has one. */
function chancesOf(models: readonly (AheadModel | null)[], { follows }: Forecast): Float64Array {
  const highest = models.findLastIndex((model) => model !== null);
  const chances = new Float64Array(FLOORS * FLOORS);
  follows.forEach((row, before) => {
    row.forEach((chance, floor) => {
      const at = before * FLOORS + Math.min(floor, highest);
      chances[at] = (chances[at] ?? 0) + chance;
    });
  });
  return chances;
}

/** Chances before a step: no pause that matters, one that lets every cache expire, ones that let some. */
interface Resets {
  steady: number;
  all: number;
  some: { chance: number; expired: readonly boolean[] }[];
}

function resetsOf(models: readonly (AheadModel | null)[], { pauses }: Forecast): Resets {
  const lifetimes = models.map((model) => model?.lifetimeSeconds ?? 0);
  const longest = Math.max(...lifetimes);
  const resets: Resets = { steady: 1, all: 0, some: [] };
  PAUSES.forEach((seconds, index) => {
    const chance = pauses[index] ?? 0;
    const expired = lifetimes.map((lifetime) => lifetime <= seconds);
    if (!models.some((model, tier) => model && expired[tier])) return;
    resets.steady -= chance;
    if (longest <= seconds) resets.all += chance;
    else resets.some.push({ chance, expired });
  });
  return resets;
}
