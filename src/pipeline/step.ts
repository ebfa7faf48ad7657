import { type InputSize, textTokens, tokensOn } from '../core/accounting/estimate.ts';
import { pricesOf } from '../core/accounting/price-book.ts';
import type { Answer } from '../core/answer.ts';
import { findFault, findFaultAtGate } from '../core/answer-check.ts';
import { type MarkerWish, paysForLong } from '../core/context/cache-markers.ts';
import { cacheRulesOf } from '../core/context/cache-rules.ts';
import type { Digest } from '../core/context/lane-chain.ts';
import { survivingPlaces, warmTokens } from '../core/context/prefix-state.ts';
import type { Conversation } from '../core/conversation.ts';
import { producedBy } from '../core/dialects/thinking.ts';
import type { Wrapping } from '../core/dialects/unwrap.ts';
import { askKindOf } from '../core/difficulty/ask-kind.ts';
import { classify, type Difficulty } from '../core/difficulty/scorer.ts';
import { FluxError } from '../core/errors.ts';
import type { FluxMetadata, Reason } from '../core/metadata.ts';
import type { Adaptation } from '../core/routing/adaptation.ts';
import { keyOf } from '../core/routing/candidate.ts';
import { type Needs, needsOf } from '../core/routing/capability.ts';
import type { Wire } from '../core/routing/catalog.ts';
import { type FailureKind, nextCandidate } from '../core/routing/escalation.ts';
import { type FailureSignal, failureSignals } from '../core/routing/failure-signals.ts';
import { fieldOn } from '../core/routing/field-names.ts';
import { forecast } from '../core/routing/forecast.ts';
import type { LaneView } from '../core/routing/lane-view.ts';
import { type Candidate, type Plan, planStep, type Wish } from '../core/routing/plan.ts';
import { carriedBy } from '../core/routing/portability.ts';
import { ruleFor } from '../core/routing/rules.ts';
import { TIERS, type Tier } from '../core/routing/tier.ts';
import { admitBudget } from './budget.ts';
import { cutAnswer } from './cut.ts';
import { quoteOnce } from './known-quotes.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { type LiveStream, openLiveStream } from './live-stream.ts';
import type { CallOutcome, Failure, OpenStream, Ports } from './ports.ts';
import { prepare } from './prepare.ts';
import { toFluxError } from './provider-error.ts';
import type { ProviderSettings, StepSettings } from './settings.ts';
import { NO_ANSWER, reasonOf, settle } from './settle.ts';
import { beginState, identify, laneView, type StepState } from './step-state.ts';
import { unsettledRecord } from './unsettled.ts';
import { unwrapOutcome } from './unwrap-outcome.ts';
import { writeWireRequest } from './wire-request.ts';

/** One step as its dialect has read it. */
export interface StepRequest {
  requestId: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  customer: string;
  keyId: string;
  path: string;
  /** The client's wire, and the body as it came: as text, and parsed. */
  wire: Wire;
  rawBody: string;
  body: unknown;
  requestedModel: string;
  wish: Wish;
  stream: boolean;
  conversation: Conversation;
  /** Fields that only an upstream of the client's own wire can take. */
  ownFields: readonly string[];
  unknownFields: readonly string[];
  /** As `ownFields`, but left out where nobody of that wire can take the step. */
  spareFields?: readonly string[];
  /** Headers of the client that an upstream of its own wire may see. */
  ownHeaders?: Readonly<Record<string, string>>;
  /** Hashes under the customer's secret; null where nothing may be kept of the step. */
  digest: Digest | null;
  /** `shown` is repeated in the answer, `hash` is what stores see. */
  session: { shown: string; hash: string | null };
  tags: Record<string, string>;
  /** HMAC of the client's end user: all that a provider of another dialect is told of them. */
  userHash: string | null;
  maxTier?: Tier;
  /** What is reserved for it; absent: no budget applies. */
  reservedUsd?: number;
}

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

/** What is sent to one candidate. */
export interface PreparedCall {
  candidate: Candidate;
  provider: ProviderSettings;
  conversation: Conversation;
  adapted: Adaptation[];
  /** Stop sequences the gateway cuts at, since the model takes none. */
  gatewayStop: string[];
  /** What has to be taken off the answer again; null where nothing was wrapped. */
  wrapping: Wrapping | null;
  /** The upstream speaks the client's own wire: its frames and fields pass through. */
  relay: boolean;
  body: string;
  headers: Readonly<Record<string, string>>;
}

