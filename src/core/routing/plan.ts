import type { PricedProvider } from '../accounting/price-book.ts';
import type { HandedContext } from '../context/handed-context.ts';
import { invalidRequest } from '../errors.ts';
import type { Reason } from '../metadata.ts';
import { type Candidate, isSame } from './candidate.ts';
import {
  type CandidatesInput,
  type Considered,
  consider,
  current,
  exclude,
  noCandidate,
  notPortable,
} from './candidates.ts';
import { type Floor, type FloorInput, floorOf, rankOf } from './floor.ts';
import type { LaneView } from './lane-view.ts';
import { isPortable } from './portability.ts';
import { type Quote, type QuoteInput, type Quoting, quoteStep } from './quotes.ts';
import type { Tier } from './tier.ts';

export type { Candidate, Wish } from './candidate.ts';

export interface PlanInput extends FloorInput, Omit<CandidatesInput, 'today' | 'maxTier'> {
  /** As configured: their own prices count before the book's. */
  providers: ReadonlyMap<string, PricedProvider>;
  lane: LaneView;
  /** Start of the request, in milliseconds since the epoch. */
  at: number;
  /** Quote every model, also where there is nothing to choose. */
  explain?: boolean;
  /** Who makes the quotes; absent: {@link quoteStep}. */
  quoting?: Quoting;
  /** What a model of a tier would be handed, where that may be less than all (quotes.ts). */
  handed?: QuoteInput['handed'];
}

/** The models to try, in order, why the first of them, and what each would cost. */
export interface Plan {
  candidates: [Candidate, ...Candidate[]];
  floor: Tier;
  reason: Reason;
  considered: readonly Considered[];
  /** Of those that can take the step and have a price. */
  quotes: readonly Quote[];
  /** Of the candidates, those that are handed less than the whole, with what they are. */
  handed: ReadonlyMap<Candidate, HandedContext>;
}

/** What counts as noise: a total that is less than this share above the least. */
export const MARGIN = 0.01;

/**
 * Chooses the model for a step: of all at or above its floor that can take it the one that costs least from here on.
 * Among totals within a hundredth of the least it stays with the model that answered last, else takes the first in the
 * order of the settings. A model without a price is taken only where it stands first.
 * @throws FluxError 400 that names the field no candidate can take.
 */
export function planStep(input: PlanInput): Plan {
  const { wish, lane, providers } = input;
  const among = { ...input, today: new Date(input.at).toISOString().slice(0, 10) };
  const floor = floorOf(input);
  const considered = consider(among, floor.tier);
  const inRange = considered
    .filter(({ excludedBy }) => excludedBy === null)
    // A model may stand in two tiers, or beside the retired one it takes the place of.
    .filter(
      ({ candidate }, index, all) => index === all.findIndex((one) => isSame(one.candidate, candidate)),
    );
  const eligible = inRange.map(({ candidate }) => candidate);
  const further = considered.filter(({ excludedBy }) => excludedBy === 'floor' && !floor.lasting);
  const only = wish.kind === 'pinned' ? pinned(wish.candidate, among) : ruledModel(input, among);
  const candidates = only && !eligible.some((one) => isSame(one, only)) ? [only, ...eligible] : eligible;
  const isCuttable = input.handed !== undefined && eligible.some(({ tier }) => tier !== 'hard');
  const isDecided = only !== undefined || (eligible.length < 2 && !isCuttable);
  const quotes =
    isDecided && !input.explain
      ? []
      : (input.quoting ?? quoteStep)(
          candidates,
          further.map(({ candidate }) => candidate),
          {
            ...{ providers, lane, at: input.at, input: input.needs.input, floor: floor.tier },
            // A model that was named gets what was sent.
            handed: only ? undefined : input.handed,
          },
          // T9: a harness's own call is no step of the lane: nothing follows it.
          input.difficulty.housekeeping !== null,
        );
  const plan = { considered, quotes, handed: NONE_HANDED };
  if (only && wish.kind === 'pinned') {
    return { ...plan, candidates: [only], floor: only.tier ?? input.difficulty.label, reason: 'pinned' };
  }
  if (only) {
    const others = inOrder(eligible, quotes).filter((one) => !isSame(one, only));
    return { ...plan, candidates: [only, ...others], floor: only.tier ?? floor.tier, reason: 'rule' };
  }
  const [preferred] = inRange;
  if (!preferred) throw noCandidate(among, floor.tier);
  const { candidate: chosen, isHanded } = choose(preferred.candidate, quotes, lane);
  const others = inOrder(eligible, quotes).filter((one) => one !== chosen);
  const handed = handedTo(chosen, isHanded, quotes);
  const isMoved = chosen !== preferred.candidate && floor.reason !== 'capped';
  const reason = isMoved ? movedBy(chosen, lane) : reasonOf(preferred, considered, floor);
  return { ...plan, handed, candidates: [chosen, ...others], floor: floor.tier, reason };
}

