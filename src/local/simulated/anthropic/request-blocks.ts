import { z } from 'zod';

export const cacheControl = z.strictObject({
  type: z.literal('ephemeral'),
  ttl: z.enum(['5m', '1h']).optional(),
});
export const marked = { cache_control: cacheControl.nullish() };

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

export const text = z.strictObject({
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

export const block = z.discriminatedUnion('type', [
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
