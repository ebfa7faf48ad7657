import * as z from 'zod';
import { isObject } from '../provider-json.ts';

/*
 * The request of POST /v1/messages as clients send it. Objects are loose: fields newer than this file survive on
 * Anthropic's own models and are reported where they can't be passed on (T35).
 * Source of the shapes: `MessageCreateParams` and the beta one of @anthropic-ai/sdk 1.12.0; older clients' fields too.
 */

const cacheControl = z.looseObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).nullish() });
const marked = { cache_control: cacheControl.nullish() };
const citations = z.looseObject({ enabled: z.boolean().nullish() }).nullish();
const anyObject = z.record(z.string(), z.unknown());

const text = z.looseObject({
  type: z.literal('text'),
  text: z.string(),
  citations: z.array(anyObject).nullish(),
  ...marked,
});
const image = z.looseObject({
  type: z.literal('image'),
  source: z.looseObject({ type: z.string() }),
  ...marked,
});
const document = z.looseObject({
  type: z.literal('document'),
  source: z.looseObject({ type: z.string() }),
  title: z.string().nullish(),
  context: z.string().nullish(),
  citations,
  ...marked,
});
const searchResult = z.looseObject({
  type: z.literal('search_result'),
  source: z.string(),
  title: z.string(),
  content: z.array(text),
  citations,
  ...marked,
});
const thinking = z.looseObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() });
const redactedThinking = z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() });
const toolUse = z.looseObject({
  type: z.literal('tool_use'),
  id: z.string().min(1),
  name: z.string().min(1),
  input: anyObject,
  ...marked,
});
/** Kinds that only this wire knows, and those that are newer than this file. */
const other = z.looseObject({
  type: z
    .string()
    .regex(/^(?!(text|image|document|search_result|thinking|redacted_thinking|tool_use|tool_result)$)/, {
      error: 'not allowed here',
      abort: true,
    }),
});

const shown = z.discriminatedUnion('type', [text, image, document, searchResult]);
const toolResult = z.looseObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string().min(1),
  content: z.union([z.string(), z.array(z.union([shown, other]))]).nullish(),
  is_error: z.boolean().nullish(),
  ...marked,
});

const userBlock = z.union([
  z.discriminatedUnion('type', [text, image, document, searchResult, toolResult]),
  other,
]);
// Older versions of the API took documents and pictures of the model's own.
const assistantBlock = z.union([
  z.discriminatedUnion('type', [text, thinking, redactedThinking, toolUse, image, document, searchResult]),
  other,
]);

const message = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('user'), content: z.union([z.string(), z.array(userBlock)]) }),
  z.looseObject({ role: z.literal('assistant'), content: z.union([z.string(), z.array(assistantBlock)]) }),
  z.looseObject({ role: z.literal('system'), content: z.union([z.string(), z.array(text)]) }),
]);

const customTool = z.looseObject({
  type: z.literal('custom').nullish(),
  name: z.string().min(1),
  description: z.string().nullish(),
  input_schema: anyObject,
  strict: z.boolean().nullish(),
  ...marked,
});
/** Anthropic's own tools carry a date in their type. */
const providerTool = z.looseObject({
  type: z.string().regex(/^(?!custom$)/, { error: 'needs an `input_schema`', abort: true }),
});

const parallel = { disable_parallel_tool_use: z.boolean().nullish() };
const toolChoice = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('auto'), ...parallel }),
  z.looseObject({ type: z.literal('any'), ...parallel }),
  z.looseObject({ type: z.literal('tool'), name: z.string().min(1), ...parallel }),
  z.looseObject({ type: z.literal('none') }),
]);

const format = z.looseObject({ type: z.literal('json_schema'), schema: anyObject });
const thinkingConfig = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('adaptive') }),
  z.looseObject({ type: z.literal('enabled'), budget_tokens: z.number().int().min(1_024) }),
  z.looseObject({ type: z.literal('between_tools') }),
  z.looseObject({ type: z.literal('disabled') }),
]);

