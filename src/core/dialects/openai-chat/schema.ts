import * as z from 'zod';
import { exactCheck } from '../../exact-check.ts';
import { isObject } from '../provider-json.ts';

/*
 * The request of POST /v1/chat/completions as clients send it. Objects are loose: fields newer than this file
 * survive on a provider of the same wire and are reported where they can't be passed on (T35).
 * Source of the shapes: OpenAI's published OpenAPI description, 2026-08.
 */

const cacheControl = z.looseObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() });
/** Clients that know Anthropic mark parts of a Chat body (an extension LiteLLM and OpenRouter also read). */
const marked = { cache_control: cacheControl.nullish() };
const lifetime = z.enum(['30m', '12h']);
/** OpenAI's own marker, on content parts (GPT-5.6 and later). */
const breakable = {
  ...marked,
  prompt_cache_breakpoint: z.looseObject({ mode: z.literal('explicit'), ttl: lifetime.nullish() }).nullish(),
};

const textPart = z.looseObject({ type: z.literal('text'), text: z.string(), ...breakable });
const imagePart = z.looseObject({
  type: z.literal('image_url'),
  image_url: z.looseObject({ url: z.string().min(1), detail: z.string().nullish() }),
  ...breakable,
});
const filePart = z.looseObject({
  type: z.literal('file'),
  file: z.looseObject({
    file_data: z.string().min(1).nullish(),
    file_id: z.string().nullish(),
    filename: z.string().nullish(),
  }),
  ...breakable,
});
const refusalPart = z.looseObject({ type: z.literal('refusal'), refusal: z.string() });
/** Kinds that only Chat Completions knows (`input_audio`), or a server like it (`video_url`). */
const otherPart = z.looseObject({ type: z.string().regex(/^(?!(text|image_url|file|refusal)$)/) });

/** In a tool's result: read, to be refused by name. */
const noText = z.looseObject({ type: z.string().regex(/^(?!text$)/) });

const texts = z.union([z.string(), z.array(textPart).min(1)]);

const functionCall = z.looseObject({
  id: z.string().min(1),
  type: z.literal('function').default('function'),
  function: z.looseObject({ name: z.string().min(1), arguments: z.string() }),
  ...marked,
});

const customCall = z.looseObject({
  id: z.string().min(1),
  type: z.literal('custom'),
  custom: z.looseObject({ name: z.string().min(1), input: z.string() }),
  ...marked,
});

export const chatMessage = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('system'), content: texts, name: z.string().nullish() }),
  z.looseObject({ role: z.literal('developer'), content: texts, name: z.string().nullish() }),
  z.looseObject({
    role: z.literal('user'),
    content: z.union([z.string(), z.array(z.union([textPart, imagePart, filePart, otherPart])).min(1)]),
    name: z.string().nullish(),
  }),
  z.looseObject({
    role: z.literal('assistant'),
    content: z.union([z.string(), z.array(z.union([textPart, refusalPart])), z.null()]).optional(),
    refusal: z.string().nullish(),
    name: z.string().nullish(),
    tool_calls: z.array(z.union([functionCall, customCall])).nullish(),
  }),
  z.looseObject({
    role: z.literal('tool'),
    tool_call_id: z.string().min(1),
    content: z.union([z.string(), z.array(z.union([textPart, noText]))]),
    ...marked,
  }),
]);

const functionTool = z.looseObject({
  type: z.literal('function'),
  function: z.looseObject({
    name: z.string().min(1),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
  ...marked,
});
const customTool = z.looseObject({
  type: z.literal('custom'),
  custom: z.looseObject({
    name: z.string().min(1),
    description: z.string().nullish(),
    format: z.looseObject({ type: z.string() }).nullish(),
  }),
  ...marked,
});
const tool = z.discriminatedUnion('type', [functionTool, customTool]);

const named = z.union([
  z.looseObject({
    type: z.literal('function'),
    function: z.looseObject({ name: z.string().min(1) }),
  }),
  z.looseObject({ type: z.literal('custom'), custom: z.looseObject({ name: z.string().min(1) }) }),
]);
const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  named,
  z.looseObject({
    type: z.literal('allowed_tools'),
    allowed_tools: z.looseObject({ mode: z.enum(['auto', 'required']), tools: z.array(named).min(1) }),
  }),
]);

