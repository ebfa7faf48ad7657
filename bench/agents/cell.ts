import { priceListOf } from '../../src/core/accounting/price-book.ts';
import { inputTokens } from '../../src/core/accounting/usage.ts';
import { cacheRulesOf } from '../../src/core/context/cache-rules.ts';
import { measuringCost } from '../../src/core/replay/measuring.ts';
import { closeLane, openLane, POLICIES, type Policy, replayStep } from '../../src/core/replay/replay.ts';
import { type Candidate, keyOf } from '../../src/core/routing/candidate.ts';
import { excludedBy } from '../../src/core/routing/capability.ts';
import { NO_EXPERIENCE } from '../../src/core/routing/experience.ts';
import { rankOf } from '../../src/core/routing/floor.ts';
import { isPortable } from '../../src/core/routing/portability.ts';
import { type Chances, drawSession, tierAt, transitions } from './chain.ts';
import { clairvoyant, costTable, informed, LONGEST, modelsOf } from './optimum.ts';
import { carrying, type Session } from './sessions.ts';
import type { TierSet } from './tier-sets.ts';

/** One policy in a cell. */
export interface PolicyFigures {
  cost_usd: number;
  vs_top: number;
  vs_clairvoyant: number | null;
  vs_informed: number | null;
  /** Steps on another model than the step before. */
  switches: number;
  /** Steps under their floor, on a model that can't take them, or where a part of the turn is lost. */
  unsafe: number;
  hit_rate: number;
  /** With what measuring and running the router takes. */
  net_vs_top: number;
}

export interface CellFigures {
  policies: Record<Policy, PolicyFigures>;
  /** The router's cost over the clairvoyant's, by draw: their mean and half of its 95 % interval. */
  interval: number | null;
}

interface Tally {
  usd: number;
  input: number;
  read: number;
  switches: number;
  unsafe: number;
}

/** Policies that ignore floors on purpose: what they save is no saving. */
const FLOORLESS: ReadonlySet<Policy> = new Set(['cheapest_cached']);
const ROUTED: ReadonlySet<Policy> = new Set(['tiers_uncached', 'tiers_cached', 'greedy', 'flux']);
/** FLUX_ORACLE_SHARE unless set. */
const ORACLE_SHARE = 0.1;

/**
 * Replays the sessions under every policy, so many times over, and what the best possible would have cost.
 * @param replay sends a step through the policies: what it leaves out of account is counted as unsafe all the same
 */