const NONE_HANDED: Plan['handed'] = new Map();

interface Choice {
  candidate: Candidate;
  isHanded: boolean;
}

/** The model that costs least from here on, noise left out; less than the whole only where that is no noise. */
function choose(preferred: Candidate, quotes: readonly Quote[], { served }: LaneView): Choice {
  const whole = { candidate: preferred, isHanded: false };
  if (!quotes.some(({ candidate }) => candidate === preferred)) return whole;
  const options = quotes.flatMap(({ candidate, total, handed }) => [
    { candidate, total, isHanded: false },
    ...(handed ? [{ candidate, total: handed.total, isHanded: true }] : []),
  ]);
  const least = Math.min(...options.map(({ total }) => total));
  const near = options.filter(({ total }) => total <= least * (1 + MARGIN));
  const lossless = near.filter(({ isHanded }) => !isHanded);
  const alike = lossless.length > 0 ? lossless : near;
  const staying = alike.find(({ candidate }) => served && isSame(candidate, served));
  return staying ?? alike[0] ?? whole;
}

/** Who is handed less: the chosen one as it was chosen, each of the others where that costs it less than the whole. */
function handedTo(chosen: Candidate, isHanded: boolean, quotes: readonly Quote[]): Plan['handed'] {
  const less = quotes.flatMap(({ candidate, total, handed }) => {
    if (!handed) return [];
    const isLess = candidate === chosen ? isHanded : handed.total * (1 + MARGIN) < total;
    return isLess ? [[candidate, handed.context] as const] : [];
  });
  return less.length > 0 ? new Map(less) : NONE_HANDED;
}

/** Why the first in order is taken: what made the floor, or what took the one before it out of the way. */
function reasonOf(preferred: Considered, considered: readonly Considered[], floor: Floor): Reason {
  // Under what the step needs: no evidence and no saving, whatever else was passed over.
  if (floor.reason === 'capped') return 'capped';
  const before = considered.slice(0, considered.indexOf(preferred));
  const passed = before.find(
    // What is under the floor would not have been taken anyway.
    ({ candidate: { tier } }) => tier !== null && rankOf(tier) >= rankOf(floor.tier),
  )?.excludedBy;
  if (passed === 'portability') return 'portability';
  if (passed === 'capability') return 'capability';
  return passed === 'retired' || preferred.inPlaceOf ? 'health' : floor.reason;
}

/** Why another than the first in order is taken. */
function movedBy(chosen: Candidate, { served }: LaneView): Reason {
  return served && isSame(chosen, served) ? 'stay_warm' : 'cheapest_ahead';
}

/** Cheapest from here on first; what has no price comes last, in the order of the settings. */
function inOrder(candidates: readonly Candidate[], quotes: readonly Quote[]): Candidate[] {
  const totals = new Map(
    quotes.map(({ candidate, total, handed }) => [candidate, Math.min(total, handed?.total ?? total)]),
  );
  const total = (candidate: Candidate) => totals.get(candidate) ?? Number.MAX_VALUE;
  return candidates.toSorted((a, b) => total(a) - total(b));
}

/** The model the client named, if it can take the step. */
function pinned(candidate: Candidate, among: CandidatesInput): Candidate {
  const exclusion = exclude(candidate, among, true);
  if (exclusion) throw invalidRequest(exclusion.message, exclusion.field, 'unsupported_value');
  if (!isPortable(among.carries, candidate)) throw notPortable(among, candidate);
  return candidate;
}

/** The model of the customer's rule, where the client left the choice to us and the model can take the step. */
function ruledModel({ wish, rule, maxTier }: PlanInput, among: CandidatesInput): Candidate | undefined {
  if (wish.kind !== 'auto' || !rule || !('candidate' in rule.to)) return undefined;
  const ruled = current(rule.to.candidate, among.today);
  // Outside the tiers nobody says that it is not.
  const tooHigh = maxTier !== undefined && (ruled.tier === null || rankOf(ruled.tier) > rankOf(maxTier));
  if (tooHigh || exclude(ruled, among, true) || !isPortable(among.carries, ruled)) return undefined;
  return ruled;
}
