import type { WireParts } from '../../core/context/cache-parts.ts';
import type { Conversation, OutputConstraints, Tool, ToolChoice } from '../../core/conversation.ts';
import { isObject, type JsonObject, objectAt, objectsAt, textAt } from '../../core/dialects/provider-json.ts';
import { UnreadableRecord } from './log-entry.ts';
import { readLoggedMessages, readSystem } from './log-messages.ts';

/** What a log holds of a request: its conversation, and what may lose a prompt cache beside it. */
export interface LoggedPrompt {
  conversation: Conversation;
  wire: WireParts;
}

/**
 * The conversation in the body of a request to Chat Completions, Messages or Responses: all of it that decides its
 * size, its difficulty, which models can take it and what their caches hold of it.
 * @throws UnreadableRecord
 */
export function readLoggedRequest(body: JsonObject): LoggedPrompt {
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
  const conversation: Conversation = {
    messages,
    tools,
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(isSequential(body) ? { parallelToolCalls: false } : {}),
    output: readOutput(body),
    ...{ sampling: {}, reasoning: readReasoning(body), hints: readHints(body) },
  };
  return { conversation, wire: readWireParts(body) };
}

function readReasoning(body: JsonObject): Conversation['reasoning'] {
  const effort = textOf(body.reasoning_effort, body.reasoning, body.output_config, 'effort');
  const thinking = objectAt(body, 'thinking') ?? {};
  const [mode, budget] = [textAt(thinking, 'type'), thinking.budget_tokens];
  return {
    ...(effort === undefined ? {} : { effort }),
    ...(mode === undefined ? {} : { mode }),
    ...(typeof budget === 'number' ? { budgetTokens: budget } : {}),
  };
}

/** What Anthropic's Messages say of speed and web search. */
function readWireParts(body: JsonObject): WireParts {
  const speed = textAt(body, 'speed');
  const search = objectsAt(body, 'tools').find(isWebSearch);
  return {
    ...(speed === undefined || speed === 'standard' ? {} : { speed }),
    ...(search ? { web_search: textAt(search, 'type') ?? '' } : {}),
  };
}

/** Run by the provider: `web_search_20250305` (Messages), `web_search` (Responses). */
function isWebSearch(wire: JsonObject): boolean {
  return textAt(wire, 'type')?.startsWith('web_search') === true;
}

function isSequential(body: JsonObject): boolean {
  return (
    body.parallel_tool_calls === false || objectAt(body, 'tool_choice')?.disable_parallel_tool_use === true
  );
}

function readHints(body: JsonObject): Conversation['hints'] {
  const [serviceTier, promptCacheKey] = [textAt(body, 'service_tier'), textAt(body, 'prompt_cache_key')];
  return {
    ...(serviceTier === undefined ? {} : { serviceTier }),
    ...(promptCacheKey === undefined ? {} : { promptCacheKey }),
  };
}

/** A text by itself, or the named one in the first of the objects that has it. */
function textOf(own: unknown, first: unknown, second: unknown, name: string): string | undefined {
  if (typeof own === 'string') return own;
  return [first, second].flatMap((holder) => (isObject(holder) ? (textAt(holder, name) ?? []) : []))[0];
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** `{function: {…}}` (Chat), `{name, parameters}` (Responses), `{name, input_schema}` (Messages). */
function readTools(body: JsonObject): Tool[] {
  const called = objectsAt(body, 'tools').filter((wire) => !isWebSearch(wire));
  return called.map((wire) => {
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
  if (isObject(choice) && type === 'allowed_tools') return readAllowed(objectAt(choice, type) ?? choice);
  if (isObject(choice) && (type === 'tool' || type === 'function')) {
    return { type: 'tool', name: textAt(objectAt(choice, 'function') ?? choice, 'name') ?? '' };
  }
  return undefined;
}

/** `{mode, tools}`: flat in the Responses API, of `{function: {name}}` in Chat Completions. */
function readAllowed(allowed: JsonObject): ToolChoice {
  const names = objectsAt(allowed, 'tools').flatMap(
    (tool) => textAt(objectAt(tool, 'function') ?? tool, 'name') ?? [],
  );
  return { type: 'allowed', mode: allowed.mode === 'required' ? 'required' : 'auto', names };
}

function readOutput(body: JsonObject): OutputConstraints {
  const limits = [body.max_tokens, body.max_completion_tokens, body.max_output_tokens].filter(
    (limit) => typeof limit === 'number',
  );
  const n = typeof body.n === 'number' && body.n > 1 ? body.n : 1;
  const format = readFormat(body);
  const verbosity = textOf(body.verbosity, body.text, undefined, 'verbosity');
  return {
    ...(limits.length > 0 ? { maxTokens: Math.min(...limits) } : {}),
    ...(format === undefined ? {} : { format }),
    ...(verbosity === undefined ? {} : { verbosity }),
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
