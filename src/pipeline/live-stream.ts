import type { Usage } from '../core/accounting/usage.ts';
import { usageOf } from '../core/accounting/usage.ts';
import type { AnswerEvent } from '../core/answer.ts';
import { FluxError } from '../core/errors.ts';
import type { FluxMetadata } from '../core/metadata.ts';
import { createStopCutter } from '../core/stop-cut.ts';
import { type Failure, type Frame, type FrameFlow, type OpenStream, StreamFailure } from './ports.ts';
import { kindOf, toFluxError } from './provider-error.ts';
import { settle } from './settle.ts';
import type { PlannedStep, PreparedCall } from './step.ts';

/** A streamed answer on its way to the client. Exactly one of finish, abandon or a throw of `frames` writes its row. */
export interface LiveStream {
  /** @throws FluxError when the provider breaks off or reports an error. */
  frames: FrameFlow;
  /** After the last frame: what rides on the ending. */
  finish(): { usage: Usage; metadata: FluxMetadata };
  /** The client left. */
  abandon(): void;
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
  let text = '';
  let toolCalls = 0;
  let closed = false;
  let endedAt = opened + ms;

  const follow = (event: AnswerEvent): void => {
    if (event.type === 'start') {
      model = event.model;
      usage = event.usage ?? usage;
    } else if (event.type === 'usage') {
      usage = event.usage;
      final = true;
      serviceTier = event.serviceTier ?? serviceTier;
    } else if (event.type === 'text' || event.type === 'refusal') text += event.text;
    else if (event.type === 'tool_arguments') text += event.delta;
    else if (event.type === 'tool_call') toolCalls += 1;
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
      { model, usage, final, serviceTier, text },
      why,
      step.ports.clock.now() - opened,
      endedAt,
    );
    const { metadata, record, usage: settled } = settle(step, { call, state, status, errorCode, toolCalls });
    step.ports.logStep(record);
    return { metadata, usage: settled };
  };

  const cut = call.gatewayStop.length > 0 ? createCut(call.gatewayStop) : null;

  async function next(): Promise<IteratorResult<Frame[], void>> {
    // What comes after a stop sequence is not waited for: what the model has used is estimated.
    if (cut?.done()) return leave();
    try {
      const batch = await stream.frames.next();
      if (batch.done) return batch;
      endedAt = step.ports.clock.now();
      for (const { events } of batch.value) {
        for (const event of events) {
          follow(event);
          if (event.type === 'error') throw new StreamFailure(failureOf(event));
        }
      }
      if (!cut) return batch;
      const shown = batch.value.map(({ raw, events }) => ({ raw, events: cut.apply(events) }));
      return { done: false, value: shown };
    } catch (error) {
      await leave();
      const failure = error instanceof StreamFailure ? error.failure : null;
      const seen = failure ? toFluxError(failure, call.provider) : error;
      if (!closed) {
        const { status, code } = seen instanceof FluxError ? seen : { status: 500, code: 'internal_error' };
        close('failed', status, code, failure?.kind ?? 'failed');
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
  };
}

/** An error inside a stream, as the failed try that it is. */
function failureOf({ status, code, message }: Extract<AnswerEvent, { type: 'error' }>): Failure {
  const kind = kindOf(status, code, message);
  return { kind, status, message, type: null, code, param: null, retryAfter: null, requestId: null, ms: 0 };
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
