import { textTokens } from '../core/accounting/estimate.ts';
import type { Usage } from '../core/accounting/usage.ts';
import { usageOf } from '../core/accounting/usage.ts';
import type { AnswerEvent, StopReason } from '../core/answer.ts';
import { RunningAnswer } from '../core/context/running-answer.ts';
import type { ThinkingBlock } from '../core/conversation.ts';
import type { AnswerFrame } from '../core/dialects/client-dialect.ts';
import { producedBy } from '../core/dialects/thinking.ts';
import { FluxError } from '../core/errors.ts';
import type { FluxMetadata } from '../core/metadata.ts';
import type { Candidate } from '../core/routing/plan.ts';
import { createStopCutter } from '../core/stop-cut.ts';
import type { PlannedStep } from './planned-step.ts';
import { type FrameFlow, type OpenStream, StreamFailure } from './ports.ts';
import type { PreparedCall } from './prepared-call.ts';
import { failureInside, toFluxError } from './provider-error.ts';
import { settle } from './settle.ts';

/** A streamed answer on its way to the client. Exactly one of finish, abandon or a throw of `frames` writes its row. */
export interface LiveStream {
  /** @throws FluxError when the provider breaks off or reports an error. */
  frames: FrameFlow;
  /** After the last frame: what rides on the ending. */
  finish(): { usage: Usage; metadata: FluxMetadata };
  /** The client left. */
  abandon(): void;
  /** After `frames` threw: what the broken answer cost, where it had begun. */
  broken(): FluxMetadata | undefined;
}

/** Follows a stream for its usage and its row, and cuts it at stop sequences the model could not take. */
export function openLiveStream(
  step: PlannedStep,
  call: PreparedCall,
  stream: OpenStream,
  ms: number,
): LiveStream {
  const opened = step.ports.clock.now() - ms;
  let model: string | null = null;
  let usage: Usage | undefined;
  /** The usage counts the whole answer. */
  let final = false;
  let serviceTier: string | undefined;
  const { digest } = step.state;
  /** What the client was sent, for the step's lane, or the one it may open. */
  const sent = digest ? new RunningAnswer(digest) : null;
  /** What was thought: for its lane, and for whoever keeps it. */
  const thought: ThinkingBlock[] = [];
  let stop: StopReason | null = null;
  /** Of what was said so far, which itself is not kept: a stream may be megabytes. */
  let size = 0;
  let toolCalls = 0;
  let closed = false;
  let told: FluxMetadata | undefined;
  let endedAt = opened + ms;

  const follow = (event: AnswerEvent): void => {
    if (event.type === 'start') {
      model = event.model;
      usage = event.usage ?? usage;
    } else if (event.type === 'usage') {
      usage = event.usage;
      final = true;
      serviceTier = event.serviceTier ?? serviceTier;
    } else if (event.type === 'text' || event.type === 'refusal') size += textTokens(event.text);
    else if (event.type === 'tool_arguments') size += textTokens(event.delta);
  };

  const followShown = (event: AnswerEvent): void => {
    sent?.take(event);
    if (event.type === 'stop') stop = event.reason;
    else if (event.type === 'tool_call') toolCalls += 1;
    else if (event.type === 'block' && event.block.type === 'thinking' && digest) thought.push(event.block);
  };

  const close = (
    state: 'ok' | 'failed' | 'abandoned',
    status: number,
    errorCode: string | null,
    why: string | null,
  ) => {
    closed = true;
    step.ledger.answered(
      call.candidate,
      { model, usage, final, serviceTier, size },
      why,
      step.ports.clock.now() - opened,
      endedAt,
    );
    const {
      metadata,
      record,
      usage: settled,
    } = settle(step, {
      ...{ call, state, status, errorCode, toolCalls, thought, stop },
      answer: state === 'ok' ? sent : null,
    });
    step.ports.logStep(record);
    return { metadata, usage: settled };
  };

  const cut = call.gatewayStop.length > 0 ? createCut(call.gatewayStop) : null;

  async function next(): Promise<IteratorResult<AnswerFrame[], void>> {
    // What comes after a stop sequence is not waited for: what the model has used is estimated.
    if (cut?.done()) return leave();
    try {
      const batch = await stream.frames.next();
      if (batch.done) return batch;
      endedAt = step.ports.clock.now();
      let holdsBlock = false;
      for (const { events } of batch.value) {
        for (const event of events) {
          follow(event);
          if (event.type === 'error') throw new StreamFailure(failureInside(event));
          holdsBlock ||= event.type === 'block';
        }
      }
      const marked = holdsBlock ? batch.value.map((frame) => markBlocks(frame, call.candidate)) : batch.value;
      const shown = cut ? marked.map((frame) => ({ ...frame, events: cut.apply(frame.events) })) : marked;
      for (const { events } of shown) for (const event of events) followShown(event);
      return { done: false, value: shown };
    } catch (error) {
      await leave();
      const failure = error instanceof StreamFailure ? error.failure : null;
      const seen = failure ? toFluxError(failure, call.provider) : error;
      if (!closed) {
        const { status, code } = seen instanceof FluxError ? seen : { status: 500, code: 'internal_error' };
        told = close('failed', status, code, failure?.kind ?? 'failed').metadata;
      }
      throw seen;
    }
  }

  async function leave(): Promise<IteratorReturnResult<undefined>> {
    await stream.frames.return?.();
    return { done: true, value: undefined };
  }

  const frames: FrameFlow = { next, return: leave, [Symbol.asyncIterator]: () => frames };

  return {
    frames,
    finish() {
      const { metadata, usage: settled } = close('ok', 200, null, null);
      return { usage: settled ?? usageOf({}), metadata };
    },
    abandon() {
      // 499: the client closed the request (nginx's status; there is none in the standard).
      stream.abort();
      if (!closed) close('abandoned', 499, 'client_left', 'abandoned');
    },
    broken: () => told,
  };
}

/** Whole blocks with who made them, for whoever keeps them (T16). */
function markBlocks(frame: AnswerFrame, candidate: Candidate): AnswerFrame {
  const events = frame.events.map((event) =>
    event.type === 'block' ? { ...event, block: producedBy(event.block, candidate) } : event,
  );
  return { ...frame, events };
}

function createCut(sequences: readonly string[]) {
  const cutter = createStopCutter(sequences);
  let stopped = false;
  const applyOne = (event: AnswerEvent): AnswerEvent[] => {
    if (stopped) return [];
    if (event.type === 'text') {
      const { text, stopped: sequence } = cutter.push(event.text);
      const shown: AnswerEvent[] = text === '' ? [] : [{ type: 'text', text }];
      if (sequence === null) return shown;
      stopped = true;
      return [...shown, { type: 'stop', reason: 'stop', stopSequence: sequence }];
    }
    if (event.type === 'stop' || event.type === 'tool_call') {
      const rest = cutter.flush();
      return rest === '' ? [event] : [{ type: 'text', text: rest }, event];
    }
    return [event];
  };
  return { apply: (events: AnswerEvent[]) => events.flatMap(applyOne), done: () => stopped };
}