export type StepOutcome =
  | { kind: 'answer'; answer: Answer; metadata: FluxMetadata; raw: string | null }
  | { kind: 'stream'; stream: LiveStream; relay: boolean; candidate: Candidate; reason: Reason };

/** Classifies a request, and finds out whose it is. */
export function assess(
  request: StepRequest,
  settings: StepSettings,
  { clock }: Pick<Ports, 'clock'>,
): AssessedRequest {
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
  const { request, settings, difficulty, needs, state } = assessed;
  const rule =
    settings.rules &&
    ruleFor(settings.rules, { kind: askKindOf(difficulty), tags: request.tags, path: request.path });
  const lane = laneView(state, request, settings);
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
    ...(signals.length > 0 ? { raisedTo: tierAbove(lane, settings, difficulty.label) } : {}),
    ...(request.maxTier ? { maxTier: request.maxTier } : {}),
    ...(rule ? { rule } : {}),
  });
  return { ...assessed, input: needs.input, lane, failureSignals: signals, plan };
}

/** One tier above the model that went wrong; above what the step seems to need, where nobody knows which that was. */
function tierAbove({ served }: LaneView, { tiers }: StepSettings, label: Tier): Tier {
  const failed = served && TIERS.find((tier) => tiers[tier].some((one) => keyOf(one) === keyOf(served)));
  return TIERS[Math.min(TIERS.length - 1, TIERS.indexOf(failed ?? label) + 1)] ?? 'hard';
}

/**
 * One step from conversation to answer: classify, begin, plan, send, escalate, settle.
 * @throws FluxError what the client should see. A step that was sent anywhere has its row by then; one that no model
 *   can take never became a step.
 */
export async function runStep(
  asked: StepRequest,
  settings: StepSettings,
  ports: Ports,
): Promise<StepOutcome> {
  const assessed = assess(asked, settings, ports);
  const unsettled = unsettledRecord(assessed);
  // One wait: session and budgets are asked side by side.
  const [state, admitted] = await Promise.all([
    beginState(assessed.state, unsettled, ports, settings.timeouts),
    admitBudget(asked, settings, ports).catch((error: unknown) => ({ refused: error })),
  ]);
  if ('refused' in admitted) {
    forgetBegun(state, asked, ports);
    throw admitted.refused;
  }
  const request = admitted;
  const step = planBegun({ ...assessed, request, state }, ports);
  // Beside the call, never before it: where a session is told, its object closes what is never settled.
  if (state.object === null) ports.beginLater(unsettled);
  const { plan } = step;

  let withoutThinking = false;
  for (let index = 0; ; ) {
    const candidate = plan.candidates[index];
    if (!candidate) throw new RangeError('the plan ran out of candidates');
    const call =
      step.ledger.firstSentAt === null
        ? prepareCall(step, candidate, { markers: wishMarkers(step, candidate) })
        : prepareNext(step, candidate, withoutThinking);
    step.ledger.sent(ports.clock.now());
    const answered = await ports.callProvider({
      provider: call.provider,
      model: candidate.model,
      body: call.body,
      headers: call.headers,
      stream: request.stream,
      showsThinking: call.relay,
      timeouts: settings.timeouts,
      signal: ports.left,
    });
    const outcome = call.wrapping === null ? answered : unwrapOutcome(answered, call.wrapping);
    for (const failure of outcome.failures)
      step.ledger.failed(candidate, failure.kind, failure.status, failure.ms);
    const fault = faultOf(outcome, request, candidate);
    if (!fault) return deliver(step, call, outcome);
    if (!withoutThinking && isForeignReasoning(fault)) {
      await discard(step, call, outcome, fault);
      withoutThinking = true;
      continue;
    }

    const next = nextCandidate(plan.candidates, index, fault.kind);
    const successor = next === undefined ? undefined : plan.candidates[next];
    // Nothing better than what the model said: the client gets it as it is.
    if (!successor && !fault.failure) return deliver(step, call, outcome);
    await discard(step, call, outcome, fault);
    if (!successor) step.ledger.simulated(outcome.simulated);
    if (fault.failure && !successor) throw fail(step, call, fault.failure);
    if (next === undefined || !successor) throw new RangeError('a step ends with an answer or a failure');
    step.ledger.escalated(candidate, successor, fault.kind, fault.failure?.status ?? 200);
    index = next;
  }
}