/** What counting tokens takes too. */
const countedFields = {
  model: z.string().min(1),
  messages: z.array(message).min(1),
  system: z.union([z.string(), z.array(text)]).nullish(),
  tools: z.array(z.union([customTool, providerTool])).nullish(),
  tool_choice: toolChoice.nullish(),
  thinking: thinkingConfig.nullish(),
  output_config: z
    .looseObject({
      effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      format: format.nullish(),
    })
    .nullish(),
  // Its name before structured outputs were generally available.
  output_format: format.nullish(),
  ...marked,
};

/** The body of POST /v1/messages/count_tokens. */
export const countRequest = z.looseObject(countedFields);

export const messagesRequest = z.looseObject({
  ...countedFields,
  // 0 fills the prompt cache and answers nothing.
  max_tokens: z.number().int().min(0),
  stream: z.boolean().nullish(),
  stop_sequences: z.array(z.string()).nullish(),
  temperature: z.number().min(0).max(1).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.number().int().min(0).nullish(),
  metadata: z.looseObject({ user_id: z.string().nullish() }).nullish(),
  service_tier: z.enum(['auto', 'standard_only']).nullish(),
});

export type WireMessage = z.infer<typeof message>;
export type WireText = z.infer<typeof text>;
export type WireTool = z.infer<typeof customTool> | z.infer<typeof providerTool>;
export type WireUserBlock = z.infer<typeof userBlock>;
export type WireAssistantBlock = z.infer<typeof assistantBlock>;
export type WireToolResult = z.infer<typeof toolResult>;
export type CountRequestBody = z.infer<typeof countRequest>;
export type MessagesRequestBody = CountRequestBody & Partial<z.infer<typeof messagesRequest>>;

/** Fields read into the conversation. */
export const KNOWN_FIELDS: ReadonlySet<string> = new Set(Object.keys(messagesRequest.shape));

/**
 * Fields whose meaning no other wire has: history and tools that the API itself holds, and where data may be
 * processed. What else there is (`context_management`, `speed`, `fallbacks`, …) saves or hastens, and can be left out.
 */
export const MESSAGES_ONLY_FIELDS: readonly string[] = [
  'container',
  'mcp_servers',
  'thread',
  'compaction',
  'inference_geo',
  'user_profile_id',
  'workspace_id',
];

/** Both requests without a look at the messages, for those whose messages {@link readMessages} has read. */
const unread = { messages: z.custom<WireMessage[]>() };
export const messagesEnvelope = messagesRequest.extend(unread);
export const countEnvelope = countRequest.extend(unread);

/**
 * Reads messages, of which most are plain: by the schema these take as long as to parse the whole body. Null where
 * something is wrong; the schema then says what.
 */
export function readMessages(body: unknown): WireMessage[] | null {
  if (!isObject(body) || !Array.isArray(body.messages) || body.messages.length === 0) return null;
  const read: WireMessage[] = [];
  for (const item of body.messages) {
    const { data } = isPlain(item) ? { data: item } : message.safeParse(item);
    if (data === undefined) return null;
    read.push(data);
  }
  return read;
}

/** A message of text, calls, results and thinking, each without anything special. */
function isPlain(item: unknown): item is WireMessage {
  if (!isObject(item) || Object.keys(item).length !== 2) return false;
  const { role, content } = item;
  if (role !== 'user' && role !== 'assistant' && role !== 'system') return false;
  if (typeof content === 'string') return true;
  return Array.isArray(content) && content.every((block) => isObject(block) && isPlainBlock(block, role));
}

function isPlainBlock(block: Record<string, unknown>, role: 'user' | 'assistant' | 'system'): boolean {
  const members = Object.keys(block).length;
  switch (block.type) {
    case 'text':
      return members === 2 && typeof block.text === 'string';
    case 'tool_use':
      return (
        role === 'assistant' &&
        members === 4 &&
        isText(block.id) &&
        isText(block.name) &&
        isObject(block.input)
      );
    case 'tool_result':
      return (
        role === 'user' && members === 3 && isText(block.tool_use_id) && typeof block.content === 'string'
      );
    case 'thinking':
      return (
        role === 'assistant' &&
        members === 3 &&
        typeof block.thinking === 'string' &&
        typeof block.signature === 'string'
      );
    default:
      return false;
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
