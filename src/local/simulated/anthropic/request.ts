import { z } from 'zod';
import { block, cacheControl, marked, text } from './request-blocks.ts';
import { SERVER_TOOLS } from './server-tools.ts';

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
