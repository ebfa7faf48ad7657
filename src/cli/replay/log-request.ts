import type { Conversation, OutputConstraints, Tool, ToolChoice } from '../../core/conversation.ts';
import { isObject, type JsonObject, objectAt, objectsAt, textAt } from '../../core/dialects/provider-json.ts';
import { UnreadableRecord } from './log-entry.ts';
import { readLoggedMessages, readSystem } from './log-messages.ts';

/**
 * The conversation in the body of a request to Chat Completions, Messages or Responses: all of it that decides its
 * size, its difficulty and which models can take it.
 * @throws UnreadableRecord
 */
export function readLoggedRequest(body: JsonObject): Conversation {
  const { messages: list, input } = body;
  const said = Array.isArray(list) ? list : typeof input === 'string' ? [input] : input;
  if (!Array.isArray(said)) throw new UnreadableRecord('it has no list of messages');
  if (isSet(body.previous_response_id) || isSet(body.conversation) || isSet(body.prompt)) {
    throw new UnreadableRecord(
      'a part of its prompt is stored at the provider (previous_response_id or the like)',
    );
  }
  const read = readLoggedMessages(said).map(({ message }) => message);
  const messages = [...readSystem(body.system), ...readSystem(body.instructions), ...read];
  if (messages.length === 0) throw new UnreadableRecord('it has no messages');
  const tools = readTools(body);
  const toolChoice = tools.length === 0 ? undefined : readToolChoice(body.tool_choice);
  return {
    messages,
    tools,
    ...(toolChoice === undefined ? {} : { toolChoice }),
    output: readOutput(body),
    ...{ sampling: {}, reasoning: {}, hints: {} },
  };
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** `{function: {…}}` (Chat), `{name, parameters}` (Responses), `{name, input_schema}` (Messages). */
function readTools(body: JsonObject): Tool[] {
  return objectsAt(body, 'tools').map((wire) => {
    const tool = objectAt(wire, 'function') ?? wire;
    const description = textAt(tool, 'description');
    const parameters = objectAt(tool, 'parameters') ?? objectAt(tool, 'input_schema');
    return {
      name: textAt(tool, 'name') ?? textAt(tool, 'type') ?? '',
      ...(description === undefined ? {} : { description }),
      ...(parameters === undefined ? {} : { parameters }),
    };
  });
}

function readToolChoice(choice: unknown): ToolChoice | undefined {
  const type = isObject(choice) ? choice.type : choice;
  if (type === 'none' || type === 'required') return { type };
  if (type === 'any') return { type: 'required' };
  if (isObject(choice) && (type === 'tool' || type === 'function')) {
    return { type: 'tool', name: textAt(objectAt(choice, 'function') ?? choice, 'name') ?? '' };
  }
  return undefined;
}

function readOutput(body: JsonObject): OutputConstraints {
  const limits = [body.max_tokens, body.max_completion_tokens, body.max_output_tokens].filter(
    (limit) => typeof limit === 'number',
  );
  const n = typeof body.n === 'number' && body.n > 1 ? body.n : 1;
  const format = readFormat(body);
  return {
    ...(limits.length > 0 ? { maxTokens: Math.min(...limits) } : {}),
    ...(format === undefined ? {} : { format }),
    ...{ stop: [], n, logprobs: body.logprobs === true },
  };
}

function readFormat(body: JsonObject): OutputConstraints['format'] {
  const format =
    objectAt(body, 'response_format') ??
    objectAt(objectAt(body, 'text') ?? {}, 'format') ??
    objectAt(objectAt(body, 'output_config') ?? {}, 'format') ??
    objectAt(body, 'output_format');
  if (format?.type === 'json_object') return { type: 'json_object' };
  if (format?.type !== 'json_schema') return undefined;
  const holder = objectAt(format, 'json_schema') ?? format;
  return {
    type: 'json_schema',
    name: textAt(holder, 'name') ?? '',
    schema: objectAt(holder, 'schema') ?? {},
  };
}
