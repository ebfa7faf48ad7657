import type { AnswerEvent } from '../core/answer.ts';
import type { AnswerFrame } from '../core/dialects/client-dialect.ts';
import { createUnwrapper, unwrapAnswer, type Wrapping } from '../core/dialects/unwrap.ts';
import type { CallOutcome, OpenStream } from './ports.ts';

/** What came of a call, with the wrapping of its request taken off again. */
export function unwrapOutcome(outcome: CallOutcome, wrapping: Wrapping): CallOutcome {
  if (outcome.kind === 'answer') return { ...outcome, answer: unwrapAnswer(outcome.answer, wrapping) };
  return outcome.kind === 'stream' ? { ...outcome, stream: unwrapStream(outcome.stream, wrapping) } : outcome;
}

function unwrapStream(stream: OpenStream, wrapping: Wrapping): OpenStream {
  const unwrapHead = createUnwrapper(wrapping);
  const unwrap = createUnwrapper(wrapping);
  async function* frames(): AsyncGenerator<AnswerFrame[]> {
    for await (const batch of stream.frames)
      yield batch.map((frame) => ({ ...frame, events: frame.events.flatMap(unwrap) }));
  }
  // An answer that has begun is no empty one, though its first words may still be held back.
  const head = stream.head.flatMap((event): AnswerEvent[] => {
    const shown = unwrapHead(event);
    return event.type === 'text' || event.type === 'tool_call' ? [event, ...shown] : shown;
  });
  return { ...stream, head, frames: frames() };
}
