import type { AnswerEvent } from '../../../src/core/answer.ts';
import type { EventReader } from '../../../src/core/dialects/upstream.ts';

/** All that a reader makes of frames given as objects, or as text where they are no JSON. */
export function readAll(reader: EventReader, frames: readonly unknown[]): AnswerEvent[] {
  return frames.flatMap((frame) =>
    reader({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) }),
  );
}

/** Without signs of life. */
export function said(events: readonly AnswerEvent[]): AnswerEvent[] {
  return events.filter((event) => event.type !== 'progress');
}

/** Frames no provider should send: each has to become one error event. */
export const MALFORMED = ['', '{', 'null', '[]', '"text"', '17', '{"a":1'];
