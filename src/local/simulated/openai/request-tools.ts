import { z } from 'zod';
import { functionFields, functionName } from './request-parts.ts';

/** Free text, or a grammar it keeps to; Chat puts the grammar's fields one level deeper (oSDK). */
const syntax = { definition: z.string().min(1), syntax: z.enum(['lark', 'regex']) };
const plainFormat = z.strictObject({ type: z.literal('text') });

export const chatCustomTool = z.strictObject({
  name: functionName,
  description: z.string().optional(),
  format: z
    .discriminatedUnion('type', [
      plainFormat,
      z.strictObject({ type: z.literal('grammar'), grammar: z.strictObject(syntax) }),
    ])
    .optional(),
});

const customTool = z.strictObject({
  type: z.literal('custom'),
  name: functionName,
  description: z.string().optional(),
  format: z
    .discriminatedUnion('type', [plainFormat, z.strictObject({ type: z.literal('grammar'), ...syntax })])
    .optional(),
  async: z.boolean().optional(),
  defer_loading: z.boolean().optional(),
  allowed_callers: z.array(z.string()).nullish(),
});

const functionTool = z.strictObject({
  type: z.literal('function'),
  ...functionFields,
  async: z.boolean().optional(),
  defer_loading: z.boolean().optional(),
  allowed_callers: z.array(z.string()).nullish(),
  output_schema: z.record(z.string(), z.unknown()).nullish(),
});

/** Hosted tools (oSDK `Tool`): taken, and called by scripts alone. */
export const HOSTED_TOOLS = [
  'apply_patch',
  'code_interpreter',
  'computer',
  'computer_use_preview',
  'file_search',
  'image_generation',
  'local_shell',
  'mcp',
  'namespace',
  'programmatic_tool_calling',
  'shell',
  'tool_search',
  'web_search',
  'web_search_2025_08_26',
  'web_search_preview',
  'web_search_preview_2025_03_11',
] as const;

/** A tool of Responses. */
export const responsesTool = z.discriminatedUnion('type', [
  functionTool,
  customTool,
  z.looseObject({ type: z.enum(HOSTED_TOOLS) }),
]);
export type ResponsesTool = z.infer<typeof responsesTool>;

const allowed = {
  mode: z.enum(['auto', 'required']),
  tools: z.array(z.looseObject({ type: z.string() })).min(1),
};
const plainChoice = z.enum(['none', 'auto', 'required']);

export const chatToolChoice = z.union([
  plainChoice,
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: z.string() }) }),
    z.strictObject({ type: z.literal('custom'), custom: z.strictObject({ name: z.string() }) }),
    z.strictObject({ type: z.literal('allowed_tools'), allowed_tools: z.strictObject(allowed) }),
  ]),
]);

export const responsesToolChoice = z.union([
  plainChoice,
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('function'), name: z.string() }),
    z.strictObject({ type: z.literal('custom'), name: z.string() }),
    z.strictObject({ type: z.literal('allowed_tools'), ...allowed }),
    z.strictObject({
      type: z.literal('mcp'),
      server_label: z.string(),
      name: z.string().nullish(),
    }),
    z.strictObject({ type: z.enum(HOSTED_TOOLS).exclude(['mcp']) }),
  ]),
]);
