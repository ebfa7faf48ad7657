import type { AnswerEvent, StopReason } from '../../answer.ts';
import type { FluxError } from '../../errors.ts';
import type { AnswerHead, StreamWriter } from '../client-dialect.ts';
import { writeOpenAIError } from '../openai-error.ts';
import { writeUsage } from './usage.ts';
import { FINISH_REASONS } from './write.ts';

/** An SSE comment: keeps a silent stream alive, and no client shows it (T69). */
export const KEEP_ALIVE = ': keep-alive\n\n';

function frame(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** No `[DONE]` follows. */
function writeError(error: FluxError): string {
  return frame(writeOpenAIError(error));
}

/** Translates any provider's events into `chat.completion.chunk`s. The finish chunk waits for {@link StreamWriter.finish}. */
export function createStreamWriter(head: AnswerHead, includeUsage: boolean): StreamWriter {
  let model = '';
  let opened = false;
  let stop: StopReason = 'stop';
  const customCalls = new Set<number>();

  const chunk = (choices: unknown[], more: Record<string, unknown> = {}): string =>
    frame({
      id: `chatcmpl-${head.requestId}`,
      object: 'chat.completion.chunk',
      created: head.created,
      model,
      choices,
      ...(includeUsage ? { usage: null } : {}),
      ...more,
    });
  const delta = (fields: Record<string, unknown>): string => {
    const role = opened
      ? ''
      : chunk([
          {
            index: 0,
            delta: { role: 'assistant', content: '', refusal: null },
            logprobs: null,
            finish_reason: null,
          },
        ]);
    opened = true;
    return role + chunk([{ index: 0, delta: fields, logprobs: null, finish_reason: null }]);
  };

  const writeEvent = (event: AnswerEvent): string => {
    switch (event.type) {
      case 'start':
        model = event.model;
        return '';
      case 'text':
        return delta({ content: event.text });
      case 'refusal':
        return delta({ refusal: event.text });
      case 'tool_call': {
        const { index, id, name, custom } = event;
        if (custom === true) customCalls.add(index);
        return delta({
          tool_calls: [
            custom === true
              ? { index, id, type: 'custom', custom: { name, input: '' } }
              : { index, id, type: 'function', function: { name, arguments: '' } },
          ],
        });
      }
      case 'tool_arguments': {
        const { index, delta: piece } = event;
        const more = customCalls.has(index)
          ? { custom: { input: piece } }
          : { function: { arguments: piece } };
        return delta({ tool_calls: [{ index, ...more }] });
      }
      case 'stop':
        stop = event.reason;
        return '';
      default:
        return '';
    }
  };

  return {
    write: ({ events }) => events.map(writeEvent).join(''),
    finish(usage, metadata) {
      const opening = opened
        ? ''
        : chunk([
            {
              index: 0,
              delta: { role: 'assistant', content: '', refusal: null },
              logprobs: null,
              finish_reason: null,
            },
          ]);
      const last = [{ index: 0, delta: {}, logprobs: null, finish_reason: FINISH_REASONS[stop] }];
      const ending = includeUsage
        ? chunk(last) + chunk([], { usage: writeUsage(usage), fluxcompute: metadata })
        : chunk(last, { fluxcompute: metadata });
      return `${opening}${ending}data: [DONE]\n\n`;
    },
    fail: writeError,
  };
}

/**
 * A chunk that may be the last of its choice or have none. Most are neither and need not be parsed once more; inside a
 * JSON string the quotes of these would be escaped.
 */
const LAST = /"finish_reason"\s*:\s*"|"choices"\s*:\s*\[\s*\]/;

/**
 * Relays a Chat Completions stream: every chunk as it came, unknown fields included. Only the last finish chunk
 * waits, since metadata rides on it, and the usage chunk is hidden unless the client asked for it (T27).
 */
export function createStreamRelay(includeUsage: boolean): StreamWriter {
  /** The last chunk as it came: what ours say of themselves is taken from it. */
  let last = '{}';
  let held: Record<string, unknown> | undefined;
  let usageChunk: Record<string, unknown> | undefined;

  const release = (): string => {
    const text = held ? frame(held) : '';
    held = undefined;
    return text;
  };
  const head = (): Record<string, unknown> => {
    const { id, object, created, model }: Record<string, unknown> = JSON.parse(last);
    return { id, object, created, model, choices: [] };
  };

  return {
    write({ raw }) {
      // The event reader has read it: what is no JSON is an error by now, which has ended the stream.
      if (raw === '[DONE]' || raw === '') return '';
      last = raw;
      if (LAST.test(raw)) {
        const data: Record<string, unknown> = JSON.parse(raw);
        const choices = Array.isArray(data.choices) ? data.choices : [];
        if (choices.length === 0 && data.usage) {
          usageChunk = data;
          return '';
        }
        if (choices.some((choice) => choice?.finish_reason != null)) {
          const text = release();
          held = data;
          return text;
        }
      }
      return `${release()}data: ${raw.replaceAll('\n', '\ndata: ')}\n\n`;
    },
    finish(usage, metadata) {
      const ending = includeUsage
        ? release() +
          frame({ ...(usageChunk ?? { ...head(), usage: writeUsage(usage) }), fluxcompute: metadata })
        : frame({ ...(held ?? head()), fluxcompute: metadata });
      return `${ending}data: [DONE]\n\n`;
    },
    fail: writeError,
  };
}
