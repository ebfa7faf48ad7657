import type { Context } from 'hono';
import { roundUsd } from '../../core/accounting/cost.ts';
import { PRICE_BOOK_VERSION } from '../../core/accounting/price-book.ts';
import { TOKEN_CLASSES, type TokenClass, type Usage, usageOf } from '../../core/accounting/usage.ts';
import { OPENAI_CHAT } from '../../core/dialects/openai-chat/dialect.ts';
import type { ContextMetadata, Reason } from '../../core/metadata.ts';
import type { Adaptation } from '../../core/routing/adaptation.ts';
import { isSame, keyOf } from '../../core/routing/candidate.ts';
import type { Considered, ExcludedBy } from '../../core/routing/candidates.ts';
import { forecast, LAST_STEP } from '../../core/routing/forecast.ts';
import type { Candidate } from '../../core/routing/plan.ts';
import { type HandedQuote, type Quote, quote } from '../../core/routing/quotes.ts';
import type { Tier } from '../../core/routing/tier.ts';
import { contextMetadata } from '../../pipeline/handover.ts';
import { assess, type PlannedRequest, planRequest } from '../../pipeline/planned-step.ts';
import { prepareCall, wishesFor } from '../../pipeline/prepared-call.ts';
import { PROFILE } from '../../pipeline/settle.ts';
import { peekState } from '../../pipeline/step-state.ts';
import { answersOf, recallThoughts } from '../../pipeline/thoughts.ts';
import { portsOf } from '../answer-step.ts';
import type { AppEnv } from '../context.ts';
import { readStep } from '../step-request.ts';

/** The plan of a step that is not made. Fields and units: docs/api.md. */
export interface RoutePlan {
  plan: {
    provider: string;
    model: string;
    tier: Tier | null;
    floor: Tier;
    reason: Reason;
    switch: boolean;
  };
  difficulty: { score: number; label: Tier; unknown: boolean; signals: Record<string, number> };
  candidates: RouteCandidate[];
  baseline: { model: string; now_usd: number | null };
  adapted: Adaptation[];
  basis: 'prior' | 'measured' | 'certified';
  profile_version: number;
  price_book: string;
}

/** A model of the tiers, or the one that was named, and what the step would cost on it. */
export interface RouteCandidate {
  provider: string;
  model: string;
  tier: Tier | null;
  eligible: boolean;
  excluded_by: ExcludedBy | 'pinned' | null;
  now_usd: number | null;
  ahead_usd: number | null;
  total_usd: number | null;
  tokens: Record<TokenClass, number> | null;
  estimated: boolean;
  /** The same with less than the whole conversation; absent where there is nothing to leave out, or all of it is warm. */
  handed?: HandedCandidate;
}

export interface HandedCandidate extends Omit<ContextMetadata, 'summary'> {
  /** It is handed this, if it is tried. */
  chosen: boolean;
  now_usd: number | null;
  ahead_usd: number | null;
  total_usd: number | null;
}

/** Models with one of these could take the step. */
const CHOICES: ReadonlySet<RouteCandidate['excluded_by']> = new Set([null, 'floor', 'capped', 'pinned']);

/** POST /v1/route: what a chat completion with this body would be sent to. Nothing is sent, and nothing is logged. */
export async function routePlan(c: Context<AppEnv>): Promise<Response> {
  const { request, settings } = await readStep(c, OPENAI_CHAT, false);
  const { sessions, ...ports } = portsOf(c, null);
  const assessed = assess(request, settings, ports);
  const [peeked, recalled] = await Promise.all([
    peekState(assessed.state, sessions, settings.timeouts.session),
    recallThoughts(answersOf(assessed, ports), assessed, ports),
  ]);
  const state = peeked.found ? { ...peeked, thoughts: recalled } : peeked;
  return c.json(describePlan(planRequest({ ...assessed, state }, true)) satisfies RoutePlan);
}

