import type { Usage } from '../../accounting/usage.ts';
import type { Answer, StopReason } from '../../answer.ts';
import type { AssistantBlock, ForeignBlock, ThinkingBlock } from '../../conversation.ts';
import { originalId } from '../../tool-ids.ts';
import { openAiError } from '../openai-error.ts';
import { readOpenAiUsage } from '../openai-usage.ts';
import {
  invalidAnswer,
  isObject,
  type JsonObject,
  objectAt,
  objectsAt,
  requiredText,
  textAt,
} from '../provider-json.ts';
import { joinedName } from './namespaces.ts';

/**
 * Reads the JSON body of a 200 of `POST /v1/responses`. Reasoning is kept as it came, and so are items that only
 * this wire knows (hosted tools).
 *
 * @throws FluxError with the error's own status where the response failed, 502 where it is no finished answer.
 */
export function readAnswer(body: unknown): Answer {
  if (!isObject(body)) throw invalidAnswer('no JSON object');
  const error = objectAt(body, 'error');
  if (error !== undefined || body.status === 'failed') throw openAiError(error ?? {});
  if (body.status !== 'completed' && body.status !== 'incomplete') throw invalidAnswer('it is not finished');
  if (!Array.isArray(body.output)) throw invalidAnswer('no `output`');
  const blocks = objectsAt(body, 'output').flatMap(readItem);
  const usage = usageOfResponse(body);
  const serviceTier = textAt(body, 'service_tier');
  return {
    id: requiredText(body, 'id'),
    model: requiredText(body, 'model'),
    blocks,
    stop: stopReason(body, {
      calls: blocks.some((block) => block.type === 'tool_call'),
      refused: blocks.some((block) => block.type === 'refusal'),
    }),
    ...(usage === undefined ? {} : { usage }),
    ...(serviceTier === undefined ? {} : { serviceTier }),
  };
}

function readItem(item: JsonObject): AssistantBlock[] {
  if (item.type === 'function_call') {
    return [
      {
        type: 'tool_call',
        id: originalId(requiredText(item, 'call_id')),
        name: joinedName(requiredText(item, 'name'), item.namespace),
        arguments: requiredText(item, 'arguments'),
      },
    ];
  }
  if (item.type === 'custom_tool_call') {
    return [
      {
        type: 'tool_call',
        id: originalId(requiredText(item, 'call_id')),
        name: joinedName(requiredText(item, 'name'), item.namespace),
        arguments: requiredText(item, 'input'),
        custom: true,
      },
    ];
  }
  if (item.type !== 'message') return [ownBlock(item)];
  return objectsAt(item, 'content').flatMap((part): AssistantBlock[] => {
    if (part.type === 'output_text' && part.text !== '') {
      const citations = objectsAt(part, 'annotations');
      const text = requiredText(part, 'text');
      return [{ type: 'text', text, ...(citations.length > 0 ? { citations } : {}) }];
    }
    if (part.type === 'refusal') return [{ type: 'refusal', text: requiredText(part, 'refusal') }];
    return [];
  });
}

/** A finished item that is the API's own. */
export function ownBlock(item: JsonObject): ThinkingBlock | ForeignBlock {
  return item.type === 'reasoning'
    ? { type: 'thinking', wire: 'openai-responses', raw: item }
    : { type: 'foreign', kind: textAt(item, 'type') ?? '', raw: item };
}

/** Why a finished response ended; `seen` says what its output held. */
export function stopReason(response: JsonObject, seen: { calls: boolean; refused: boolean }): StopReason {
  if (response.status === 'incomplete') {
    const reason = textAt(objectAt(response, 'incomplete_details') ?? {}, 'reason');
    return reason === 'content_filter' ? 'refusal' : 'length';
  }
  if (seen.calls) return 'tool_calls';
  return seen.refused ? 'refusal' : 'stop';
}

/** The response's usage; absent where it told none. */
export function usageOfResponse(response: JsonObject): Usage | undefined {
  const usage = objectAt(response, 'usage');
  return usage === undefined ? undefined : readOpenAiUsage(usage, 'input', 'output');
}
