import type { Conversation, Reasoning, Sampling, Tool, ToolChoice } from '../../conversation.ts';
import { invalidRequest } from '../../errors.ts';
import { automaticMarker } from '../cache-breakpoints.ts';
import type { ClientRequest } from '../client-dialect.ts';
import { isObject } from '../provider-json.ts';
import { type Bound, mark, readTexts } from './read-blocks.ts';
import { toMessages } from './read-messages.ts';
import {
  countEnvelope,
  countRequest,
  KNOWN_FIELDS,
  MESSAGES_ONLY_FIELDS,
  type MessagesRequestBody,
  messagesEnvelope,
  messagesRequest,
  readMessages,
  type WireTool,
} from './request-schema.ts';
import { shapeError } from './shape-error.ts';
import { createStreamRelay, createStreamWriter, KEEP_ALIVE } from './stream.ts';
import { readUserId } from './user-id.ts';
import { writeMessage } from './write.ts';

/**
 * Reads the parsed body of POST /v1/messages.
 * @param rawBody its text, from which the inputs of calls are taken as they stand there
 * @throws FluxError 400 that names the field.
 */
export function readMessagesRequest(body: unknown, rawBody?: string): ClientRequest {
  const messages = readMessages(body);
  const parsed = (messages ? messagesEnvelope : messagesRequest).safeParse(body);
  if (!parsed.success) throw shapeError(parsed.error, body);
  return toRequest({ ...parsed.data, ...(messages ? { messages } : {}) }, rawBody);
}

/**
 * Reads the parsed body of POST /v1/messages/count_tokens: the same without what concerns the answer.
 * @throws FluxError 400 that names the field.
 */
export function readCountRequest(body: unknown, rawBody?: string): ClientRequest {
  const messages = readMessages(body);
  const parsed = (messages ? countEnvelope : countRequest).safeParse(body);
  if (!parsed.success) throw shapeError(parsed.error, body);
  return toRequest({ ...parsed.data, ...(messages ? { messages } : {}) }, rawBody);
}

function toRequest(request: MessagesRequestBody, rawBody: string | undefined): ClientRequest {
  const bound: Bound = {
    own: MESSAGES_ONLY_FIELDS.filter((field) => isMeant(field, request[field])),
    lost: new Set(),
  };
  // The API fills the cache and answers nothing: no other does.
  if (request.max_tokens === 0) bound.own.push('max_tokens');
  const system = readTexts(request.system ?? '');
  const messages = toMessages(request.messages, rawBody, bound, request.thread == null);
  const tools = readTools(request.tools ?? [], bound);
  const who = readUserId(request.metadata?.user_id ?? '');
  const conversation: Conversation = {
    messages: system.length > 0 ? [{ role: 'system', content: system }, ...messages] : messages,
    tools,
    ...readToolChoice(request),
    output: readOutput(request),
    sampling: readSampling(request),
    reasoning: readReasoning(request, bound),
    hints: {
      ...(request.service_tier == null
        ? {}
        : { serviceTier: request.service_tier === 'standard_only' ? 'default' : request.service_tier }),
      ...automaticMarker(request.cache_control),
    },
  };
  const unknown = Object.keys(request).filter(
    (field) => !KNOWN_FIELDS.has(field) && !MESSAGES_ONLY_FIELDS.includes(field) && request[field] != null,
  );
  return {
    model: request.model,
    stream: request.stream === true,
    conversation,
    metadata: {},
    ...(who.user === '' ? {} : { endUser: who.user }),
    ...(who.session === undefined ? {} : { sessionName: who.session }),
    ownFields: bound.own,
    unknownFields: [...unknown, ...bound.lost],
    answerWriter: (head) => ({
      whole: (answer, metadata) => writeMessage(answer, head, metadata),
      stream: () => createStreamWriter(head),
      relay: createStreamRelay,
      keepAlive: KEEP_ALIVE,
    }),
  };
}

