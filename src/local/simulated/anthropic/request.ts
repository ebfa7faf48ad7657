import { z } from 'zod';
import { SERVER_TOOLS } from './server-tools.ts';

const cacheControl = z.strictObject({
  type: z.literal('ephemeral'),
  ttl: z.enum(['5m', '1h']).optional(),
});
const marked = { cache_control: cacheControl.nullish() };

const cited = { cited_text: z.string() };
const citedDocument = {
  ...cited,
  document_index: z.number().int().min(0),
  document_title: z.string().nullish(),
  // Answers carry it, and histories repeat it.
  file_id: z.string().nullish(),
};
const at = z.number().int().min(0);

/** Citations of an earlier answer (aSDK `TextCitationParam`). */
const citation = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('char_location'),
    ...citedDocument,
    start_char_index: at,
    end_char_index: at,
  }),
  z.strictObject({
    type: z.literal('page_location'),
    ...citedDocument,
    start_page_number: at,
    end_page_number: at,
  }),
  z.strictObject({
    type: z.literal('content_block_location'),
    ...citedDocument,
    start_block_index: at,
    end_block_index: at,
  }),
  z.strictObject({
    type: z.literal('search_result_location'),
    ...cited,
    search_result_index: at,
    source: z.string(),
    title: z.string().nullish(),
    start_block_index: at,
    end_block_index: at,
  }),
  z.strictObject({
    type: z.literal('web_search_result_location'),
    ...cited,
    encrypted_index: z.string(),
    title: z.string().nullish(),
    url: z.string(),
  }),
]);

const text = z.strictObject({
  type: z.literal('text'),
  text: z.string(),
  citations: z.array(citation).nullish(),
  ...marked,
});

const image = z.strictObject({
  type: z.literal('image'),
  source: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('base64'),
      media_type: z.enum(['image/jpeg', 'image/png', 'image/gif', 'image/webp']),
      data: z.string(),
    }),
    z.strictObject({ type: z.literal('url'), url: z.string() }),
    z.strictObject({ type: z.literal('file'), file_id: z.string() }),
  ]),
  transformations: z.unknown().optional(),
  ...marked,
});

const citations = z.strictObject({ enabled: z.boolean().optional() }).nullish();

const document = z.strictObject({
  type: z.literal('document'),
  source: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('base64'),
      media_type: z.literal('application/pdf'),
      data: z.string(),
    }),
    z.strictObject({ type: z.literal('text'), media_type: z.literal('text/plain'), data: z.string() }),
    z.strictObject({ type: z.literal('url'), url: z.string() }),
    z.strictObject({ type: z.literal('file'), file_id: z.string() }),
    z.strictObject({
      type: z.literal('content'),
      content: z.union([z.string(), z.array(z.discriminatedUnion('type', [text, image]))]),
    }),
  ]),
  citations,
  context: z.string().nullish(),
  title: z.string().nullish(),
  ...marked,
});

const searchResult = z.strictObject({
  type: z.literal('search_result'),
  content: z.array(text),
  source: z.string(),
  title: z.string(),
  citations,
  ...marked,
});

const toolUse = z.strictObject({
  type: z.literal('tool_use'),
  // Letters, digits, _ and - only (T19).
  id: z.string().regex(/^[a-zA-Z0-9_-]+$/),
  name: z
    .string()
    .min(1)
    .regex(/^[a-zA-Z0-9_-]{1,64}$/),
  input: z.record(z.string(), z.unknown()),
  caller: z.unknown().optional(),
  toolset_name: z.string().nullish(),
  ...marked,
});

const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: z.string().regex(/^[a-zA-Z0-9_-]+$/),
  content: z
    .union([
      z.string(),
      z.array(
        z.discriminatedUnion('type', [
          text,
          image,
          document,
          searchResult,
          z.strictObject({ type: z.literal('tool_reference'), tool_name: z.string(), ...marked }),
        ]),
      ),
    ])
    .optional(),
  is_error: z.boolean().optional(),
  toolset_name: z.string().nullish(),
  ...marked,
});

// No `cache_control`: thinking blocks can't be marked.
const thinking = z.strictObject({
  type: z.literal('thinking'),
  thinking: z.string(),
  signature: z.string(),
});
const redactedThinking = z.strictObject({ type: z.literal('redacted_thinking'), data: z.string() });

// Anthropic's own tools: what a script made of them comes back in a history.
const serverToolUse = z.looseObject({
  type: z.literal('server_tool_use'),
  id: z.string(),
  name: z.string(),
  ...marked,
});
const serverToolResult = z.looseObject({
  type: z.enum([
    'web_search_tool_result',
    'web_fetch_tool_result',
    'code_execution_tool_result',
    'bash_code_execution_tool_result',
    'text_editor_code_execution_tool_result',
    'tool_search_tool_result',
  ]),
  tool_use_id: z.string(),
  ...marked,
});

/** Beta, in `system` messages: offers a declared tool from here on, or takes it away. */
const toolChange = z.strictObject({
  type: z.enum(['tool_addition', 'tool_removal']),
  tool: z.strictObject({ type: z.literal('tool_reference'), name: z.string() }),
  ...marked,
});