export function runCell(
  set: TierSet,
  plain: readonly Session[],
  chances: Chances,
  { draws, seed, replay = replayStep }: { draws: number; seed: number; replay?: typeof replayStep },
): CellFigures {
  const sessions = plain.map((session, index) => carrying(session, index, set.baseline));
  const tallies = new Map(
    POLICIES.map((policy) => [policy, { usd: 0, input: 0, read: 0, switches: 0, unsafe: 0 }]),
  );
  const drawn = (draw: number, index: number) => {
    const session = sessions[index];
    return session ? drawSession(session, chances, seed + draw * 100_003 + index) : { floors: [], at: [] };
  };
  let customers = NO_EXPERIENCE;
  let steps = 0;
  const byDraw: number[] = [];
  for (let draw = 0; draw < draws; draw++) {
    const before = tallies.get('flux')?.usd ?? 0;
    sessions.forEach((session, index) => {
      const { floors, at } = drawn(draw, index);
      const lane = openLane();
      const last = new Map<Policy, Candidate>();
      session.forEach((step, t) => {
        const floor = floors[t] ?? 0;
        const difficulty = { ...step.difficulty, label: tierAt(floor), housekeeping: null };
        const { charges } = replay(lane, { ...step, difficulty, at: at[t] ?? step.at }, customers, set);
        for (const policy of POLICIES) {
          const { candidate, usage, usd } = charges[policy];
          const tally = tallies.get(policy);
          if (!tally) continue;
          if (usd === null) throw new Error(`${keyOf(candidate)} has no price: give one with --prices`);
          tally.usd += usd;
          tally.read += usage.read;
          tally.input += inputTokens(usage);
          const before = last.get(policy);
          if (before && keyOf(before) !== keyOf(candidate)) tally.switches += 1;
          const isUnder = !FLOORLESS.has(policy) && rankOf(candidate.tier ?? 'easy') < floor;
          const isAble = !excludedBy(candidate.model, step.needs, true);
          if (isUnder || !isAble || !isPortable(step.carries, candidate)) tally.unsafe += 1;
          last.set(policy, candidate);
        }
        steps += 1;
      });
      customers = closeLane(lane, customers);
    });
    byDraw.push((tallies.get('flux')?.usd ?? 0) - before);
  }
  const best = optimum(set, sessions, chances, draws, drawn);
  const usdOf = (policy: Policy) => tallies.get(policy)?.usd ?? 0;
  const top = usdOf('top_cached');
  const [judge] = set.tiers.easy;
  const judgeProvider = judge && set.providers.get(judge.provider);
  const judgePrices = judge && judgeProvider ? priceListOf(judgeProvider, judge.name, dayOf(sessions)) : null;
  const figures = (policy: Policy, { usd, input, read, switches, unsafe }: Tally): PolicyFigures => {
    const { oracle_usd, infra_usd } = measuringCost(
      { top, routed: usd, cheapest: usdOf('cheapest_cached') },
      steps,
      judgePrices,
      ORACLE_SHARE,
    );
    return {
      ...{ cost_usd: usd, vs_top: usd / top },
      vs_clairvoyant: best && usd / best.clairvoyant,
      vs_informed: best?.informed ? usd / best.informed : null,
      ...{ switches, unsafe, hit_rate: input === 0 ? 0 : read / input },
      net_vs_top: (ROUTED.has(policy) ? usd + oracle_usd + infra_usd : usd) / top,
    };
  };
  return {
    policies: Object.fromEntries(
      [...tallies].map(([policy, tally]) => [policy, figures(policy, tally)]),
    ) as CellFigures['policies'], // one entry for each of POLICIES
    interval: best && halfInterval(byDraw.map((usd, draw) => usd / (best.byDraw[draw] ?? 1))),
  };
}

/** The day the sessions begin, so that a bench of the same traces says the same on any day. */
function dayOf(sessions: readonly Session[]): string {
  return new Date(sessions[0]?.[0]?.at ?? 0).toISOString();
}

interface Optimum {
  clairvoyant: number;
  byDraw: number[];
  /** Null where floors are not drawn from a chain. */
  informed: number | null;
}

function optimum(
  set: TierSet,
  sessions: readonly Session[],
  chances: Chances,
  draws: number,
  drawn: (draw: number, index: number) => { floors: readonly number[]; at: readonly number[] },
): Optimum | null {
  const models = modelsOf(set);
  if (!models || sessions.some(({ length }) => length > LONGEST)) return null;
  const found: Optimum = { clairvoyant: 0, byDraw: Array(draws).fill(0), informed: chances.mix ? 0 : null };
  const expires = models.map(({ model }) => cacheRulesOf(model).default.seconds * 1_000 <= chances.pause);
  const known = { follows: transitions(chances), gap: chances.gap, expires };
  sessions.forEach((session, index) => {
    const steady = costTable(
      models,
      session,
      session.map(({ at }) => at),
      set,
    );
    const chooser = chances.mix && informed(steady, session, known);
    for (let draw = 0; draw < draws; draw++) {
      const { floors, at } = drawn(draw, index);
      const table = costTable(models, session, at, set);
      const usd = clairvoyant(table, floors);
      found.clairvoyant += usd;
      found.byDraw[draw] = (found.byDraw[draw] ?? 0) + usd;
      if (!chooser || found.informed === null) continue;
      const uses: [number, number, number] = [-1, -1, -1];
      floors.forEach((floor, t) => {
        if (t > 0 && (at[t] ?? 0) - (at[t - 1] ?? 0) >= chances.pause) {
          for (const model of [0, 1, 2] as const) if (expires[model]) uses[model] = -1;
        }
        const model = chooser(t, floor, uses);
        found.informed = (found.informed ?? 0) + table.cost(model, t, uses[model] ?? -1);
        uses[model] = t;
      });
    }
  });
  return found;
}

/** Half the width of the mean's 95 % interval, by the draws' spread. */
function halfInterval(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  return 1.96 * Math.sqrt(variance / values.length);
}