/** @throws FluxError what no model can take: then the session forgets that it was begun */
function planBegun(assessed: AssessedRequest, ports: Ports): PlannedStep {
  const { request, settings, state } = assessed;
  try {
    return { ...planRequest(assessed), ports, ledger: createLedger(request, settings) };
  } catch (error) {
    forgetBegun(state, request, ports);
    throw error;
  }
}

/** A step that never was sent was none. */
function forgetBegun({ object }: StepState, { requestId }: StepRequest, { sessions }: Ports): void {
  if (object !== null) sessions?.settle(object, { requestId, costUsd: 0, lane: null });
}

/** As {@link prepareCall}; what the next model can't be sent ends a step that was already sent to another. */
function prepareNext(step: PlannedStep, candidate: Candidate, withoutThinking: boolean): PreparedCall {
  try {
    return prepareCall(step, candidate, { markers: wishMarkers(step, candidate), withoutThinking });
  } catch (error) {
    const { status, code } = error instanceof FluxError ? error : { status: 500, code: 'internal_error' };
    step.ports.logStep(settle(step, { ...NO_ANSWER, state: 'failed', status, errorCode: code }).record);
    throw error;
  }
}

/** The request as it is sent to a candidate. */
export function prepareCall(
  { request, settings }: Pick<PlannedRequest, 'request' | 'settings'>,
  candidate: Candidate,
  { markers, withoutThinking = false }: { markers?: MarkerWish; withoutThinking?: boolean } = {},
): PreparedCall {
  const provider = settings.providers.get(candidate.provider);
  if (!provider) throw new RangeError(`provider ${candidate.provider} is not configured`);
  const sameWire = candidate.model.wire === request.wire;
  const prepared = prepare(request.conversation, candidate.model, {
    defaultMaxTokens: settings.defaultMaxTokens,
    isBudgeted: request.reservedUsd !== undefined,
    to: candidate,
    sameWire,
    ...(markers ? { markers } : {}),
    withoutThinking,
  });
  const body = writeWireRequest(request, candidate, prepared, markers);
  // What is cut or unwrapped here can't pass through untouched; but only a relay carries several answers.
  const several = request.conversation.output.n > 1;
  const relay = sameWire && prepared.wrapping === null && (prepared.gatewayStop.length === 0 || several);
  return {
    candidate,
    provider,
    relay,
    wrapping: prepared.wrapping,
    body,
    headers: (sameWire && request.ownHeaders) || {},
    conversation: prepared.conversation,
    gatewayStop: relay ? [] : prepared.gatewayStop,
    adapted: [
      ...prepared.adapted
        .map((change) =>
          relay && several && change.field === 'stop' ? { ...change, action: 'dropped' as const } : change,
        )
        .map((change) => ({ ...change, field: fieldOn(request.wire, change.field) })),
      ...(sameWire
        ? []
        : [...request.unknownFields, ...(request.spareFields ?? [])].map((field) => ({
            field: field.slice(0, 64),
            action: 'dropped' as const,
          }))),
    ],
  };
}

/** Where the model's cache was last written, and how long what is written now should live. */
export function wishMarkers(
  { request, settings, lane, input, state }: PlannedRequest,
  candidate: Candidate,
): MarkerWish {
  const { model } = candidate;
  const rules = cacheRulesOf(model);
  const at = request.startedAt / 1_000;
  const prefixes = lane.prefixes[keyOf(candidate)];
  const { total: tokens } = tokensOn(model, input);
  const prompt = { tokens, blocks: input.blocks, at, trailing: true };
  const warm = warmTokens(survivingPlaces(prefixes, rules, lane.parts), rules, prompt);
  const provider = settings.providers.get(candidate.provider);
  const prices = provider
    ? pricesOf(provider, candidate.name, new Date(request.startedAt).toISOString(), tokens)
    : null;
  const blocks = prefixes?.[0]?.blocks;
  return {
    known: blocks !== undefined && blocks <= input.blocks ? blocks : undefined,
    key: state.object && state.digest ? state.digest(`cache ${state.object}`) : undefined,
    long: lane.number > 1 && paysForLong(rules, prices, { tokens, warm }, forecast(lane)),
  };
}

interface Fault {
  kind: FailureKind;
  /** Absent where the model answered, but not with an answer. */
  failure?: Failure;
}

/**
 * Encrypted reasoning of another account, which nothing else tells from one's own (T18). Left out once, the step goes
 * through (openai/codex#8145).
 */
function isForeignReasoning({ failure }: Fault): boolean {
  return failure?.code === 'invalid_encrypted_content';
}

