import type { AnswerEvent } from '../core/answer.ts';
import { createUnwrapper, unwrapAnswer, type Wrapping } from '../core/dialects/unwrap.ts';
import type { CallOutcome, FrameFlow, OpenStream } from './ports.ts';

/** What came of a call, with the wrapping of its request taken off again. */
export function unwrapOutcome(outcome: CallOutcome, wrapping: Wrapping): CallOutcome {
  if (outcome.kind === 'answer') return { ...outcome, answer: unwrapAnswer(outcome.answer, wrapping) };
  return outcome.kind === 'stream' ? { ...outcome, stream: unwrapStream(outcome.stream, wrapping) } : outcome;
}

function unwrapStream(stream: OpenStream, wrapping: Wrapping): OpenStream {
  const unwrapHead = createUnwrapper(wrapping);
  const unwrap = createUnwrapper(wrapping);
  const frames: FrameFlow = {
    async next() {
      const batch = await stream.frames.next();
      if (batch.done) return batch;
      const value = batch.value.map((frame) => ({ ...frame, events: frame.events.flatMap(unwrap) }));
      return { done: false, value };
    },
    async return() {
      await stream.frames.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]: () => frames,
  };
  // An answer that has begun is no empty one, though its first words may still be held back.
  const head = stream.head.flatMap((event): AnswerEvent[] => {
    const shown = unwrapHead(event);
    return event.type === 'text' || event.type === 'tool_call' ? [event, ...shown] : shown;
  });
  return { ...stream, head, frames };
}