const block = z.discriminatedUnion('type', [
  toolChange,
  text,
  image,
  document,
  searchResult,
  toolUse,
  toolResult,
  thinking,
  redactedThinking,
  serverToolUse,
  serverToolResult,
]);

const effort = z.enum(['low', 'medium', 'high', 'xhigh', 'max']);

const message = z.strictObject({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([z.string(), z.array(block)]),
  // Beta, on `system` messages only.
  clear_at: z.enum(['next_user_message', 'never']).optional(),
  output_config: z.strictObject({ effort: effort.nullish() }).optional(),
});

const customTool = z.strictObject({
  type: z.literal('custom').nullish(),
  name: z
    .string()
    .min(1)
    .regex(/^[a-zA-Z0-9_-]{1,64}$/),
  description: z.string().optional(),
  input_schema: z.looseObject({
    type: z.literal('object'),
    properties: z.record(z.string(), z.unknown()).nullish(),
    required: z.array(z.string()).nullish(),
  }),
  strict: z.boolean().optional(),
  eager_input_streaming: z.boolean().nullish(),
  defer_loading: z.boolean().optional(),
  allowed_callers: z.array(z.string()).optional(),
  input_examples: z.array(z.record(z.string(), z.unknown())).optional(),
  ...marked,
});

/** Anthropic's own tools; the simulator offers them, and only a script calls them. */
const providerTool = z.looseObject({
  type: z.enum(Object.keys(SERVER_TOOLS)),
  name: z.string().optional(),
  ...marked,
});

const toolChoice = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('auto'), disable_parallel_tool_use: z.boolean().optional() }),
  z.strictObject({ type: z.literal('any'), disable_parallel_tool_use: z.boolean().optional() }),
  z.strictObject({
    type: z.literal('tool'),
    name: z.string(),
    disable_parallel_tool_use: z.boolean().optional(),
  }),
  z.strictObject({ type: z.literal('none') }),
]);

const binding = {
  block_binding: z
    .strictObject({ prefix_mismatch_behavior: z.enum(['error', 'drop_block']).nullish() })
    .nullish(),
};
const display = { display: z.enum(['summarized', 'omitted', 'updates']).nullish() };

const thinkingConfig = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('adaptive'), ...display, ...binding }),
  z.strictObject({
    type: z.literal('enabled'),
    budget_tokens: z.number().int().min(1_024),
    ...display,
    ...binding,
  }),
  z.strictObject({ type: z.literal('between_tools'), ...binding }),
  z.strictObject({ type: z.literal('disabled'), ...binding }),
]);

/** What both endpoints take. */
const shared = {
  model: z.string().min(1),
  messages: z.array(message).max(100_000),
  system: z.union([z.string(), z.array(text)]).optional(),
  tools: z.array(z.union([customTool, providerTool])).optional(),
  tool_choice: toolChoice.optional(),
  thinking: thinkingConfig.optional(),
  cache_control: cacheControl.nullish(),
  output_config: z
    .strictObject({
      effort: effort.nullish(),
      format: z
        .strictObject({ type: z.literal('json_schema'), schema: z.record(z.string(), z.unknown()) })
        .nullish(),
      task_budget: z.unknown().optional(),
    })
    .optional(),
  speed: z.enum(['standard', 'fast']).nullish(),
  user_profile_id: z.string().optional(),
  workspace_id: z.string().optional(),
  // Beta: refused without their header by rules-shape.ts.
  context_management: z.unknown().optional(),
  mcp_servers: z.unknown().optional(),
  output_format: z.unknown().optional(),
  fallbacks: z.unknown().optional(),
  fallback_credit_token: z.unknown().optional(),
  thread: z.unknown().optional(),
  compaction: z.unknown().optional(),
  billing_policy: z.unknown().optional(),
};

/** Body of `POST /v1/messages/count_tokens`: without `max_tokens`, `stream`, `metadata` and sampling. */
export const countTokensBody = z.strictObject(shared);

/** Body of `POST /v1/messages` (aSDK `MessageCreateParams` 1.12, and the beta fields named in providers.md §3). */
export const messagesBody = z.strictObject({
  ...shared,
  max_tokens: z.number().int().min(0),
  stream: z.boolean().optional(),
  stop_sequences: z.array(z.string()).optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.number().int().min(0).optional(),
  metadata: z.strictObject({ user_id: z.string().max(256).nullish() }).optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
  inference_geo: z.string().nullish(),
  container: z.unknown().optional(),
  diagnostics: z.strictObject({ previous_message_id: z.string().nullish() }).nullish(),
});

export type MessagesBody = z.infer<typeof messagesBody>;
export type CountTokensBody = z.infer<typeof countTokensBody>;
export type ContentBlock = z.infer<typeof block>;
export type RequestMessage = z.infer<typeof message>;
export type CacheControl = z.infer<typeof cacheControl>;

/** Blocks of a message; a bare text is one text block. */
export function blocksOf(content: RequestMessage['content']): readonly ContentBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}
