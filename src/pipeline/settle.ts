import { baselineOf } from '../core/accounting/baseline.ts';
import { totalCost } from '../core/accounting/cost.ts';
import { tokensOn } from '../core/accounting/estimate.ts';
import { PRICE_BOOK_VERSION } from '../core/accounting/price-book.ts';
import { savingsOf } from '../core/accounting/savings.ts';
import { cacheWrites, type Usage, usageOf } from '../core/accounting/usage.ts';
import type { StopReason } from '../core/answer.ts';
import type { HandedContext } from '../core/context/handed-context.ts';
import type { RunningAnswer } from '../core/context/running-answer.ts';
import { turnsOf } from '../core/context/turns.ts';
import type { AssistantBlock, ThinkingBlock } from '../core/conversation.ts';
import type { ContextChange, FluxMetadata, Reason } from '../core/metadata.ts';
import type { Candidate } from '../core/routing/plan.ts';
import { settleState } from './ended-state.ts';
import { contextMetadata } from './handover.ts';
import { infraUsd } from './infra.ts';
import type { Served } from './ledger.ts';
import type { PlannedStep } from './planned-step.ts';
import type { PreparedCall } from './prepared-call.ts';
import type { StepRecord } from './record.ts';
import type { ProviderSettings } from './settings.ts';
import { forgetThoughts, keepThoughts } from './thoughts.ts';

/** How a step ended. */
export interface StepEnd {
  /** The call that was served; null where none was. */
  call: PreparedCall | null;
  state: 'ok' | 'failed' | 'abandoned';
  status: number;
  errorCode: string | null;
  toolCalls: number;
  /** The answer as it was sent, for its lane: its blocks, or what its stream has left of it; null where there was none. */
  answer: readonly AssistantBlock[] | RunningAnswer | null;
  /** What was thought for it. */
  thought: readonly ThinkingBlock[];
  stop: StopReason | null;
}

/** A step that nobody answered. */
export const NO_ANSWER = { call: null, toolCalls: 0, answer: null, thought: [], stop: null } as const;

/** Nothing is measured before there is an oracle: the shipped scorer's own profile. */
export const PROFILE = { profile_version: 0, basis: 'prior' } as const;

/** A provider chooses its own codes: only what looks like one is kept, for anything else could be content (T48). */
export function rowCode(code: string | null): string | null {
  return code === null || /^[a-z][a-z0-9_.-]{0,63}$/.test(code) ? code : 'other';
}