const responseFormat = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    json_schema: z.looseObject({
      name: z.string().min(1),
      description: z.string().nullish(),
      schema: z.record(z.string(), z.unknown()).default({}),
      strict: z.boolean().nullish(),
    }),
  }),
]);

export const chatRequest = z.looseObject({
  model: z.string().min(1),
  messages: z.array(chatMessage).min(1),
  tools: z.array(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.number().int().min(1).nullish(),
  max_completion_tokens: z.number().int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  // 64 bits: a larger one than a number holds stays whole in a spliced body.
  seed: z.number().nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  logit_bias: z.record(z.string(), z.number()).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  n: z.number().int().min(1).max(128).nullish(),
  response_format: responseFormat.nullish(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
  verbosity: z.enum(['low', 'medium', 'high']).nullish(),
  service_tier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_options: z
    .looseObject({ mode: z.enum(['implicit', 'explicit']).nullish(), ttl: lifetime.nullish() })
    .nullish(),
  safety_identifier: z.string().nullish(),
  user: z.string().nullish(),
  store: z.boolean().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  ...marked,
});

export type TextPart = z.infer<typeof textPart>;
export type ImagePart = z.infer<typeof imagePart>;
export type FilePart = z.infer<typeof filePart>;
export type ChatMessage = z.infer<typeof chatMessage>;

export type ChatTool = z.infer<typeof tool>;

/** The request but for its long lists, which {@link readLists} reads. */
export const chatEnvelope = chatRequest.omit({ messages: true, tools: true });
export type ChatEnvelope = z.infer<typeof chatEnvelope>;
/** Whether a body is one as it stands, so that none has to be made. */
export const isEnvelope = exactCheck(chatEnvelope);

/**
 * Reads messages and tools, of which most are plain: by the schema these take as long as to parse the whole body.
 * Null where something is wrong; the schema then says what.
 */
export function readLists(body: unknown): { messages: ChatMessage[]; tools: ChatTool[] } | null {
  if (typeof body !== 'object' || body === null || !('messages' in body)) return null;
  const messages = readEach(body.messages, isPlainMessage, chatMessage);
  const tools = readEach(('tools' in body ? body.tools : null) ?? [], isPlainTool, tool);
  return messages && tools && messages.length > 0 ? { messages, tools } : null;
}

function readEach<T>(list: unknown, isPlain: (item: unknown) => item is T, schema: z.ZodType<T>): T[] | null {
  if (!Array.isArray(list)) return null;
  const read: T[] = [];
  for (const item of list) {
    const { data } = isPlain(item) ? { data: item } : schema.safeParse(item);
    if (data === undefined) return null;
    read.push(data);
  }
  return read;
}

const PLAIN_ROLES: ReadonlySet<unknown> = new Set(['system', 'developer', 'user', 'assistant']);

/** A role and a text. */
function isPlainMessage(item: unknown): item is ChatMessage {
  return (
    isObject(item) &&
    PLAIN_ROLES.has(item.role) &&
    typeof item.content === 'string' &&
    Object.keys(item).length === 2
  );
}

/** A function with name, description and parameters. */
function isPlainTool(item: unknown): item is ChatTool {
  if (!isObject(item) || item.type !== 'function' || Object.keys(item).length !== 2) return false;
  const made = item.function;
  return (
    isObject(made) &&
    typeof made.name === 'string' &&
    made.name !== '' &&
    typeof made.description === 'string' &&
    isObject(made.parameters) &&
    Object.keys(made).length === 3
  );
}

/** Fields read into the conversation; every other one is passed on only to the same wire. */
export const KNOWN_FIELDS: ReadonlySet<string> = new Set(Object.keys(chatRequest.shape));

/**
 * Fields whose meaning no other wire has: a step that carries one (other than its null, empty or default value)
 * can only go to a model behind Chat Completions.
 */
export const CHAT_ONLY_FIELDS: readonly string[] = [
  'functions',
  'function_call',
  'audio',
  'modalities',
  'prediction',
  'web_search_options',
  'moderation',
];
