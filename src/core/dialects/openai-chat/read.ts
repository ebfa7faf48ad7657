import * as z from 'zod';
import type {
  AssistantBlock,
  CacheMark,
  Conversation,
  DocumentBlock,
  Hints,
  ImageBlock,
  Message,
  TextBlock,
  Tool,
  ToolChoice,
  UserBlock,
} from '../../conversation.ts';
import { type FluxError, invalidRequest } from '../../errors.ts';
import { automaticMarker } from '../cache-breakpoints.ts';
import type { ClientRequest } from '../client-dialect.ts';
import { isObject } from '../provider-json.ts';
import { fieldError, pathOf } from '../schema-error.ts';
import { deepestIssue } from '../schema-issue.ts';
import {
  CHAT_ONLY_FIELDS,
  type ChatEnvelope,
  type ChatMessage,
  type ChatTool,
  chatEnvelope,
  chatMessage,
  chatRequest,
  type FilePart,
  type ImagePart,
  isEnvelope,
  KNOWN_FIELDS,
  readLists,
  type TextPart,
} from './schema.ts';
import { createStreamRelay, createStreamWriter, KEEP_ALIVE } from './stream.ts';
import { writeCompletion } from './write.ts';

/**
 * Reads the parsed body of POST /v1/chat/completions.
 * @throws FluxError 400 that names the field.
 */
export function readChatRequest(body: unknown): ClientRequest {
  const { request, messages, tools } = readParts(body);
  const conversation: Conversation = {
    messages: toMessages(messages),
    tools: tools.map(toTool),
    output: readOutput(request),
    sampling: readSampling(request),
    reasoning: request.reasoning_effort ? { effort: request.reasoning_effort } : {},
    hints: {
      ...(request.prompt_cache_key ? { promptCacheKey: request.prompt_cache_key } : {}),
      ...automaticMarker(request.cache_control),
      ...(request.prompt_cache_options
        ? { promptCacheOptions: readCacheOptions(request.prompt_cache_options) }
        : {}),
      ...(request.service_tier ? { serviceTier: request.service_tier } : {}),
      ...(request.safety_identifier ? { safetyIdentifier: request.safety_identifier } : {}),
      ...(request.user ? { user: request.user } : {}),
    },
  };
  const choice = readToolChoice(request, conversation.tools);
  if (choice) conversation.toolChoice = choice;
  if (typeof request.parallel_tool_calls === 'boolean')
    conversation.parallelToolCalls = request.parallel_tool_calls;
  // T27: the usage chunk is hidden unless the client asked for it.
  const includeUsage = request.stream_options?.include_usage === true;
  return {
    model: request.model,
    stream: request.stream === true,
    conversation,
    metadata: request.metadata ?? {},
    ownFields: [
      ...CHAT_ONLY_FIELDS.filter((field) => isMeant(field, request[field])),
      ...ownParts(conversation.messages),
    ],
    unknownFields: Object.keys(request).filter(
      (field) => !KNOWN_FIELDS.has(field) && !CHAT_ONLY_FIELDS.includes(field) && request[field] != null,
    ),
    answerWriter: (head) => ({
      whole: (answer, metadata) => writeCompletion(answer, head, metadata),
      stream: () => createStreamWriter(head, includeUsage),
      relay: () => createStreamRelay(includeUsage),
      keepAlive: KEEP_ALIVE,
    }),
  };
}

/** A body by its schema. */
interface Parts {
  request: ChatEnvelope;
  messages: ChatMessage[];
  tools: ChatTool[];
}

/** @throws FluxError 400 that names the field. */
function readParts(body: unknown): Parts {
  const lists = readLists(body);
  if (lists) return { request: isEnvelope(body) ? body : parse(chatEnvelope, body), ...lists };
  const request = parse(chatRequest, body);
  return { request, messages: request.messages, tools: request.tools ?? [] };
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw schemaError(parsed.error, body);
  return parsed.data;
}

