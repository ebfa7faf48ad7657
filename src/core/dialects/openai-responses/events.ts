import type { AnswerEvent } from '../../answer.ts';
import { originalId } from '../../tool-ids.ts';
import { openAiError } from '../openai-error.ts';
import { invalidAnswer, type JsonObject, objectAt, requiredText, textAt } from '../provider-json.ts';
import { type EventReader, frameReader, progress } from '../upstream.ts';
import { ownBlock, stopReason, usageOfResponse } from './answer.ts';
import { joinedName } from './namespaces.ts';

/** Items that are told as they are written. */
const WRITTEN: ReadonlySet<unknown> = new Set(['message', 'function_call', 'custom_tool_call']);
/** Events that repeat what came in deltas, and the member that does. */
const WHOLE: Readonly<Record<string, string>> = {
  'response.function_call_arguments.done': 'arguments',
  'response.custom_tool_call_input.done': 'input',
};

/** Reads the event stream of one `POST /v1/responses`. */
export function createEventReader(): EventReader {
  /** Output item → the call it is, counted over calls only (T32). */
  const calls = new Map<number, { index: number; begun: boolean }>();
  let refused = false;

  function openItem(data: JsonObject): AnswerEvent[] {
    const item = objectAt(data, 'item');
    if (item === undefined || typeof data.output_index !== 'number')
      throw invalidAnswer('an item without content');
    const custom = item.type === 'custom_tool_call';
    if (item.type !== 'function_call' && !custom) return [{ type: 'progress' }];
    const index = calls.size;
    calls.set(data.output_index, { index, begun: false });
    const id = originalId(requiredText(item, 'call_id'));
    const name = joinedName(requiredText(item, 'name'), item.namespace);
    return [{ type: 'tool_call', index, id, name, ...(custom ? { custom } : {}) }];
  }

  /** Reasoning and the API's own items are told whole: only now they are (encrypted content, providers.md §4). */
  function closeItem(data: JsonObject): AnswerEvent[] {
    const item = objectAt(data, 'item');
    if (item === undefined) throw invalidAnswer('an item without content');
    return WRITTEN.has(item.type) ? [{ type: 'progress' }] : [{ type: 'block', block: ownBlock(item) }];
  }

  function readArguments(data: JsonObject): AnswerEvent[] {
    const call = typeof data.output_index === 'number' ? calls.get(data.output_index) : undefined;
    if (call === undefined) throw invalidAnswer('arguments of a call that never began');
    const whole = WHOLE[String(data.type)];
    // What came in deltas is not said again.
    if (whole !== undefined && call.begun) return [{ type: 'progress' }];
    const delta = requiredText(data, whole ?? 'delta');
    if (delta === '') return [{ type: 'progress' }];
    call.begun = true;
    return [{ type: 'tool_arguments', index: call.index, delta }];
  }

  function finish(data: JsonObject): AnswerEvent[] {
    const response = objectAt(data, 'response');
    if (response === undefined) throw invalidAnswer('no `response`');
    const usage = usageOfResponse(response);
    const serviceTier = textAt(response, 'service_tier');
    const told: AnswerEvent[] =
      usage === undefined
        ? []
        : [{ type: 'usage', usage, ...(serviceTier === undefined ? {} : { serviceTier }) }];
    if (data.type === 'response.failed') {
      const error = openAiError(objectAt(response, 'error') ?? {});
      return [...told, { type: 'error', status: error.status, code: error.code, message: error.message }];
    }
    const reason = stopReason(response, { calls: calls.size > 0, refused });
    return [...told, { type: 'stop', reason }, { type: 'end' }];
  }

  return frameReader((data) => {
    switch (data.type) {
      case 'response.created': {
        const response = objectAt(data, 'response');
        if (response === undefined) throw invalidAnswer('no `response`');
        return [{ type: 'start', id: requiredText(response, 'id'), model: requiredText(response, 'model') }];
      }
      case 'response.output_item.added':
        return openItem(data);
      case 'response.output_text.delta':
        return [{ type: 'text', text: requiredText(data, 'delta') }];
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return [progress(textAt(data, 'delta'))];
      case 'response.refusal.delta':
        refused = true;
        return [{ type: 'refusal', text: requiredText(data, 'delta') }];
      case 'response.function_call_arguments.delta':
      case 'response.function_call_arguments.done':
      case 'response.custom_tool_call_input.delta':
      case 'response.custom_tool_call_input.done':
        return readArguments(data);
      case 'response.output_item.done':
        return closeItem(data);
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        return finish(data);
      case 'error':
        // The API's own form is flat; some servers nest it as in HTTP.
        throw openAiError(objectAt(data, 'error') ?? data);
      default:
        // Items opened and closed, reasoning, queues: signs of life.
        return textAt(data, 'type')?.startsWith('response.') ? [{ type: 'progress' }] : [];
    }
  });
}
