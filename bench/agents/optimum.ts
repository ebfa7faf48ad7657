import { tokensOn } from '../../src/core/accounting/estimate.ts';
import { priceListOf } from '../../src/core/accounting/price-book.ts';
import { tokenFactor } from '../../src/core/accounting/tokenizers.ts';
import { cacheRulesOf } from '../../src/core/context/cache-rules.ts';
import { cacheable } from '../../src/core/context/prefix-state.ts';
import type { Candidate } from '../../src/core/routing/candidate.ts';
import { requestCost } from '../../src/core/routing/economics.ts';
import { isPortable } from '../../src/core/routing/portability.ts';
import type { Session } from './sessions.ts';
import type { TierSet } from './tier-sets.ts';

const MODELS = 3;
/** Steps of a session up to which the optimum is computed: its tables grow with the third power. */
export const LONGEST = 48;

/** What each step costs on each model, by the step that last used it; without end where a model would lose of the turn. */
export interface CostTable {
  steps: number;
  /** USD of step `t` on a model last used by step `used`; -1: never, or its cache has expired. */
  cost(model: number, t: number, used: number): number;
}

/** The three models of a set; null where a tier has not exactly one, so that no table can be made. */
export function modelsOf({ tiers }: TierSet): readonly Candidate[] | null {
  const all = [tiers.easy, tiers.medium, tiers.hard];
  return all.every(({ length }) => length === 1) ? all.flat() : null;
}

/** @param at starts of the steps, in milliseconds: what is too old by then is cold */
export function costTable(
  models: readonly Candidate[],
  session: Session,
  at: readonly number[],
  { providers }: TierSet,
): CostTable {
  const steps = session.length;
  const costs = models.map((model) => {
    const rules = cacheRulesOf(model.model);
    const provider = providers.get(model.provider);
    const prices = provider && priceListOf(provider, model.name, new Date(at[0] ?? 0).toISOString());
    if (!prices) throw new Error(`${model.name} has no price: give one with --prices`);
    const tokens = session.map((step) => tokensOn(model.model, step.needs.input).total);
    const table = new Float64Array(steps * (steps + 1));
    for (let t = 0; t < steps; t++) {
      const isKept = isPortable(session[t]?.carries ?? [], model);
      const output = Math.round((session[t]?.output ?? 0) * tokenFactor(model.model));
      for (let used = -1; used < t; used++) {
        const isAlive = used >= 0 && (at[t] ?? 0) - (at[used] ?? 0) < rules.default.seconds * 1_000;
        const warm = isAlive
          ? Math.min(cacheable(rules, tokens[used] ?? 0), cacheable(rules, tokens[t] ?? 0))
          : 0;
        const usd = requestCost({ prices, rules }, tokens[t] ?? 0, warm, output);
        table[t * (steps + 1) + used + 1] = isKept ? usd : Number.POSITIVE_INFINITY;
      }
    }
    return table;
  });
  return { steps, cost: (model, t, used) => costs[model]?.[t * (steps + 1) + used + 1] ?? 0 };
}

/** The steps that last used each model before step `t`, or -1. */
type Uses = readonly [number, number, number];

/** Least USD of a session by one who knows every floor and every pause to come. */
export function clairvoyant(table: CostTable, floors: readonly number[]): number {
  const { steps } = table;
  const side = steps + 1;
  const at = (u0: number, u1: number, u2: number) => ((u0 + 1) * side + u1 + 1) * side + u2 + 1;
  let later = new Float64Array(side ** MODELS);
  let values = new Float64Array(later.length);
  for (let t = steps - 1; t >= 0; t--) {
    forEachState(t, (u0, u1, u2) => {
      let least = Number.POSITIVE_INFINITY;
      for (let model = floors[t] ?? 0; model < MODELS; model++) {
        const used = model === 0 ? u0 : model === 1 ? u1 : u2;
        const next = at(model === 0 ? t : u0, model === 1 ? t : u1, model === 2 ? t : u2);
        least = Math.min(least, table.cost(model, t, used) + (later[next] ?? 0));
      }
      values[at(u0, u1, u2)] = least;
    });
    [later, values] = [values, later];
  }
  return later[at(-1, -1, -1)] ?? 0;
}

/** Chooses a model for step `t` at a floor, from what each model was last used by. */
export type Chooser = (t: number, floor: number, uses: Uses) => number;

/**
 * The informed optimum: exact dynamic programming by one who knows the session's steps and the chances of floors and
 * pauses, but not the draws.
 * @param table of the session without pauses
 * @param chances `expires`: whether a pause outlives each model's cache
 */
export function informed(
  table: CostTable,
  session: Session,
  chances: { follows: readonly (readonly number[])[]; gap: number; expires: readonly boolean[] },
): Chooser {
  const { steps } = table;
  const side = steps + 1;
  const place = (u0: number, u1: number, u2: number) => (((u0 + 1) * side + u1 + 1) * side + u2 + 1) * MODELS;
  // By step: expected USD from it on, by what the models were last used by and the floor before it.
  const values = Array.from({ length: steps + 1 }, () => new Float64Array(0));
  values[steps] = new Float64Array(side ** MODELS * MODELS);

  const choice = (t: number, floor: number, u0: number, u1: number, u2: number): [number, number] => {
    const later = values[t + 1] ?? new Float64Array(0);
    let best = floor;
    let least = Number.POSITIVE_INFINITY;
    for (let model = floor; model < MODELS; model++) {
      const used = model === 0 ? u0 : model === 1 ? u1 : u2;
      const next = place(model === 0 ? t : u0, model === 1 ? t : u1, model === 2 ? t : u2);
      const total = table.cost(model, t, used) + (later[next + floor] ?? 0);
      if (total < least) [best, least] = [model, total];
    }
    return [best, least];
  };

  for (let t = steps - 1; t > 0; t--) {
    const now = new Float64Array(side ** MODELS * MODELS);
    const gap = session[t]?.afterUser ? chances.gap : 0;
    const [ends0, ends1, ends2] = chances.expires;
    forEachState(t, (u0, u1, u2) => {
      const paused = [ends0 ? -1 : u0, ends1 ? -1 : u1, ends2 ? -1 : u2] as const;
      const expected = [0, 1, 2].map((floor) => {
        const steady = choice(t, floor, u0, u1, u2)[1];
        return gap === 0 ? steady : (1 - gap) * steady + gap * choice(t, floor, ...paused)[1];
      });
      const from = place(u0, u1, u2);
      chances.follows.forEach((row, before) => {
        now[from + before] = row.reduce((sum, chance, floor) => sum + chance * (expected[floor] ?? 0), 0);
      });
    });
    values[t] = now;
  }
  return (t, floor, [u0, u1, u2]) => choice(t, floor, u0, u1, u2)[0];
}

/** Every state before step `t`: one of the models was used by the step before, the others by any or none. */
function forEachState(t: number, visit: (u0: number, u1: number, u2: number) => void): void {
  if (t === 0) visit(-1, -1, -1);
  for (let last = 0; last < MODELS; last++) {
    for (let a = -1; a < t - 1; a++) {
      for (let b = -1; b < t - 1; b++) {
        if (last === 0) visit(t - 1, a, b);
        else if (last === 1) visit(a, t - 1, b);
        else visit(a, b, t - 1);
      }
    }
  }
}
