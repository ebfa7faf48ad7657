import type { Reply, TextPart } from '../reply.ts';
import type { Frame } from '../wire.ts';
import { pieces, textPieces, words } from '../wire.ts';
import { logprobsOf } from './logprobs.ts';
import type { OutputItem, OutputPart } from './responses-answer.ts';

/**
 * The events of a streamed response (providers.md §4, Stream): `sequence_number` from 0, one more on every event;
 * `event:` repeats the type; no `[DONE]`.
 */
export function* responseFrames(
  started: { status: string },
  finished: { status: string },
  items: readonly OutputItem[],
  reply: Reply,
  obfuscates: boolean,
): Generator<Frame> {
  let sequence = 0;
  const event = (type: string, fields: object): Frame => ({
    event: type,
    data: { type, sequence_number: sequence++, ...fields },
  });
  yield event('response.created', { response: started });
  if (started.status === 'queued') yield event('response.queued', { response: started });
  yield event('response.in_progress', { response: { ...started, status: 'in_progress' } });
  const texts = reply.parts.flatMap((part) => (part.type === 'text' ? [part] : []));
  for (const [output_index, item] of items.entries()) {
    yield event('response.output_item.added', { output_index, item: opening(item) });
    for (const { type, fields } of eventsOf(item, texts)) {
      const isDelta = type.endsWith('.delta') && obfuscates;
      yield event(type, {
        item_id: item.id,
        output_index,
        ...fields,
        ...(isDelta ? { obfuscation: 'x'.repeat(1 + Math.floor(Math.random() * 12)) } : {}),
      });
    }
    yield event('response.output_item.done', { output_index, item });
  }
  yield event(`response.${finished.status}`, { response: finished });
}

interface ItemEvent {
  type: string;
  fields: object;
}

function opening(item: OutputItem): object {
  switch (item.type) {
    case 'message':
      return { ...item, status: 'in_progress', content: [] };
    case 'function_call':
      return { ...item, status: 'in_progress', arguments: '' };
    case 'custom_tool_call':
      return { ...item, input: '' };
    case 'reasoning':
      // Encrypted content may be incomplete here; `.done` has all of it.
      return { ...item, summary: [], ...(item.encrypted_content == null ? {} : { encrypted_content: '' }) };
    default:
      return 'status' in item ? { ...item, status: 'in_progress' } : item;
  }
}

/** Events of a hosted tool's call, by its type (oSDK `ResponseStreamEvent`). */
const HOSTED_EVENTS: Record<string, readonly string[]> = {
  web_search_call: ['in_progress', 'searching', 'completed'],
  file_search_call: ['in_progress', 'searching', 'completed'],
  code_interpreter_call: ['in_progress', 'interpreting', 'completed'],
  image_generation_call: ['in_progress', 'generating', 'completed'],
  mcp_call: ['in_progress', 'completed'],
  mcp_list_tools: ['in_progress', 'completed'],
};

function* eventsOf(item: OutputItem, texts: TextPart[]): Generator<ItemEvent> {
  switch (item.type) {
    case 'message':
      for (const [index, part] of item.content.entries()) {
        yield* partEvents(part, index, part.type === 'output_text' ? texts.shift() : undefined);
      }
      return;
    case 'function_call':
      for (const delta of pieces(item.arguments)) {
        yield { type: 'response.function_call_arguments.delta', fields: { delta } };
      }
      yield {
        type: 'response.function_call_arguments.done',
        fields: { name: item.name, arguments: item.arguments },
      };
      return;
    case 'custom_tool_call':
      for (const delta of pieces(item.input)) {
        yield { type: 'response.custom_tool_call_input.delta', fields: { delta } };
      }
      yield { type: 'response.custom_tool_call_input.done', fields: { input: item.input } };
      return;
    case 'reasoning':
      for (const [summary_index, part] of item.summary.entries()) {
        yield {
          type: 'response.reasoning_summary_part.added',
          fields: { summary_index, part: { ...part, text: '' } },
        };
        for (const delta of words(part.text)) {
          yield { type: 'response.reasoning_summary_text.delta', fields: { summary_index, delta } };
        }
        yield { type: 'response.reasoning_summary_text.done', fields: { summary_index, text: part.text } };
        yield { type: 'response.reasoning_summary_part.done', fields: { summary_index, part } };
      }
      return;
    default:
      for (const step of HOSTED_EVENTS[item.type] ?? []) {
        yield { type: `response.${item.type}.${step}`, fields: {} };
      }
  }
}

function* partEvents(
  part: OutputPart,
  content_index: number,
  said: TextPart | undefined,
): Generator<ItemEvent> {
  const isText = part.type === 'output_text';
  const kind = isText ? 'response.output_text' : 'response.refusal';
  const text = isText ? part.text : part.refusal;
  const opened = isText ? { ...part, text: '', annotations: [], logprobs: [] } : { ...part, refusal: '' };
  yield { type: 'response.content_part.added', fields: { content_index, part: opened } };
  const hasLogprobs = isText && part.logprobs.length > 0;
  for (const delta of said === undefined ? words(text) : textPieces(said)) {
    const logprobs = hasLogprobs ? logprobsOf(delta, 0) : [];
    yield { type: `${kind}.delta`, fields: { content_index, delta, ...(isText ? { logprobs } : {}) } };
  }
  for (const [annotation_index, annotation] of isText ? part.annotations.entries() : []) {
    yield {
      type: 'response.output_text.annotation.added',
      fields: { content_index, annotation_index, annotation },
    };
  }
  yield {
    type: `${kind}.done`,
    fields: { content_index, ...(isText ? { text, logprobs: part.logprobs } : { refusal: text }) },
  };
  yield { type: 'response.content_part.done', fields: { content_index, part } };
}
