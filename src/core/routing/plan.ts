import type { Difficulty } from '../difficulty/scorer.ts';
import { FluxError, invalidRequest } from '../errors.ts';
import type { Reason } from '../metadata.ts';
import { type Exclusion, excludedBy, type Needs } from './capability.ts';
import { type CatalogModel, findModel, isRetired } from './catalog.ts';
import type { Rule } from './rules.ts';
import { TIERS, type Tier } from './tier.ts';

/** A model a step may be sent to. `tier` is null for a pinned model outside every tier. */
export interface Candidate {
  /** The id of its provider in the settings. */
  provider: string;
  /** The model's name as configured: what is sent upstream and shown. */
  name: string;
  model: CatalogModel;
  tier: Tier | null;
}

/** What the client asked for in `model`. */
export type Wish = { kind: 'auto' } | { kind: 'tier'; tier: Tier } | { kind: 'pinned'; candidate: Candidate };

export interface PlanInput {
  wish: Wish;
  tiers: Record<Tier, readonly Candidate[]>;
  difficulty: Difficulty;
  needs: Needs;
  /** Fields that only Chat Completions upstream can take. */
  chatOnly: readonly string[];
  /** `certified` opens no tier without a certificate, and none can exist yet: it serves like `observe`. */
  mode: 'observe' | 'route' | 'certified';
  /** The client's own cap (X-FluxCompute-Max-Tier). */
  maxTier?: Tier;
  /** The customer's rule that holds for this step. */
  rule?: Rule;
  /** UTC day, `YYYY-MM-DD`, for retirement dates (T71). */
  today: string;
}

/** The models to try, in order, and why the first of them. */
export interface Plan {
  candidates: [Candidate, ...Candidate[]];
  floor: Tier;
  reason: Reason;
}

/**
 * Chooses the models for a step: those at or above its floor that can take it, lowest tier first, in the order
 * of the settings.
 * @throws FluxError 400 that names the field no candidate can take.
 */
export function planStep(input: PlanInput): Plan {
  const { wish } = input;
  if (wish.kind === 'pinned') {
    const exclusion = exclude(wish.candidate, input, true);
    if (exclusion) throw invalidRequest(exclusion.message, exclusion.field, 'unsupported_value');
    const floor = wish.candidate.tier ?? input.difficulty.label;
    return { candidates: [wish.candidate], floor, reason: 'pinned' };
  }
  const { floor, reason } = floorOf(input);
  const highest = input.maxTier ?? 'hard';
  const configured = TIERS.slice(TIERS.indexOf(floor), TIERS.indexOf(highest) + 1).flatMap(
    (tier) => input.tiers[tier],
  );
  const reachable = configured.map((candidate) => current(candidate, input.today));
  const capable = reachable.filter((candidate) => !exclude(candidate, input, false));
  const able =
    capable.length > 0 ? capable : reachable.filter((candidate) => !exclude(candidate, input, true));
  const ruled = ruledModel(input);
  if (ruled) {
    const others = able.filter((candidate) => !isSame(candidate, ruled));
    return { candidates: [ruled, ...others], floor: ruled.tier ?? floor, reason: 'rule' };
  }
  const [first, ...rest] = able;
  if (!first) throw noCandidate(reachable, input);
  if (first !== reachable[0]) return { candidates: [first, ...rest], floor, reason: 'capability' };
  return { candidates: [first, ...rest], floor, reason: first === configured[0] ? reason : 'health' };
}

/** The model of the customer's rule, where the client left the choice to us and the model can take the step. */
function ruledModel(input: PlanInput): Candidate | undefined {
  if (input.wish.kind !== 'auto' || !input.rule || !('candidate' in input.rule.to)) return undefined;
  const ruled = current(input.rule.to.candidate, input.today);
  const tooHigh =
    input.maxTier !== undefined &&
    ruled.tier !== null &&
    TIERS.indexOf(ruled.tier) > TIERS.indexOf(input.maxTier);
  return tooHigh || exclude(ruled, input, true) ? undefined : ruled;
}

function isSame(a: Candidate, b: Candidate): boolean {
  return a.provider === b.provider && a.name === b.name;
}

/** The model, or on and after the day it retires its successor: never an outage (T71). */
function current(candidate: Candidate, today: string): Candidate {
  const { model } = candidate;
  if (!isRetired(model, today) || model.successor === undefined) return candidate;
  const successor = findModel(model.kind, model.successor);
  return successor ? current({ ...candidate, name: successor.id, model: successor }, today) : candidate;
}

function floorOf(input: PlanInput): { floor: Tier; reason: Reason } {
  const wanted = wantedFloor(input);
  if (input.maxTier && TIERS.indexOf(wanted.floor) > TIERS.indexOf(input.maxTier)) {
    return { floor: input.maxTier, reason: 'capped' };
  }
  return wanted;
}

function wantedFloor(input: PlanInput): { floor: Tier; reason: Reason } {
  if (input.wish.kind === 'tier') return { floor: input.wish.tier, reason: 'forced_tier' };
  // A customer's own decision holds in every mode.
  if (input.rule && 'floor' in input.rule.to) return { floor: input.rule.to.floor, reason: 'rule' };
  // T9: probes, titles and compaction are not the agent's work, in any mode.
  if (input.difficulty.housekeeping) return { floor: 'easy', reason: 'housekeeping' };
  if (input.mode !== 'route') return { floor: 'hard', reason: 'observe' };
  return { floor: input.difficulty.label, reason: 'floor' };
}

function exclude(candidate: Candidate, input: PlanInput, adapting: boolean): Exclusion | null {
  const { model } = candidate;
  if (isRetired(model, input.today)) {
    return {
      field: 'model',
      message: `${model.id} was retired on ${model.retires}. Use ${model.successor ?? 'auto'} or auto.`,
    };
  }
  const chatOnly = input.chatOnly[0];
  if (chatOnly !== undefined && model.wire !== 'openai-chat') {
    return {
      field: chatOnly,
      message: `'${chatOnly}' only works on models behind OpenAI's Chat Completions, and ${model.id} is not one: leave it out.`,
    };
  }
  return excludedBy(model, input.needs, adapting);
}

function noCandidate(reachable: readonly Candidate[], input: PlanInput): FluxError {
  const last = reachable.at(-1);
  const exclusion = last && exclude(last, input, true);
  if (!exclusion) {
    return new FluxError('No model is configured for this step: check FLUX_TIERS.', {
      status: 503,
      code: 'no_candidate',
    });
  }
  const who =
    reachable.length === 1 ? '' : ' No configured model at or above the floor of this step can take it.';
  return invalidRequest(`${exclusion.message}${who}`, exclusion.field, 'unsupported_value');
}
