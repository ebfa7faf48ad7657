import type { Usage } from '../../accounting/usage.ts';
import type { Answer, StopReason } from '../../answer.ts';
import type { AssistantBlock } from '../../conversation.ts';
import { valueText } from '../../json-scan.ts';
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

/**
 * Reads the JSON body of a 200 of `POST /v1/chat/completions`, of OpenAI or a server like it: the first choice.
 *
 * @param raw the body's text
 * @throws FluxError with the error's own status where the body is an error, 502 where it is no answer.
 */
export function readAnswer(body: unknown, raw = '{}'): Answer {
  if (!isObject(body)) throw invalidAnswer('no JSON object');
  throwError(body);
  const choice = objectsAt(body, 'choices')[0];
  const message = choice && objectAt(choice, 'message');
  if (choice === undefined || message === undefined) throw invalidAnswer('no `choices`');
  const id = textAt(body, 'id') ?? '';
  const blocks: AssistantBlock[] = [];
  const text = textAt(message, 'content');
  if (text) blocks.push({ type: 'text', text });
  const refusal = textAt(message, 'refusal');
  if (refusal) blocks.push({ type: 'refusal', text: refusal });
  const calls = objectsAt(message, 'tool_calls').filter(
    (call) => (objectAt(call, 'function') ?? objectAt(call, 'custom')) !== undefined,
  );
  const all: unknown[] = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  for (const [index, call] of calls.entries()) {
    const place = ['choices', 0, 'message', 'tool_calls', all.indexOf(call), 'function', 'arguments'];
    blocks.push(readCall(call, index, id, () => valueText(raw, place)));
  }
  const usage = usageOfChat(body);
  const serviceTier = textAt(body, 'service_tier');
  return {
    id,
    model: textAt(body, 'model') ?? '',
    blocks,
    stop: stopReason(textAt(choice, 'finish_reason'), { calls: calls.length > 0, refused: Boolean(refusal) }),
    ...(usage === undefined ? {} : { usage }),
    ...(serviceTier === undefined ? {} : { serviceTier }),
  };
}

function readCall(
  call: JsonObject,
  index: number,
  answerId: string,
  objectText: () => string | undefined,
): AssistantBlock {
  const custom = objectAt(call, 'custom');
  const made = custom ?? objectAt(call, 'function') ?? {};
  return {
    type: 'tool_call',
    id: callId(call, index, answerId),
    name: requiredText(made, 'name'),
    arguments: argumentsOf(made, objectText),
    ...(custom === undefined ? {} : { custom: true }),
  };
}

/** Some compatible servers give no ids: the place in the answer makes one. */
export function callId(call: JsonObject, index: number, answerId: string): string {
  return originalId(textAt(call, 'id') || `call_${answerId}_${index}`);
}

/**
 * Arguments are JSON text, or a custom tool's free text; some compatible servers send the object itself.
 * @param objectText that object as it stands in the body
 */
export function argumentsOf(made: JsonObject, objectText: () => string | undefined): string {
  if (isObject(made.arguments)) return objectText() ?? JSON.stringify(made.arguments);
  return textAt(made, 'arguments') ?? textAt(made, 'input') ?? '';
}

/** Throws the error inside a 200, if there is one (T28). */
export function throwError(body: JsonObject): void {
  if (body.error) throw openAiError(objectAt(body, 'error') ?? { message: textAt(body, 'error') });
}

/** Why the answer ended. A forced call ends in `stop` with OpenAI, any call does with some servers. */
export function stopReason(
  reason: string | undefined,
  seen: { calls: boolean; refused: boolean },
): StopReason {
  if (reason === 'length') return 'length';
  if (reason === 'content_filter') return 'refusal';
  if (seen.calls) return 'tool_calls';
  return seen.refused ? 'refusal' : 'stop';
}

/** The usage of a body or a chunk; absent where it told none. */
export function usageOfChat(body: JsonObject): Usage | undefined {
  const usage = objectAt(body, 'usage');
  return usage === undefined ? undefined : readOpenAiUsage(usage, 'prompt', 'completion');
}
