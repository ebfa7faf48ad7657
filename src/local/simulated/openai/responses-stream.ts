import type { Frame } from '../wire.ts';
import { pieces, words } from '../wire.ts';
import type { OutputItem, OutputPart } from './responses-answer.ts';

/**
 * The events of a streamed response (providers.md §4, Stream): `sequence_number` from 0, one more on every event;
 * `event:` repeats the type; no `[DONE]`.
 */
export function* responseFrames(
  started: object,
  finished: { status: string },
  items: readonly OutputItem[],
  obfuscates: boolean,
): Generator<Frame> {
  let sequence = 0;
  const event = (type: string, fields: object): Frame => ({
    event: type,
    data: { type, sequence_number: sequence++, ...fields },
  });
  yield event('response.created', { response: started });
  yield event('response.in_progress', { response: started });
  for (const [output_index, item] of items.entries()) {
    yield event('response.output_item.added', { output_index, item: opening(item) });
    for (const { type, fields } of eventsOf(item)) {
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
  }
}

function eventsOf(item: OutputItem): ItemEvent[] {
  switch (item.type) {
    case 'message':
      return item.content.flatMap(partEvents);
    case 'function_call':
      return [
        ...pieces(item.arguments).map((delta) => ({
          type: 'response.function_call_arguments.delta',
          fields: { delta },
        })),
        {
          type: 'response.function_call_arguments.done',
          fields: { name: item.name, arguments: item.arguments },
        },
      ];
    case 'custom_tool_call':
      return [
        ...pieces(item.input).map((delta) => ({
          type: 'response.custom_tool_call_input.delta',
          fields: { delta },
        })),
        { type: 'response.custom_tool_call_input.done', fields: { input: item.input } },
      ];
    case 'reasoning':
      return item.summary.flatMap((part, summary_index) => [
        {
          type: 'response.reasoning_summary_part.added',
          fields: { summary_index, part: { ...part, text: '' } },
        },
        ...words(part.text).map((delta) => ({
          type: 'response.reasoning_summary_text.delta',
          fields: { summary_index, delta },
        })),
        { type: 'response.reasoning_summary_text.done', fields: { summary_index, text: part.text } },
        { type: 'response.reasoning_summary_part.done', fields: { summary_index, part } },
      ]);
  }
}

function partEvents(part: OutputPart, content_index: number): ItemEvent[] {
  const isText = part.type === 'output_text';
  const kind = isText ? 'response.output_text' : 'response.refusal';
  const text = isText ? part.text : part.refusal;
  const extra = isText ? { logprobs: [] } : {};
  return [
    {
      type: 'response.content_part.added',
      fields: { content_index, part: isText ? { ...part, text: '' } : { ...part, refusal: '' } },
    },
    ...words(text).map((delta) => ({ type: `${kind}.delta`, fields: { content_index, delta, ...extra } })),
    {
      type: `${kind}.done`,
      fields: { content_index, ...(isText ? { text, logprobs: [] } : { refusal: text }) },
    },
    { type: 'response.content_part.done', fields: { content_index, part } },
  ];
}
