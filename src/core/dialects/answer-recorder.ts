import type { StreamWriter } from './client-dialect.ts';
import { NO_TEXTS, type Texts } from './history.ts';

/** Reads what a client was answered, as the client itself would. */
export interface AnswerRecorder {
  /** A whole answer's body. */
  whole(text: string): Texts;
  /** The data of one event of a stream, parsed. */
  take(data: unknown): void;
  /** What the stream has said. */
  said(): Texts;
}

/** An answer on its way to a client, and what it has said once it is there. */
export interface Recording {
  /** A whole answer. */
  note(text: string): void;
  /** A stream that notes what it writes. */
  over(writer: StreamWriter): StreamWriter;
  /** Null where no answer has ended properly: a client goes on from none that was cut. */
  readonly said: Texts | null;
}

/** What is kept is what the client saw, whichever way it was written: so it is read from there. */
export function record(recorder: AnswerRecorder): Recording {
  let said: Texts | null = null;
  const listen = (text: string): string => {
    for (const frame of text.split('\n\n')) {
      const data = frame
        .split('\n')
        .flatMap((line) => (line.startsWith('data: ') ? [line.slice(6)] : []))
        .join('\n');
      if (data !== '' && data !== '[DONE]') recorder.take(JSON.parse(data));
    }
    return text;
  };
  return {
    note: (text) => {
      said = recorder.whole(text);
    },
    over: (writer) => ({
      write: (frame) => listen(writer.write(frame)),
      finish(usage, metadata) {
        const text = listen(writer.finish(usage, metadata));
        said = recorder.said();
        return text;
      },
      fail: (error, metadata) => writer.fail(error, metadata),
    }),
    get said() {
      return said;
    },
  };
}

/** An answer that says nothing is no message: both providers refuse an empty one. */
export function messageText(text: string, isEmpty: boolean): Texts {
  return isEmpty ? NO_TEXTS : { text, count: 1 };
}
