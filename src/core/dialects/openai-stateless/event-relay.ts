import type { FluxError } from '../../errors.ts';
import type { PassthroughMetadata } from '../../metadata.ts';
import { openAiError, writeOpenAIError } from '../openai-error.ts';
import { isObject, type JsonObject, objectAt, objectsAt } from '../provider-json.ts';
import type { Frame } from '../upstream.ts';
import { type AnswerFacts, factsIn } from './answer-ends.ts';

/** A stream of events on its way through; each method gives the SSE text to send next, which may be empty. */
export interface EventRelay {
  write(frame: Frame): string;
  facts(): AnswerFacts;
  /** The stream stopped before the answer was finished (T30). */
  isCut(): boolean;
  finish(metadata: PassthroughMetadata): string;
  fail(error: FluxError): string;
}

/** Speech, transcripts and pictures: every event as it came, and nothing of ours (T69). */
export function createEventRelay(): EventRelay {
  const facts = gatherFacts();
  return {
    write(frame) {
      facts.add(frame.data);
      return textOf(frame);
    },
    facts: facts.all,
    // Each has its own last event, and servers of one's own have none.
    isCut: () => false,
    finish: () => '',
    fail: (error) => textOf({ data: JSON.stringify(writeOpenAIError(error)) }),
  };
}

/**
 * Completions: every chunk as it came. Only the last one with `choices` waits, since metadata rides on it or on the
 * usage chunk, which is hidden unless the client asked for it (T27).
 */
export function createCompletionRelay(includeUsage: boolean): EventRelay {
  const facts = gatherFacts();
  let held: JsonObject | undefined;
  let usageChunk: JsonObject | undefined;
  let isFinished = false;

  const release = (): string => {
    const text = held ? textOf({ data: JSON.stringify(held) }) : '';
    held = undefined;
    return text;
  };
  return {
    write(frame) {
      if (frame.data.trim() === '[DONE]') {
        isFinished = true;
        return '';
      }
      facts.add(frame.data);
      if (!LAST.test(frame.data)) return release() + textOf(frame);
      const chunk: unknown = parsed(frame.data);
      if (!isObject(chunk)) return release() + textOf(frame);
      const choices = objectsAt(chunk, 'choices');
      if (choices.length === 0 && objectAt(chunk, 'usage')) {
        usageChunk = chunk;
        return '';
      }
      if (!choices.some((choice) => typeof choice.finish_reason === 'string')) {
        return release() + textOf(frame);
      }
      isFinished = true;
      const text = release();
      held = chunk;
      return text;
    },
    facts: facts.all,
    isCut: () => !isFinished,
    finish(metadata) {
      const ridden = includeUsage && usageChunk ? usageChunk : held;
      const last = ridden ? textOf({ data: JSON.stringify({ ...ridden, fluxcompute: metadata }) }) : '';
      return `${ridden === held ? '' : release()}${last}data: [DONE]\n\n`;
    },
    fail: (error) => release() + textOf({ data: JSON.stringify(writeOpenAIError(error)) }),
  };
}

/** Inside a JSON string these quotes would be escaped: most frames need not be parsed. */
const LAST = /"finish_reason"\s*:\s*"|"choices"\s*:\s*\[\s*\]/;
const ERROR = /"error"\s*:\s*\{|"type"\s*:\s*"error"/;

/** The error that a frame is, where it is one: a 200 may begin with it (T28). */
export function errorIn({ data }: Frame): FluxError | null {
  if (!ERROR.test(data)) return null;
  const event = parsed(data);
  if (!isObject(event)) return null;
  const error = objectAt(event, 'error') ?? (event.type === 'error' ? event : undefined);
  return error ? openAiError(error) : null;
}

function gatherFacts() {
  let known: AnswerFacts = { model: null, usage: null };
  return {
    add(data: string): void {
      const found = factsIn([data]);
      known = { model: found.model ?? known.model, usage: found.usage ?? known.usage };
    },
    all: () => known,
  };
}

function textOf({ event, data }: Frame): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${data.replaceAll('\n', '\ndata: ')}\n\n`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