/** Where parts stand that only this wire knows; the messages of both are one to one, but for tool results. */
function ownParts(messages: readonly Message[]): string[] {
  const found: string[] = [];
  let place = 0;
  for (const { role, content } of messages) {
    if (role === 'user') {
      for (const [index, block] of content.entries())
        if (block.type === 'foreign') found.push(`messages[${place}].content[${index}].type`);
    }
    place += role === 'tool' ? content.length : 1;
  }
  return found;
}

function toTool(tool: ChatTool): Tool {
  if (tool.type === 'custom') {
    const { name, description, format } = tool.custom;
    return {
      name,
      ...(description == null ? {} : { description }),
      custom: format == null ? {} : { format: flatFormat(format) },
      ...mark(tool),
    };
  }
  const { name, description, parameters, strict } = tool.function;
  return {
    name,
    ...(description == null ? {} : { description }),
    ...(parameters ? { parameters } : {}),
    ...(typeof strict === 'boolean' ? { strict } : {}),
    ...mark(tool),
  };
}

/** A grammar stands in a member of its own here, and beside its type in Responses and in the conversation. */
function flatFormat({ type, grammar, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return isObject(grammar) ? { type, ...grammar, ...rest } : { type, ...rest };
}

function readCacheOptions({
  mode,
  ttl,
}: NonNullable<ChatEnvelope['prompt_cache_options']>): NonNullable<Hints['promptCacheOptions']> {
  return { ...(mode == null ? {} : { mode }), ...(ttl == null ? {} : { ttl }) };
}

/**
 * Reads messages in OpenAI's format on their own (logs, the CLI).
 * @throws FluxError 400 that names the field.
 */
export function readMessages(messages: unknown): Message[] {
  const parsed = z.object({ messages: z.array(chatMessage).min(1) }).safeParse({ messages });
  if (!parsed.success) throw schemaError(parsed.error, { messages });
  return toMessages(parsed.data.messages);
}

function toMessages(wire: ChatMessage[]): Message[] {
  const messages: Message[] = [];
  const open = new Set<string>();
  for (const [index, message] of wire.entries()) {
    if (message.role !== 'tool') {
      requireResults(open, `messages[${index}]`);
      messages.push(toMessage(message, index));
      if (message.role === 'assistant') for (const call of message.tool_calls ?? []) open.add(call.id);
      continue;
    }
    if (!open.delete(message.tool_call_id)) {
      throw invalidRequest(
        `messages[${index}] is a tool result, but no assistant message before it has an open tool call with that tool_call_id. Send the assistant message with its tool_calls first, and one result for each call.`,
        `messages[${index}].tool_call_id`,
      );
    }
    const result = {
      type: 'tool_result' as const,
      callId: message.tool_call_id,
      content: toParts(message.content, `messages[${index}].content`, false),
      ...mark(message),
    };
    const last = messages.at(-1);
    if (last?.role === 'tool') last.content.push(result);
    else messages.push({ role: 'tool', content: [result] });
  }
  requireResults(open, 'messages');
  return messages;
}

/** OpenAI's rule (providers.md §4, pairing): every call is answered before anything else is said. */
function requireResults(open: Set<string>, param: string): void {
  if (open.size === 0) return;
  throw invalidRequest(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id': ${open.size} of them ${open.size === 1 ? 'has' : 'have'} no response.`,
    param,
  );
}

function toMessage(message: Exclude<ChatMessage, { role: 'tool' }>, index: number): Message {
  const name = message.name == null ? {} : { name: message.name };
  if (message.role === 'user') {
    return { role: 'user', content: toParts(message.content, `messages[${index}].content`, true), ...name };
  }
  if (message.role !== 'assistant') {
    return { role: message.role, content: toTexts(message.content), ...name };
  }
  const content: AssistantBlock[] = [];
  if (typeof message.content === 'string') {
    if (message.content !== '') content.push({ type: 'text', text: message.content });
  } else {
    for (const part of message.content ?? []) {
      if (part.type === 'text') content.push({ type: 'text', text: part.text, ...mark(part) });
      else content.push({ type: 'refusal', text: part.refusal });
    }
  }
  if (message.refusal) content.push({ type: 'refusal', text: message.refusal });
  for (const call of message.tool_calls ?? []) {
    const { id } = call;
    content.push(
      call.type === 'custom'
        ? {
            type: 'tool_call',
            id,
            name: call.custom.name,
            arguments: call.custom.input,
            custom: true,
            ...mark(call),
          }
        : {
            type: 'tool_call',
            id,
            name: call.function.name,
            arguments: call.function.arguments,
            ...mark(call),
          },
    );
  }
  return { role: 'assistant', content, ...name };
}

interface Marked {
  cache_control?: { ttl?: '5m' | '1h' | undefined } | null | undefined;
  prompt_cache_breakpoint?: { ttl?: '30m' | '12h' | null | undefined } | null | undefined;
}

function toTexts(content: string | TextPart[]): TextBlock[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return content.map((part) => ({ type: 'text', text: part.text, ...mark(part) }));
}

/** @param files false where the wire takes text only (a tool's result). */
function toParts(
  content: string | { type: string; [key: string]: unknown }[],
  path: string,
  files: boolean,
): UserBlock[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return content.map((part, index) => {
    if (!files && part.type !== 'text') {
      throw invalidRequest(
        `Content parts of type '${part.type.slice(0, 40)}' are not supported here: send 'text'.`,
        `${path}[${index}].type`,
      );
    }
    // The schema has checked the known kinds.
    const checked = part as TextPart | ImagePart | FilePart;
    if (checked.type === 'text') return { type: 'text', text: checked.text, ...mark(checked) };
    if (checked.type === 'image_url') return toImage(checked, `${path}[${index}]`);
    return (
      (checked.type === 'file' && toDocument(checked)) || { type: 'foreign', kind: part.type, raw: part }
    );
  });
}

const DATA_URL = /^data:([a-z]+\/[a-z0-9.+-]+)(?:;[a-z-]+=[^;,]{1,40})*;base64,/i;

/** The media type and the data of a base64 data URL. Only the head is matched: the data itself may be megabytes. */
function openDataUrl(url: string): { kind: 'base64'; mediaType: string; data: string } | null {
  const head = DATA_URL.exec(url.slice(0, 200));
  return head?.[1]
    ? { kind: 'base64', mediaType: head[1].toLowerCase(), data: url.slice(head[0].length) }
    : null;
}

function toImage(part: ImagePart, path: string): ImageBlock {
  const { url, detail } = part.image_url;
  const more = { ...(detail == null ? {} : { detail }), ...mark(part) };
  const source = openDataUrl(url);
  if (source !== null) return { type: 'image', source, ...more };
  if (!/^https?:\/\//i.test(url.slice(0, 8))) {
    throw invalidRequest(
      'An image needs an http(s) URL or a base64 data URL (data:image/png;base64,…).',
      `${path}.image_url.url`,
    );
  }
  return { type: 'image', source: { kind: 'url', url }, ...more };
}

/** Null for a file that is stored at its provider. */
function toDocument(part: FilePart): DocumentBlock | null {
  const { file_data: data, filename } = part.file;
  if (data == null) return null;
  return {
    type: 'document',
    // Without a head it is a PDF: older clients send its bare base64.
    source: openDataUrl(data) ?? { kind: 'base64', mediaType: 'application/pdf', data },
    ...(filename == null ? {} : { title: filename }),
    ...mark(part),
  };
}

function mark({ cache_control: own, prompt_cache_breakpoint: point }: Marked): { cache?: CacheMark } {
  if (own) return { cache: own.ttl ? { ttl: own.ttl } : {} };
  if (!point) return {};
  return { cache: { breakpoint: true, ...(point.ttl === '12h' ? { ttl: '1h' } : {}) } };
}

function readToolChoice(request: ChatEnvelope, tools: Conversation['tools']): ToolChoice | undefined {
  const choice = request.tool_choice;
  if (choice == null) return undefined;
  if (tools.length === 0) {
    if (choice === 'none' || choice === 'auto') return undefined;
    throw invalidRequest("'tool_choice' is only allowed when 'tools' are specified.", 'tool_choice');
  }
  if (typeof choice === 'string') return { type: choice };
  const names = choice.type === 'allowed_tools' ? choice.allowed_tools.tools.map(nameOf) : [nameOf(choice)];
  const missing = names.find((name) => !tools.some((tool) => tool.name === name));
  if (missing !== undefined) {
    throw invalidRequest("'tool_choice' names a function that is not in 'tools'.", 'tool_choice');
  }
  if (choice.type !== 'allowed_tools') return { type: 'tool', name: nameOf(choice) };
  return { type: 'allowed', mode: choice.allowed_tools.mode, names };
}

function nameOf(
  tool: { type: 'function'; function: { name: string } } | { type: 'custom'; custom: { name: string } },
): string {
  return tool.type === 'custom' ? tool.custom.name : tool.function.name;
}

/** The stricter of the two limits: reading only one bypassed a cost cap elsewhere (T36). */
function readOutput(request: ChatEnvelope): Conversation['output'] {
  const limits = [request.max_tokens, request.max_completion_tokens].filter((limit) => limit != null);
  const format = request.response_format;
  return {
    ...(limits.length > 0 ? { maxTokens: Math.min(...limits) } : {}),
    stop: request.stop == null ? [] : [request.stop].flat().filter((stop) => stop !== ''),
    ...(format?.type === 'json_object' ? { format: { type: 'json_object' as const } } : {}),
    ...(format?.type === 'json_schema'
      ? {
          format: {
            type: 'json_schema' as const,
            name: format.json_schema.name,
            schema: format.json_schema.schema,
            ...(format.json_schema.description == null
              ? {}
              : { description: format.json_schema.description }),
            ...(typeof format.json_schema.strict === 'boolean' ? { strict: format.json_schema.strict } : {}),
          },
        }
      : {}),
    n: request.n ?? 1,
    logprobs: request.logprobs === true,
    ...(request.top_logprobs == null ? {} : { topLogprobs: request.top_logprobs }),
    ...(request.verbosity ? { verbosity: request.verbosity } : {}),
  };
}

function readSampling(request: ChatEnvelope): Conversation['sampling'] {
  return {
    ...(request.temperature == null ? {} : { temperature: request.temperature }),
    ...(request.top_p == null ? {} : { topP: request.top_p }),
    ...(request.seed == null ? {} : { seed: request.seed }),
    ...(request.presence_penalty == null ? {} : { presencePenalty: request.presence_penalty }),
    ...(request.frequency_penalty == null ? {} : { frequencyPenalty: request.frequency_penalty }),
    ...(request.logit_bias == null ? {} : { logitBias: request.logit_bias }),
  };
}

function isMeant(field: string, value: unknown): boolean {
  if (value == null) return false;
  if (field === 'modalities') return JSON.stringify(value) !== '["text"]';
  if (field === 'functions') return Array.isArray(value) && value.length > 0;
  if (field === 'function_call') return value !== 'none' && value !== 'auto';
  return true;
}

/** The first problem in the words of a path, never with the value that was sent. */
function schemaError(error: z.ZodError, body: unknown): FluxError {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return invalidRequest('The body must be a JSON object with `model` and `messages`.');
  }
  const { path, code } = deepestIssue(error.issues);
  if (path.at(-1) === 'role') {
    const at = pathOf(path);
    return invalidRequest(`'${at}' must be one of system, developer, user, assistant, tool.`, at);
  }
  if (code === 'too_small' && path.length === 1 && path[0] === 'messages') {
    return invalidRequest("'messages' is empty: send at least one message.", 'messages', 'empty_array');
  }
  return fieldError(error, body);
}
