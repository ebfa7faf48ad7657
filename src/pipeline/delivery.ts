import { textTokens } from '../core/accounting/estimate.ts';
import type { Answer } from '../core/answer.ts';
import { isThinking, producedBy } from '../core/dialects/thinking.ts';
import type { FluxError } from '../core/errors.ts';
import type { FluxMetadata, Reason } from '../core/metadata.ts';
import type { Candidate } from '../core/routing/plan.ts';
import { cutAnswer } from './cut.ts';
import type { Fault } from './fault.ts';
import { type LiveStream, openLiveStream } from './live-stream.ts';
import type { PlannedStep } from './planned-step.ts';
import type { CallOutcome, Failure, OpenStream } from './ports.ts';
import type { PreparedCall } from './prepared-call.ts';
import { toFluxError } from './provider-error.ts';
import { NO_ANSWER, reasonOf, settle } from './settle.ts';

export type StepOutcome =
  | { kind: 'answer'; answer: Answer; metadata: FluxMetadata; raw: string | null }
  | { kind: 'stream'; stream: LiveStream; relay: boolean; candidate: Candidate; reason: Reason };

/** Books an attempt that was not the answer, with what it cost. */
export async function discard(
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

/** Books the answer, and hands it on. */
export function deliver(step: PlannedStep, call: PreparedCall, outcome: CallOutcome): StepOutcome {
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
    thought: answer.blocks.filter(isThinking),
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

/** Books a step that has no answer, and says it in our words. */
export function fail(step: PlannedStep, call: PreparedCall, failure: Failure): FluxError {
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