/** Usage → cost → savings: what the client is told of a finished step, its row, and what its session is told. */
export function settle(
  step: PlannedStep,
  end: StepEnd,
): { metadata: FluxMetadata; record: StepRecord; usage: Usage } {
  const { request, settings, plan, difficulty, ledger } = step;
  const now = step.ports.clock.now();
  const startedAt = new Date(request.startedAt).toISOString();
  const served = end.call ? ledger.served : null;
  const handed = end.call?.handed ?? null;
  const pinned = plan.reason === 'pinned';
  const top = pinned ? plan.candidates[0] : settings.baseline;
  const cost = totalCost(ledger.attempts.map((attempt) => attempt.cost_usd));
  // Under the customer's own cap a step got less than it needs: what that costs less is no saving.
  const isCounted = served !== null && plan.reason !== 'capped';
  const baseline = isCounted
    ? baselineFor(step, served, { top, costUsd: cost, pinned, at: startedAt }, handed)
    : null;
  const usage = served?.usage ?? usageOf({});
  const candidate = served?.candidate ?? null;
  const attempted = plan.candidates[0].name;
  const estimated = [...(ledger.isEstimated ? (['cost'] as const) : []), ...(baseline?.estimated ?? [])];

  const shared = {
    request_id: request.requestId,
    difficulty_score: difficulty.score,
    difficulty_label: difficulty.label,
    floor: plan.floor,
    reason: reasonOf(step),
    tier: candidate?.tier ?? null,
    model_attempted: attempted,
    cost_usd: cost,
    baseline_model: top.name,
    baseline_cost_usd: baseline?.cost_usd ?? null,
    classification_ms: step.classificationMs,
    overhead_ms: Math.max(
      0,
      (ledger.firstSentAt ?? now) - request.startedAt + (now - (ledger.lastAnswerAt ?? now)),
    ),
    estimated,
    signals: difficulty.signals,
    price_book: PRICE_BOOK_VERSION,
    simulated: ledger.isSimulated,
    ...PROFILE,
  };
  const context: ContextChange = {
    ...(request.historyMessages === undefined ? {} : { history_messages: request.historyMessages }),
    ...(handed && served ? contextMetadata(request, handed, step.input, served.candidate.model) : {}),
  };
  const metadata: FluxMetadata = {
    ...shared,
    ...savingsOf(shared.baseline_cost_usd, cost),
    provider: candidate?.provider ?? plan.candidates[0].provider,
    model_selected: served?.model ?? attempted,
    session_id: request.session.shown,
    context_compression: handed && served ? Number(leftOutShare(handed, step, served).toFixed(4)) : 0,
    ...(Object.keys(context).length > 0 ? { context } : {}),
    cache: {
      cache_write_tokens: cacheWrites(usage),
      cache_read_tokens: usage.read,
      cache_hit: usage.read > 0,
    },
    escalations: ledger.escalations,
    ...(step.failureSignals.length > 0 ? { failure_signals: step.failureSignals } : {}),
    adapted: end.call?.adapted ?? [],
    ...(request.reservedUsd === undefined ? {} : { reserved_usd: request.reservedUsd }),
  };
  const record: StepRecord = {
    ...shared,
    started_at: startedAt,
    customer: request.customer,
    key_id: request.keyId,
    path: request.path,
    streamed: request.stream,
    passthrough: false,
    session: request.session.hash,
    lane: step.state.found?.lane.id ?? null,
    turn: turnsOf(request.conversation.messages).length,
    tags: request.tags,
    state: end.state,
    status: end.status,
    error_code: rowCode(end.errorCode),
    requested_model: request.requestedModel,
    provider: candidate?.provider ?? null,
    model: served?.model ?? null,
    difficulty_unknown: difficulty.unknown,
    // Thinking is inside the output.
    tokens: {
      ...{ fresh: usage.fresh, read: usage.read, output: usage.output },
      ...{ write_5m: usage.write_5m, write_1h: usage.write_1h },
      ...{ write_30m: usage.write_30m, write_12h: usage.write_12h },
    },
    tool_calls: end.toolCalls,
    infra_cost_usd: infraUsd(step.state, step.ports.budget),
    attempts: ledger.attempts,
    escalations: ledger.escalations.length,
    latency_ms: Math.max(0, now - request.startedAt),
  };
  const answered = settleState(
    step.state,
    request,
    {
      answer: end.answer,
      isTruncated: end.stop === 'length',
      isRefused: end.stop === 'refusal',
      ...{ served, floor: plan.floor, input: step.input, handed, costUsd: cost },
      thinking: end.call?.thinking ?? 0,
      isThought: end.thought.length > 0,
    },
    settings,
    step.ports,
  );
  if (served && answered !== null) {
    // What was thought behind a cut is bound to it (T16), and nothing is put back into one.
    const thought = end.toolCalls > 0 && handed === null ? end.thought : [];
    if (end.call?.thinkingRefused) forgetThoughts(step, served);
    else keepThoughts(step, served, thought, answered);
  }
  return { metadata, record, usage };
}

/** Why the model that answered was chosen. */
export function reasonOf({ plan, ledger }: PlannedStep): Reason {
  return ledger.escalations.length > 0 ? 'escalated' : plan.reason;
}

function baselineFor(
  step: PlannedStep,
  served: Served,
  { top, ...known }: { top: Candidate; costUsd: number | null; pinned: boolean; at: string },
  handed: HandedContext | null,
) {
  const { settings } = step;
  return baselineOf({
    served: {
      provider: providerOf(settings.providers, served.candidate),
      name: served.candidate.name,
      model: served.candidate.model,
      usage: served.usage,
    },
    ...known,
    split: tokensOn(served.candidate.model, step.input),
    ...(handed ? { leftOut: leftOutShare(handed, step, served) } : {}),
    top: { provider: providerOf(settings.providers, top), name: top.name, model: top.model },
  });
}

/** Of the input, as the model that answered counts it: what it was not handed, with images and a summary. */
function leftOutShare(
  handed: HandedContext,
  { input }: PlannedStep,
  { candidate: { model } }: Served,
): number {
  const whole = tokensOn(model, input).total;
  return Math.max(0, 1 - tokensOn(model, handed.input).total / whole);
}

function providerOf(
  providers: ReadonlyMap<string, ProviderSettings>,
  candidate: Candidate,
): ProviderSettings {
  const provider = providers.get(candidate.provider);
  if (!provider) throw new RangeError(`provider ${candidate.provider} is not configured`);
  return provider;
}
