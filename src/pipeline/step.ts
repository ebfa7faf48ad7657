import type { InputSize } from '../core/accounting/estimate.ts';
import type { Answer } from '../core/answer.ts';
import { findFault, findFaultAtGate } from '../core/answer-check.ts';
import type { Conversation } from '../core/conversation.ts';
import { producedBy } from '../core/dialects/thinking.ts';
import type { Wrapping } from '../core/dialects/unwrap.ts';
import { askKindOf } from '../core/difficulty/ask-kind.ts';
import { classify, type Difficulty } from '../core/difficulty/scorer.ts';
import { FluxError } from '../core/errors.ts';
import type { FluxMetadata, Reason } from '../core/metadata.ts';
import type { Adaptation } from '../core/routing/adaptation.ts';
import { needsOf } from '../core/routing/capability.ts';
import type { Wire } from '../core/routing/catalog.ts';
import { type FailureKind, nextCandidate } from '../core/routing/escalation.ts';
import { type LaneView, unknownLane } from '../core/routing/lane-view.ts';
import { type Candidate, type Plan, planStep, type Wish } from '../core/routing/plan.ts';
import { carriedBy } from '../core/routing/portability.ts';
import { ruleFor } from '../core/routing/rules.ts';
import type { Tier } from '../core/routing/tier.ts';
import { admitBudget } from './budget.ts';
import { cutAnswer } from './cut.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { type LiveStream, openLiveStream } from './live-stream.ts';
import type { CallOutcome, Failure, OpenStream, Ports } from './ports.ts';
import { prepare } from './prepare.ts';
import { toFluxError } from './provider-error.ts';
import type { ProviderSettings, StepSettings } from './settings.ts';
import { reasonOf, settle } from './settle.ts';
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
  /** Headers of the client that an upstream of its own wire may see. */
  ownHeaders?: Readonly<Record<string, string>>;
  /** What the client's wire calls fields that the pipeline knows by another name. */
  fieldNames?: Readonly<Record<string, string>>;
  /** `shown` is repeated in the answer, `hash` is what stores see. */
  session: { shown: string; hash: string | null };
  tags: Record<string, string>;
  /** HMAC of the client's end user: all that a provider of another dialect is told of them. */
  userHash: string | null;
  maxTier?: Tier;
  /** What is reserved for it; absent: no budget applies. */
  reservedUsd?: number;
}

