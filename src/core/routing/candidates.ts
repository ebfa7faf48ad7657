import { FluxError, invalidRequest } from '../errors.ts';
import type { Candidate } from './candidate.ts';
import { type Exclusion, excludedBy, type Needs } from './capability.ts';
import { findModel, isRetired, type Wire } from './catalog.ts';
import { fieldOn } from './field-names.ts';
import { rankOf } from './floor.ts';
import { type Carried, isPortable } from './portability.ts';
import { TIERS, type Tier } from './tier.ts';

const API_NAMES: Readonly<Record<Wire, string>> = {
  'anthropic-messages': "Anthropic's Messages API",
  'openai-responses': "OpenAI's Responses API",
  'openai-chat': "OpenAI's Chat Completions",
};

/** What decides which models can take a step. */
export interface CandidatesInput {
  tiers: Record<Tier, readonly Candidate[]>;
  needs: Needs;
  /** The client's wire, and the fields that only an upstream of the same wire can take. */
  wire: Wire;
  ownFields: readonly string[];
  /** Such fields too, but a step can do without them: they count only as long as somebody can take it. */
  spareFields?: readonly string[];
  /** What the turn carries that is some model's own. */
  carries: readonly Carried[];
  /** The client's own cap. */
  maxTier?: Tier;
  /** UTC day, `YYYY-MM-DD`, for retirement dates (T71). */
  today: string;
}

/** Why a model is no candidate of a step, in the order in which it is looked for. */
export type ExcludedBy = 'floor' | 'capped' | 'capability' | 'portability' | 'retired';

/** A configured model, as today's successor where it has retired, and why it can't take the step. */
export interface Considered {
  candidate: Candidate;
  /** The model in the settings, where it retired. */
  inPlaceOf: Candidate | null;
  excludedBy: ExcludedBy | null;
}

/** Every model of the tiers, cheapest tier first and in the order of the settings. */
export function consider(input: CandidatesInput, floor: Tier): Considered[] {
  const configured = TIERS.flatMap((tier) => input.tiers[tier]);
  const fits = (candidate: Candidate) => isInRange(candidate, floor, input.maxTier);
  // T67: filter first, adapt second. A forced tool choice becomes a request, and what the step can do without is left
  // out, only where nobody takes them.
  const strict = configured.some((one) => fits(one) && !exclude(current(one, input.today), input, false));
  return configured.map((one) => {
    const candidate = current(one, input.today);
    return {
      candidate,
      inPlaceOf: candidate === one ? null : one,
      excludedBy: reasonFor(candidate, input, floor, !strict),
    };
  });
}

function reasonFor(
  candidate: Candidate,
  input: CandidatesInput,
  floor: Tier,
  adapting: boolean,
): ExcludedBy | null {
  if (isRetired(candidate.model, input.today)) return 'retired';
  if (exclude(candidate, input, adapting)) return 'capability';
  if (!isPortable(input.carries, candidate)) return 'portability';
  if (isInRange(candidate, floor, input.maxTier)) return null;
  return candidate.tier !== null && rankOf(candidate.tier) < rankOf(floor) ? 'floor' : 'capped';
}

function isInRange({ tier }: Candidate, floor: Tier, highest: Tier = 'hard'): boolean {
  return tier !== null && rankOf(tier) >= rankOf(floor) && rankOf(tier) <= rankOf(highest);
}

/** The model, or on and after the day it retires its successor: never an outage (T71). */
export function current(candidate: Candidate, today: string): Candidate {
  const { model } = candidate;
  if (!isRetired(model, today) || model.successor === undefined) return candidate;
  const successor = findModel(model.kind, model.successor);
  return successor ? current({ ...candidate, name: successor.id, model: successor }, today) : candidate;
}

/**
 * The first reason a model can't take a step; `adapting`: a forced tool choice may become a request, and spare fields
 * be left out.
 */
export function exclude(
  { model }: Candidate,
  {
    needs,
    wire,
    ownFields,
    spareFields = [],
    today,
  }: Pick<CandidatesInput, 'needs' | 'wire' | 'ownFields' | 'spareFields' | 'today'>,
  adapting: boolean,
): Exclusion | null {
  if (isRetired(model, today)) {
    return {
      field: 'model',
      message: `${model.id} was retired on ${model.retires}. Use ${model.successor ?? 'auto'} or auto.`,
    };
  }
  const [field] = adapting ? ownFields : [...ownFields, ...spareFields];
  if (field !== undefined && model.wire !== wire) {
    return {
      field,
      message: `'${field}' only works on models behind ${API_NAMES[wire]}, and ${model.id} is not one: leave it out.`,
    };
  }
  const exclusion = excludedBy(model, needs, adapting);
  return exclusion && { ...exclusion, field: fieldOn(wire, exclusion.field) };
}

/** What the client is told where nobody can take a step: the field the last of those in range can't take. */
export function noCandidate(input: CandidatesInput, floor: Tier): FluxError {
  const inRange = TIERS.flatMap((tier) => input.tiers[tier])
    .filter((one) => isInRange(one, floor, input.maxTier))
    .map((one) => current(one, input.today));
  const last = inRange.at(-1);
  const exclusion = last && exclude(last, input, true);
  if (exclusion) {
    const who =
      inRange.length === 1 ? '' : ' No configured model at or above the floor of this step can take it.';
    return invalidRequest(`${exclusion.message}${who}`, exclusion.field, 'unsupported_value');
  }
  if (last) return notPortable(input, last);
  return new FluxError('No model is configured for this step: check FLUX_TIERS.', {
    status: 503,
    code: 'no_candidate',
  });
}

/** What the client is told where a turn can't go to a model without losing what it carries (T15). */
export function notPortable({ carries, wire }: CandidatesInput, to: Candidate): FluxError {
  const lost = carries.find((one) => !isPortable([one], to));
  const provider = lost?.producer?.provider ?? 'another provider';
  return invalidRequest(
    `The conversation carries what only ${provider} has, and ${to.name} is no model of it. Pin one of its models, or leave the stored object out.`,
    fieldOn(wire, 'messages'),
    'not_portable',
  );
}