function faultOf(
  outcome: CallOutcome,
  { conversation, wire, ownFields, spareFields = [] }: StepRequest,
  { model }: Candidate,
): Fault | null {
  if (outcome.kind === 'failed') return { kind: outcome.failure.kind, failure: outcome.failure };
  // Answers to what only one wire knows (audio, hosted tools) are not ours to judge.
  if (ownFields.length > 0 || (spareFields.length > 0 && model.wire === wire)) return null;
  const kind =
    outcome.kind === 'answer'
      ? findFault(outcome.answer, conversation)
      : findFaultAtGate(outcome.stream.head);
  return kind ? { kind } : null;
}

/** Books an attempt that was not the answer, with what it cost. */
async function discard(
  step: PlannedStep,
  call: PreparedCall,
  outcome: CallOutcome,
  fault: Fault,
): Promise<void> {
  const { ledger } = step;
  if (outcome.kind === 'failed') {
    ledger.failed(call.candidate, fault.kind, outcome.failure.status, outcome.failure.ms);
  } else if (outcome.kind === 'answer') {
    ledger.answered(
      call.candidate,
      { ...outcome.answer, usage: outcome.answer.usage, final: true, size: sizeOf(outcome.answer) },
      fault.kind,
      outcome.ms,
      step.ports.clock.now(),
    );
  } else {
    ledger.answered(
      call.candidate,
      await leave(outcome.stream),
      fault.kind,
      outcome.ms,
      step.ports.clock.now(),
    );
  }
}

/** Aborts a stream nobody will see, with the usage it had reported by then. */
async function leave(stream: OpenStream) {
  // A generator that was never begun has nothing to clean up, so its `return` alone would leave the connection open.
  stream.abort();
  await stream.frames.return?.();
  const start = stream.head.find((event) => event.type === 'start');
  const last = stream.head.findLast((event) => event.type === 'usage');
  return {
    model: start?.model ?? null,
    usage: (last ?? start)?.usage,
    final: last !== undefined,
    serviceTier: last?.serviceTier,
    size: 0,
  };
}

function deliver(step: PlannedStep, call: PreparedCall, outcome: CallOutcome): StepOutcome {
  step.ledger.simulated(outcome.simulated);
  if (outcome.kind === 'stream') {
    return {
      kind: 'stream',
      stream: openLiveStream(step, call, outcome.stream, outcome.ms),
      relay: call.relay && !outcome.stream.whole,
      candidate: call.candidate,
      reason: reasonOf(step),
    };
  }
  if (outcome.kind === 'failed') throw new RangeError('a failed call has no answer');
  const made = withProducer(outcome.answer, call.candidate);
  const answer = call.gatewayStop.length > 0 ? cutAnswer(made, call.gatewayStop) : made;
  step.ledger.answered(
    call.candidate,
    { ...answer, usage: answer.usage, final: true, size: sizeOf(answer) },
    null,
    outcome.ms,
    step.ports.clock.now(),
  );
  const toolCalls = answer.blocks.filter((block) => block.type === 'tool_call').length;
  const { metadata, record, usage } = settle(step, {
    call,
    state: 'ok',
    status: 200,
    errorCode: null,
    toolCalls,
    answer: answer.blocks,
    stop: answer.stop,
  });
  step.ports.logStep(record);
  return { kind: 'answer', answer: { ...answer, usage }, metadata, raw: call.relay ? outcome.raw : null };
}

/** Who thought it: whoever keeps the answer gives its thinking back to no other (T16). */
function withProducer(answer: Answer, candidate: Candidate): Answer {
  if (!answer.blocks.some((block) => block.type === 'thinking')) return answer;
  const blocks = answer.blocks.map((block) => producedBy(block, candidate));
  return { ...answer, blocks };
}

function fail(step: PlannedStep, call: PreparedCall, failure: Failure): FluxError {
  const error = toFluxError(failure, call.provider);
  const { record } = settle(step, {
    ...NO_ANSWER,
    state: failure.kind === 'client_left' ? 'abandoned' : 'failed',
    status: error.status,
    errorCode: error.code,
  });
  step.ports.logStep(record);
  return error;
}

/** How much an answer says, for counting it where the provider did not. */
function sizeOf(answer: Answer): number {
  return answer.blocks.reduce((size, block) => {
    if (block.type === 'tool_call') return size + textTokens(block.arguments);
    return block.type === 'text' || block.type === 'refusal' ? size + textTokens(block.text) : size;
  }, 0);
}