/** What is known of a request once it is planned, and before anything is sent. */
export interface PlannedRequest {
  request: StepRequest;
  settings: StepSettings;
  difficulty: Difficulty;
  input: InputSize;
  classificationMs: number | null;
  lane: LaneView;
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

/**
 * Classifies a request and plans it.
 * @param explain quote every model in range, also where there is nothing to choose
 * @throws FluxError 400 that names the field no candidate can take
 */
export function planRequest(
  request: StepRequest,
  settings: StepSettings,
  { clock }: Pick<Ports, 'clock'>,
  explain = false,
): PlannedRequest {
  const before = clock.cpu();
  const difficulty = classify(request.conversation);
  const after = clock.cpu();
  const rule =
    settings.rules &&
    ruleFor(settings.rules, { kind: askKindOf(difficulty), tags: request.tags, path: request.path });
  const needs = needsOf(request.conversation);
  const lane = unknownLane(request.conversation.messages);
  const plan = planStep({
    wish: request.wish,
    tiers: settings.tiers,
    difficulty,
    needs,
    wire: request.wire,
    ownFields: request.ownFields,
    mode: settings.mode,
    providers: settings.providers,
    carries: carriedBy(request.conversation.messages, request.wire),
    lane,
    at: request.startedAt,
    explain,
    ...(request.maxTier ? { maxTier: request.maxTier } : {}),
    ...(rule ? { rule } : {}),
  });
  const classificationMs = before === null || after === null ? null : after - before;
  return { request, settings, difficulty, input: needs.input, classificationMs, lane, plan };
}

/**
 * One step from conversation to answer: classify, plan, send, escalate, settle.
 * @throws FluxError what the client should see. A step that was sent anywhere has its row by then; one that no model
 *   can take never became a step.
 */
export async function runStep(
  asked: StepRequest,
  settings: StepSettings,
  ports: Ports,
): Promise<StepOutcome> {
  const request = await admitBudget(asked, settings, ports);
  const planned = planRequest(request, settings, ports);
  const { plan } = planned;
  const step: PlannedStep = { ...planned, ports, ledger: createLedger(request, settings) };

  let withoutThinking = false;
  for (let index = 0; ; ) {
    const candidate = plan.candidates[index];
    if (!candidate) throw new RangeError('the plan ran out of candidates');
    const call =
      step.ledger.firstSentAt === null
        ? prepareCall(step, candidate)
        : prepareNext(step, candidate, withoutThinking);
    step.ledger.sent(ports.clock.now());
    const answered = await ports.callProvider({
      provider: call.provider,
      model: candidate.model,
      body: call.body,
      headers: call.headers,
      stream: request.stream,
      timeouts: settings.timeouts,
      signal: ports.left,
    });
    const outcome = call.wrapping === null ? answered : unwrapOutcome(answered, call.wrapping);
    for (const failure of outcome.failures)
      step.ledger.failed(candidate, failure.kind, failure.status, failure.ms);
    const fault = faultOf(outcome, request);
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

/** As {@link prepareCall}; what the next model can't be sent ends a step that was already sent to another. */
function prepareNext(step: PlannedStep, candidate: Candidate, withoutThinking: boolean): PreparedCall {
  try {
    return prepareCall(step, candidate, withoutThinking);
  } catch (error) {
    const { status, code } = error instanceof FluxError ? error : { status: 500, code: 'internal_error' };
    step.ports.logStep(
      settle(step, { call: null, state: 'failed', status, errorCode: code, toolCalls: 0 }).record,
    );
    throw error;
  }
}

/** The request as it is sent to a candidate. */
export function prepareCall(
  { request, settings }: Pick<PlannedRequest, 'request' | 'settings'>,
  candidate: Candidate,
  withoutThinking = false,
): PreparedCall {
  const provider = settings.providers.get(candidate.provider);
  if (!provider) throw new RangeError(`provider ${candidate.provider} is not configured`);
  const sameWire = candidate.model.wire === request.wire;
  const prepared = prepare(request.conversation, candidate.model, {
    defaultMaxTokens: settings.defaultMaxTokens,
    isBudgeted: request.reservedUsd !== undefined,
    to: candidate,
    sameWire,
    withoutThinking,
  });
  const body = writeWireRequest(request, candidate, prepared);
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
        .map((change) => ({ ...change, field: request.fieldNames?.[change.field] ?? change.field })),
      ...(sameWire
        ? []
        : request.unknownFields.map((field) => ({ field: field.slice(0, 64), action: 'dropped' as const }))),
    ],
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

function faultOf(outcome: CallOutcome, { conversation, ownFields }: StepRequest): Fault | null {
  if (outcome.kind === 'failed') return { kind: outcome.failure.kind, failure: outcome.failure };
  // Answers to what only one wire knows (audio, hosted tools) are not ours to judge.
  if (ownFields.length > 0) return null;
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
      { ...outcome.answer, usage: outcome.answer.usage, final: true, text: textOf(outcome.answer) },
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
  await stream.frames.return(undefined);
  const start = stream.head.find((event) => event.type === 'start');
  const last = stream.head.findLast((event) => event.type === 'usage');
  return {
    model: start?.model ?? null,
    usage: (last ?? start)?.usage,
    final: last !== undefined,
    serviceTier: last?.serviceTier,
    text: '',
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
    { ...answer, usage: answer.usage, final: true, text: textOf(answer) },
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
    call: null,
    state: failure.kind === 'client_left' ? 'abandoned' : 'failed',
    status: error.status,
    errorCode: error.code,
    toolCalls: 0,
  });
  step.ports.logStep(record);
  return error;
}

/** All that an answer says, for counting it where the provider did not. */
function textOf(answer: Answer): string {
  return answer.blocks
    .map((block) => {
      if (block.type === 'tool_call') return block.arguments;
      return block.type === 'text' || block.type === 'refusal' ? block.text : '';
    })
    .join('');
}