/** Custom tools; Anthropic's own pin the step. */
function readTools(tools: readonly WireTool[], bound: Bound): Tool[] {
  return tools.flatMap((tool, index) => {
    if (!isCustom(tool)) {
      bound.own.push(`tools.${index}`);
      return [];
    }
    const callers: unknown = tool.allowed_callers;
    if (Array.isArray(callers) && !callers.includes('direct'))
      bound.own.push(`tools.${index}.allowed_callers`);
    for (const field of ['defer_loading', 'input_examples', 'eager_input_streaming']) {
      if (tool[field] != null && tool[field] !== false) bound.lost.add(`tools.${field}`);
    }
    return [
      {
        name: tool.name,
        ...(tool.description == null ? {} : { description: tool.description }),
        parameters: tool.input_schema,
        ...(typeof tool.strict === 'boolean' ? { strict: tool.strict } : {}),
        ...mark(tool.cache_control),
      },
    ];
  });
}

/** A tool that the client describes itself. */
function isCustom(tool: WireTool): tool is Extract<WireTool, { input_schema: unknown }> {
  return isObject(tool.input_schema) && (tool.type == null || tool.type === 'custom');
}

function readToolChoice({
  tool_choice: choice,
  tools,
}: MessagesRequestBody): Pick<Conversation, 'toolChoice' | 'parallelToolCalls'> {
  if (choice == null) return {};
  if (tools == null || tools.length === 0) {
    throw invalidRequest('tool_choice: may only be specified while providing `tools`', 'tool_choice');
  }
  if (choice.type === 'tool' && !tools.some((tool) => tool.name === choice.name)) {
    throw invalidRequest(`tool_choice: Tool '${choice.name}' not found in provided tools`, 'tool_choice');
  }
  // One of Anthropic's own is no tool of the conversation, but it is forced all the same.
  const isOwn = choice.type === 'tool' && !tools.some((tool) => tool.name === choice.name && isCustom(tool));
  const toolChoice: ToolChoice =
    choice.type === 'tool' && !isOwn
      ? { type: 'tool', name: choice.name }
      : { type: choice.type === 'any' || choice.type === 'tool' ? 'required' : choice.type };
  const disabled = choice.type === 'none' ? null : choice.disable_parallel_tool_use;
  return { toolChoice, ...(disabled == null ? {} : { parallelToolCalls: !disabled }) };
}

function readOutput(request: MessagesRequestBody): Conversation['output'] {
  const format = request.output_config?.format ?? request.output_format;
  return {
    ...(request.max_tokens === undefined ? {} : { maxTokens: request.max_tokens }),
    stop: (request.stop_sequences ?? []).filter((stop) => stop !== ''),
    // Anthropic's has no name, and is always strict.
    ...(format
      ? { format: { type: 'json_schema', name: 'answer', schema: format.schema, strict: true } }
      : {}),
    n: 1,
    logprobs: false,
  };
}

function readSampling(request: MessagesRequestBody): Sampling {
  return {
    ...(request.temperature == null ? {} : { temperature: request.temperature }),
    ...(request.top_p == null ? {} : { topP: request.top_p }),
    ...(request.top_k == null ? {} : { topK: request.top_k }),
  };
}

function readReasoning({ thinking, output_config: config }: MessagesRequestBody, bound: Bound): Reasoning {
  if (
    thinking &&
    'display' in thinking &&
    (thinking.display === 'summarized' || thinking.display === 'updates')
  )
    bound.lost.add('thinking.display');
  return {
    ...(config?.effort ? { effort: config.effort } : {}),
    ...(thinking ? { mode: thinking.type } : {}),
    ...(thinking?.type === 'enabled' ? { budgetTokens: thinking.budget_tokens } : {}),
  };
}

function isMeant(field: string, value: unknown): boolean {
  if (value == null) return false;
  if (Array.isArray(value)) return value.length > 0;
  return !(field === 'inference_geo' && value === 'global');
}
