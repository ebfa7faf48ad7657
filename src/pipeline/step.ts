import { FluxError } from '../core/errors.ts';
import { nextCandidate } from '../core/routing/escalation.ts';
import type { Candidate } from '../core/routing/plan.ts';
import { admitBudget } from './budget.ts';
import { deliver, discard, fail, type StepOutcome } from './delivery.ts';
import { faultOf, isForeignReasoning, isUnwelcome } from './fault.ts';
import { createLedger } from './ledger.ts';
import { type AssessedRequest, assess, type PlannedStep, planRequest } from './planned-step.ts';
import type { Ports } from './ports.ts';
import { type PreparedCall, prepareCall, wishesFor } from './prepared-call.ts';
import type { StepSettings } from './settings.ts';
import { NO_ANSWER, settle } from './settle.ts';
import type { StepRequest } from './step-request.ts';
import { beginState, type StepState } from './step-state.ts';
import { summarise } from './summary.ts';
import { answersOf, recallThoughts } from './thoughts.ts';
import { unsettledRecord } from './unsettled.ts';
import { unwrapOutcome } from './unwrap-outcome.ts';

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
  const unsettled = () => unsettledRecord(assessed, ports);
  const answers = answersOf(assessed, ports);
  const thinksBack = answers !== null && answers.length > 0;
  // One wait: session, budgets and what was thought are asked side by side.
  const [begun, thoughts, admitted] = await Promise.all([
    beginState(assessed.state, unsettled, ports, settings.timeouts),
    recallThoughts(answers, assessed, ports),
    admitBudget(asked, settings, ports, thinksBack).catch((error: unknown) => ({ refused: error })),
  ]);
  const state = begun.found ? { ...begun, thoughts } : begun;
  if ('refused' in admitted) {
    forgetBegun(state, asked, ports);
    throw admitted.refused;
  }
  const request = admitted;
  const { step, first } = planBegun({ ...assessed, request, state }, ports);
  // Beside the call, never before it: where a session is told, its object closes what is never settled.
  if (state.object === null) ports.beginLater(asked.requestId, unsettled);
  const { plan } = step;

  let withoutThinking = false;
  for (let index = 0; ; ) {
    const candidate = plan.candidates[index];
    if (!candidate) throw new RangeError('the plan ran out of candidates');
    const summary = await summarise(step, candidate);
    const call =
      step.ledger.firstSentAt !== null
        ? prepareNext(step, candidate, { withoutThinking, summary })
        : summary === undefined
          ? first
          : prepareCall(step, candidate, { ...wishesFor(step, candidate), summary });
    step.ledger.sent(ports.clock.now(), call.conversation);
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
    if (!withoutThinking && (isForeignReasoning(fault) || isUnwelcome(fault, call, state))) {
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

/** @throws FluxError what no model can take, or can't be sent: then the session forgets that it was begun */
function planBegun(assessed: AssessedRequest, ports: Ports): { step: PlannedStep; first: PreparedCall } {
  const { request, settings, state } = assessed;
  try {
    const step = { ...planRequest(assessed), ports, ledger: createLedger(request, settings) };
    const [candidate] = step.plan.candidates;
    return { step, first: prepareCall(step, candidate, wishesFor(step, candidate)) };
  } catch (error) {
    forgetBegun(state, request, ports);
    throw error;
  }
}

/** A step that never was sent was none. */
function forgetBegun({ object, told }: StepState, { requestId }: StepRequest, { sessions }: Ports): void {
  const name = object ?? told;
  if (name !== null) sessions?.settle(name, { requestId, costUsd: 0, lane: null });
}

/** As {@link prepareCall}; what the next model can't be sent ends a step that was already sent to another. */
function prepareNext(
  step: PlannedStep,
  candidate: Candidate,
  options: Pick<NonNullable<Parameters<typeof prepareCall>[2]>, 'withoutThinking' | 'summary'>,
): PreparedCall {
  try {
    return prepareCall(step, candidate, { ...wishesFor(step, candidate), ...options });
  } catch (error) {
    const { status, code } = error instanceof FluxError ? error : { status: 500, code: 'internal_error' };
    step.ports.logStep(settle(step, { ...NO_ANSWER, state: 'failed', status, errorCode: code }).record);
    throw error;
  }
}
