import type { InputSize } from '../core/accounting/estimate.ts';
import { askKindOf } from '../core/difficulty/ask-kind.ts';
import { classify, type Difficulty } from '../core/difficulty/scorer.ts';
import { isSame, keyOf } from '../core/routing/candidate.ts';
import { type Needs, needsOf } from '../core/routing/capability.ts';
import { type FailureSignal, failureSignals } from '../core/routing/failure-signals.ts';
import type { LaneView } from '../core/routing/lane-view.ts';
import { type Plan, planStep } from '../core/routing/plan.ts';
import { carriedBy } from '../core/routing/portability.ts';
import { ruleFor } from '../core/routing/rules.ts';
import { TIERS, type Tier } from '../core/routing/tier.ts';
import { modelsFor } from './budget.ts';
import { handedFor } from './handover.ts';
import { quoteOnce } from './known-quotes.ts';
import type { Ledger } from './ledger.ts';
import type { Ports } from './ports.ts';
import type { StepSettings } from './settings.ts';
import type { StepRequest } from './step-request.ts';
import { identify, laneView, type StepState, withThinkers } from './step-state.ts';
import { thoughtsOn } from './thoughts.ts';

/** What is known of a request by itself, before its session is asked. */
export interface AssessedRequest {
  request: StepRequest;
  settings: StepSettings;
  difficulty: Difficulty;
  needs: Needs;
  classificationMs: number | null;
  state: StepState;
}

/** What is known of a request once it is planned, and before anything is sent. */
export interface PlannedRequest extends AssessedRequest {
  input: InputSize;
  lane: LaneView;
  failureSignals: FailureSignal[];
  plan: Plan;
}

/** A planned request on its way. */
export interface PlannedStep extends PlannedRequest {
  ports: Ports;
  ledger: Ledger;
}

/** Classifies a request, and finds out whose it is. */
export function assess(
  request: StepRequest,
  given: StepSettings,
  { clock, summaries }: Pick<Ports, 'clock' | 'summaries'>,
): AssessedRequest {
  const canSum = summaries !== undefined || given.handover !== 'summary';
  const settings: StepSettings = canSum ? given : { ...given, handover: 'auto' };
  const before = clock.cpu();
  const difficulty = classify(request.conversation);
  const after = clock.cpu();
  const needs = needsOf(request.conversation);
  return {
    ...{ request, settings, difficulty, needs },
    classificationMs: before === null || after === null ? null : after - before,
    state: identify(request, needs, difficulty.housekeeping !== null),
  };
}

/**
 * Plans a request.
 * @param explain quote every model in range, also where there is nothing to choose
 * @throws FluxError 400 that names the field no candidate can take
 */
export function planRequest(assessed: AssessedRequest, explain = false): PlannedRequest {
  const { settings, difficulty, needs, state } = assessed;
  const request = withThinkers(assessed.request, state);
  const rule =
    settings.rules &&
    ruleFor(settings.rules, { kind: askKindOf(difficulty), tags: request.tags, path: request.path });
  const lane = { ...laneView(state, request, settings), ...thinkingIn({ ...assessed, request }) };
  const signals = difficulty.housekeeping
    ? []
    : failureSignals(request.conversation, state.found?.lane.last ?? null);
  const plan = planStep({
    wish: request.wish,
    tiers: settings.tiers,
    difficulty,
    needs,
    wire: request.wire,
    ownFields: request.ownFields,
    ...(request.spareFields ? { spareFields: request.spareFields } : {}),
    mode: settings.mode,
    providers: settings.providers,
    carries: carriedBy(request.conversation.messages, request.wire),
    lane,
    at: request.startedAt,
    explain,
    // What is explained is quoted for just this size.
    ...(explain ? {} : { quoting: quoteOnce }),
    // What went wrong may have gone wrong for what was left out.
    handed: signals.length > 0 ? undefined : handedFor({ ...assessed, request }),
    ...(signals.length > 0 ? { raisedTo: tierAbove(lane, settings, difficulty.label) } : {}),
    ...(request.maxTier ? { maxTier: request.maxTier } : {}),
    ...(rule ? { rule } : {}),
  });
  return { ...assessed, request, input: needs.input, lane, failureSignals: signals, plan };
}

/** What the models that may be chosen are given back of what they thought. */
function thinkingIn(assessed: AssessedRequest): Pick<LaneView, 'thinking'> {
  const { settings, state, request } = assessed;
  if (!state.thoughts?.size) return {};
  const models = modelsFor({ ...request, maxTier: 'hard' }, settings);
  const tokens = models.map((one) => [keyOf(one), thoughtsOn(assessed, one)?.tokens ?? 0] as const);
  return { thinking: Object.fromEntries(tokens) };
}

/** One tier above the model that went wrong; above what the step seems to need, where nobody knows which that was. */
function tierAbove({ served }: LaneView, { tiers }: StepSettings, label: Tier): Tier {
  const failed = served && TIERS.find((tier) => tiers[tier].some((one) => isSame(one, served)));
  return TIERS[Math.min(TIERS.length - 1, TIERS.indexOf(failed ?? label) + 1)] ?? 'hard';
}