function describePlan(planned: PlannedRequest): RoutePlan {
  const { plan, difficulty, lane, settings } = planned;
  const [chosen] = plan.candidates;
  // A pinned model is its own baseline.
  const baseline = plan.reason === 'pinned' ? chosen : settings.baseline;
  return {
    plan: {
      provider: chosen.provider,
      model: chosen.name,
      tier: chosen.tier,
      floor: plan.floor,
      reason: plan.reason,
      switch: lane.served !== null && !isSame(lane.served, chosen),
    },
    difficulty: {
      score: difficulty.score,
      label: difficulty.label,
      unknown: difficulty.unknown,
      signals: difficulty.signals,
    },
    candidates: candidatesOf(planned),
    baseline: { model: baseline.name, now_usd: usdOf(quoteNow(planned, baseline)?.now) },
    adapted: prepareCall(planned, chosen, wishesFor(planned, chosen)).adapted,
    basis: PROFILE.basis,
    profile_version: PROFILE.profile_version,
    price_book: PRICE_BOOK_VERSION,
  };
}

/** Every model of the tiers, and before them the chosen one where it is in none. */
function candidatesOf(planned: PlannedRequest): RouteCandidate[] {
  const { considered, candidates } = planned.plan;
  const [chosen] = candidates;
  const isListed = considered.some(({ candidate }) => isSamePlace(candidate, chosen));
  return [
    ...(isListed ? [] : [describeCandidate(planned, chosen, null)]),
    ...considered.map((one) => describeCandidate(planned, one.candidate, exclusionOf(planned, one))),
  ];
}

/** Why a model will not be tried. No floor or cap counts where the client or a rule names the model. */
function exclusionOf(
  { plan }: PlannedRequest,
  { candidate, excludedBy }: Considered,
): RouteCandidate['excluded_by'] {
  if (plan.candidates.some((one) => isSamePlace(one, candidate))) return null;
  const isAble = CHOICES.has(excludedBy);
  return plan.reason === 'pinned' && isAble ? 'pinned' : excludedBy;
}

function describeCandidate(
  planned: PlannedRequest,
  candidate: Candidate,
  excludedBy: RouteCandidate['excluded_by'],
): RouteCandidate {
  // What can take the step and may not has a price for it, and no way ahead; what can't take it has neither.
  const isAble = CHOICES.has(excludedBy);
  const now = isAble ? quoteNow(planned, candidate) : undefined;
  const ahead = excludedBy === null ? quoteOf(planned, candidate) : undefined;
  return {
    provider: candidate.provider,
    model: candidate.name,
    tier: candidate.tier,
    eligible: excludedBy === null,
    excluded_by: excludedBy,
    now_usd: usdOf(now?.now),
    ahead_usd: usdOf(ahead?.ahead),
    total_usd: usdOf(ahead?.total),
    tokens: now ? wholeTokens(now.usage) : null,
    // Until an answer has told what the model's cache holds.
    estimated: planned.lane.prefixes[keyOf(candidate)]?.[0]?.estimated ?? true,
    ...(ahead?.handed ? { handed: handedTo(planned, candidate, ahead.handed) } : {}),
  };
}

function handedTo(
  { request, plan, input }: PlannedRequest,
  candidate: Candidate,
  handed: HandedQuote,
): HandedCandidate {
  const { summary: _made, ...context } = contextMetadata(request, handed.context, input, candidate.model);
  return {
    ...context,
    chosen: plan.candidates.some((one) => isSamePlace(one, candidate) && plan.handed.has(one)),
    now_usd: usdOf(handed.now),
    ahead_usd: usdOf(handed.ahead),
    total_usd: usdOf(handed.total),
  };
}

/** What the plan was made by: this step and all that may follow. */
function quoteOf({ plan }: PlannedRequest, candidate: Candidate): Quote | undefined {
  return plan.quotes.find((one) => isSamePlace(one.candidate, candidate));
}

/** The price of this step alone. */
function quoteNow(
  { settings, lane, input, request, plan }: PlannedRequest,
  candidate: Candidate,
): Quote | undefined {
  const [only] = quote([candidate], [], {
    providers: settings.providers,
    lane,
    input,
    at: request.startedAt,
    floor: plan.floor,
    forecast: { ...forecast(lane), ...LAST_STEP },
  });
  return only;
}

/** A model may stand in two tiers, and a rule's is an object of its own. */
function isSamePlace(one: Candidate, other: Candidate): boolean {
  return isSame(one, other) && one.tier === other.tier;
}

function usdOf(usd: number | undefined): number | null {
  return usd === undefined ? null : roundUsd(usd);
}

/** An expected answer's length is a mean, and need not be whole. */
function wholeTokens(usage: Usage): Record<TokenClass, number> {
  const { thinking: _inside, ...tokens } = usageOf({});
  for (const name of TOKEN_CLASSES) tokens[name] = Math.round(usage[name]);
  return tokens;
}
