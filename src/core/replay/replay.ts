import { levelStarts, tokensOn } from '../accounting/estimate.ts';
import type { PricedProvider } from '../accounting/price-book.ts';
import { inputTokens } from '../accounting/usage.ts';
import type { CachePart, CacheParts } from '../context/cache-parts.ts';
import { cacheRulesOf } from '../context/cache-rules.ts';
import { COLD, cacheable, losingParts, observe, type PrefixState } from '../context/prefix-state.ts';
import { type Candidate, keyOf } from '../routing/candidate.ts';
import { consider } from '../routing/candidates.ts';
import {
  type Experience,
  type LivedStep,
  NO_EXPERIENCE,
  together,
  withEnd,
  withStep,
} from '../routing/experience.ts';
import { floorOf } from '../routing/floor.ts';
import { type Plan, planStep } from '../routing/plan.ts';
import type { Tier } from '../routing/tier.ts';
import { type Charge, type ChargedRequest, charge, chargeUncached } from './charge.ts';
import type { LoggedStep } from './logged-step.ts';

/** What economics.md compares, the cheapest way to pay for one model first. */
export const POLICIES = [
  'top_uncached',
  'top_cached',
  'cheapest_cached',
  'compression',
  'tiers_uncached',
  'tiers_cached',
  'greedy',
  'flux',
] as const;
export type Policy = (typeof POLICIES)[number];

/** What a log is replayed on. */
export interface ReplaySettings {
  tiers: Record<Tier, readonly Candidate[]>;
  providers: ReadonlyMap<string, PricedProvider>;
  /** What the other policies are held against. */
  baseline: Candidate;
}

/** One lane of a log on its way through all policies. Each has caches of its own. */
export interface ReplayLane {
  number: number;
  caches: Record<Policy, PrefixState>;
  /** What the router has seen of them. */
  prefixes: PrefixState;
  served: Candidate | null;
  experience: Experience;
  before: LivedStep | null;
  /** Of the last step's request, what may lose a cache; null before the first. */
  parts: CacheParts | null;
  compressedFrom: number | null;
}

export function openLane(): ReplayLane {
  return {
    number: 1,
    // The keys of the literal are exactly the policies.
    caches: Object.fromEntries(POLICIES.map((policy) => [policy, COLD])) as Record<Policy, PrefixState>,
    prefixes: COLD,
    served: null,
    experience: NO_EXPERIENCE,
    before: null,
    parts: null,
    compressedFrom: null,
  };
}

/** A step under every policy, and the router's plan for it. */
export interface ReplayedStep {
  plan: Plan;
  charges: Record<Policy, Charge>;
  /** In what its request differs from the one before it so that the baseline's model loses of its cache. */
  lost: readonly CachePart[];
}

/**
 * Sends a step through every policy, the real planner among them, and moves the lane on.
 * @param customers what the lanes before this one have shown: the planner knows nothing else of what is to come
 * @throws FluxError where no configured model can take the step
 */
export function replayStep(
  lane: ReplayLane,
  step: LoggedStep,
  customers: Experience,
  settings: ReplaySettings,
): ReplayedStep {
  const { tiers, providers, baseline } = settings;
  const routed = {
    ...{ wish: { kind: 'auto' as const }, mode: 'route' as const, difficulty: step.difficulty },
    ...{ tiers, needs: step.needs, wire: 'openai-chat' as const, ownFields: [], carries: step.carries },
  };
  const { number, prefixes, served, experience } = lane;
  const plan = planStep({
    ...routed,
    ...{ providers, at: step.at },
    lane: { number, prefixes, parts: step.parts, served, experience, customers, trailing: true },
  });
  const today = new Date(step.at).toISOString().slice(0, 10);
  const able = (floor: Tier) =>
    consider({ ...routed, today }, floor).flatMap(({ candidate, excludedBy }) =>
      excludedBy ? [] : candidate,
    );
  const { at, output, parts } = step;
  const request: ChargedRequest = { input: step.needs.input, at, output, parts };
  const on = (policy: Policy, candidate: Candidate) => {
    const { caches, ...charged } = charge(candidate, request, lane.caches[policy], providers);
    lane.caches[policy] = caches;
    return charged;
  };
  const atFloor = able(floorOf(routed).tier);
  const [first = plan.candidates[0]] = atFloor;
  const [cheapest = first] = able('easy');
  const nowOn = (candidate: Candidate) =>
    charge(candidate, request, lane.caches.greedy, providers).usd ?? Number.MAX_VALUE;
  const charges = {
    top_uncached: chargeUncached(baseline, request, providers),
    top_cached: on('top_cached', baseline),
    cheapest_cached: on('cheapest_cached', cheapest),
    compression: compressedCharge(lane, step, settings),
    tiers_uncached: chargeUncached(first, request, providers),
    tiers_cached: on('tiers_cached', first),
    greedy: on(
      'greedy',
      atFloor.reduce((best, one) => (nowOn(one) < nowOn(best) ? one : best), first),
    ),
    flux: on('flux', plan.candidates[0]),
  };
  const lost = losingParts(lane.parts ?? parts, parts, cacheRulesOf(baseline.model));
  moveOn(lane, step, plan, charges.flux);
  return { plan, charges, lost };
}

/** What a lane that has ended adds to what its customer's lanes have shown. */
export function closeLane(lane: ReplayLane, customers: Experience): Experience {
  return together(customers, withEnd(lane.experience, lane.number - 1));
}

/** The baseline's model on a prompt without its middle: a moved cut keeps only the head warm (T24). */
function compressedCharge(
  lane: ReplayLane,
  step: LoggedStep,
  { baseline, providers }: ReplaySettings,
): Charge {
  const { compressed } = step;
  const isMoved = (compressed?.from ?? null) !== lane.compressedFrom;
  lane.compressedFrom = compressed?.from ?? null;
  const head =
    compressed && cacheable(cacheRulesOf(baseline.model), tokensOn(baseline.model, compressed.head).total);
  const { caches, ...charged } = charge(
    baseline,
    { ...step, input: compressed?.input ?? step.needs.input },
    lane.caches.compression,
    providers,
    isMoved && head !== null ? head : undefined,
  );
  lane.caches.compression = caches;
  return charged;
}

function moveOn(lane: ReplayLane, step: LoggedStep, plan: Plan, { candidate, usage }: Charge): void {
  const { input } = step.needs;
  const lived: LivedStep = {
    floor: plan.floor,
    tokens: input.total.text,
    output: step.output,
    blocks: input.blocks,
    at: step.at / 1_000,
    number: lane.number,
  };
  lane.experience = withStep(lane.experience, lived, lane.before);
  lane.before = lived;
  lane.parts = step.parts;
  lane.prefixes = observe(
    lane.prefixes,
    keyOf(candidate),
    cacheRulesOf(candidate.model),
    {
      ...{ tokens: inputTokens(usage), blocks: input.blocks, at: step.at / 1_000, trailing: true },
      ...{ parts: step.parts, before: levelStarts(candidate.model, input) },
    },
    usage,
  );
  lane.served = candidate;
  lane.number += 1;
}
