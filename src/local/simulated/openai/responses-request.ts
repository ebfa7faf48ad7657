import { z } from 'zod';
import {
  breakable,
  effort,
  functionName,
  jsonSchemaFormat,
  partText,
  sharedFields,
} from './request-parts.ts';
import { responsesTool, responsesToolChoice } from './request-tools.ts';

const textFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({ type: z.literal('json_schema'), ...jsonSchemaFormat }),
]);

/** An item's id is at most 64 characters. */
const id = {
  id: z.string().max(64).nullish(),
  status: z.enum(['in_progress', 'completed', 'incomplete']).nullish(),
};
/** 1–64 characters (oYAML). */
const callId = z.string().min(1).max(64);

const inputText = z.strictObject({ type: z.literal('input_text'), text: partText, ...breakable });
const inputImage = z.strictObject({
  type: z.literal('input_image'),
  image_url: z.string().nullish(),
  file_id: z.string().nullish(),
  detail: z.enum(['auto', 'low', 'high', 'original']).nullish(),
  ...breakable,
});
const inputFile = z.strictObject({
  type: z.literal('input_file'),
  file_data: z.string().nullish(),
  file_id: z.string().nullish(),
  file_url: z.string().nullish(),
  filename: z.string().nullish(),
  detail: z.string().nullish(),
  ...breakable,
});
const outputText = z.strictObject({
  type: z.literal('output_text'),
  text: partText,
  annotations: z.array(z.unknown()).optional(),
  logprobs: z.array(z.unknown()).optional(),
});
const refusal = z.strictObject({ type: z.literal('refusal'), refusal: z.string() });
const inputPart = z.discriminatedUnion('type', [inputText, inputImage, inputFile]);

const messageFields = { type: z.literal('message').optional(), phase: z.string().nullish(), ...id };
const message = z.discriminatedUnion('role', [
  z.strictObject({
    role: z.enum(['user', 'system', 'developer']),
    content: z.union([z.string(), z.array(inputPart).min(1)]),
    ...messageFields,
  }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.union([z.string(), z.array(z.discriminatedUnion('type', [outputText, refusal])).min(1)]),
    ...messageFields,
  }),
]);

const output = z.union([z.string().max(10_485_760), z.array(inputPart)]);
const caller = { caller: z.unknown().optional(), namespace: z.string().nullish() };

/** Items of hosted tools: made by nobody here but a script, and taken back as they are (oSDK `ResponseInputItem`). */
const hostedItem = z.looseObject({
  type: z.enum([
    'apply_patch_call',
    'apply_patch_call_output',
    'code_interpreter_call',
    'compaction',
    'computer_call',
    'computer_call_output',
    'file_search_call',
    'image_generation_call',
    'local_shell_call',
    'local_shell_call_output',
    'mcp_approval_request',
    'mcp_approval_response',
    'mcp_call',
    'mcp_list_tools',
    'program',
    'program_output',
    'shell_call',
    'shell_call_output',
    'tool_search_call',
    'tool_search_output',
    'web_search_call',
  ]),
  id: z.string(),
});

const item = z.discriminatedUnion('type', [
  hostedItem,
  z.strictObject({
    type: z.literal('function_call'),
    call_id: callId,
    name: functionName,
    arguments: z.string(),
    async: z.boolean().optional(),
    ...caller,
    ...id,
  }),
  z.strictObject({
    type: z.literal('function_call_output'),
    call_id: callId,
    output,
    name: z.string().nullish(),
    ...caller,
    ...id,
  }),
  z.strictObject({
    type: z.literal('custom_tool_call'),
    call_id: callId,
    name: z.string(),
    input: z.string(),
    async: z.boolean().optional(),
    ...caller,
    ...id,
  }),
  z.strictObject({ type: z.literal('custom_tool_call_output'), call_id: callId, output, ...caller, ...id }),
  z.strictObject({
    type: z.literal('reasoning'),
    id: z.string(),
    summary: z.array(z.strictObject({ type: z.literal('summary_text'), text: z.string() })),
    // Codex sends null where there is none.
    content: z.array(z.unknown()).nullish(),
    encrypted_content: z.string().nullish(),
    status: id.status,
  }),
  z.strictObject({ type: z.literal('item_reference'), id: z.string() }),
  z.strictObject({
    type: z.literal('configuration_update'),
    reasoning: z.strictObject({ effort: effort.nullish() }).optional(),
    text: z.strictObject({ format: textFormat }).optional(),
    id: id.id,
  }),
  z.strictObject({
    type: z.literal('additional_tools'),
    role: z.literal('developer'),
    tools: z.array(responsesTool),
    id: id.id,
  }),
]);

/** Body of `POST /v1/responses` (oSDK 7.57 `ResponseCreateParams`), as far as it is simulated. */
export const responsesBody = z.strictObject({
  ...sharedFields,
  access_programs: z.unknown().optional(),
  background: z.boolean().nullish(),
  // Codex sends it to OpenAI itself (openai/codex#27122), which keeps 2,048 characters of a value (#27557).
  client_metadata: z.record(z.string(), z.string()).nullish(),
  context_management: z.unknown().optional(),
  conversation: z.union([z.string(), z.strictObject({ id: z.string() })]).nullish(),
  image: z.unknown().optional(),
  include: z
    .array(
      z.enum([
        'file_search_call.results',
        'web_search_call.results',
        'web_search_call.action.sources',
        'message.input_image.image_url',
        'computer_call_output.output.image_url',
        'code_interpreter_call.outputs',
        'reasoning.encrypted_content',
        'message.output_text.logprobs',
      ]),
    )
    .nullish(),
  input: z.union([z.string(), z.array(z.union([item, message])).min(1)]).optional(),
  instructions: z.string().nullish(),
  // oYAML: at least 16.
  max_output_tokens: z.number().int().min(16).nullish(),
  max_tool_calls: z.number().int().min(1).nullish(),
  previous_response_id: z.string().nullish(),
  prompt: z
    .strictObject({
      id: z.string(),
      version: z.string().nullish(),
      variables: z.record(z.string(), z.unknown()).nullish(),
    })
    .nullish(),
  prompt_cache_options: z
    .strictObject({
      mode: z.enum(['implicit', 'explicit']).nullish(),
      ttl: z.enum(['30m', '12h']).nullish(),
      prewarm: z.boolean().nullish(),
      comparison_response_id: z.string().nullish(),
    })
    .nullish(),
  reasoning: z
    .strictObject({
      effort: effort.nullish(),
      summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
      generate_summary: z.enum(['auto', 'concise', 'detailed']).nullish(),
      context: z.enum(['auto', 'current_turn', 'all_turns']).nullish(),
      mode: z.enum(['standard', 'pro']).nullish(),
    })
    .nullish(),
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast']).nullish(),
  stream_options: z.strictObject({ include_obfuscation: z.boolean().optional() }).nullish(),
  text: z
    .strictObject({ format: textFormat.nullish(), verbosity: z.enum(['low', 'medium', 'high']).nullish() })
    .nullish(),
  tool_choice: responsesToolChoice.nullish(),
  tools: z.array(responsesTool).max(128).nullish(),
  truncation: z.enum(['auto', 'disabled']).nullish(),
});

export type ResponsesBody = z.infer<typeof responsesBody>;
type ParsedItem = Exclude<NonNullable<ResponsesBody['input']>, string>[number];
/** Its other fields travel along unseen. */
export type HostedItem = Pick<z.infer<typeof hostedItem>, 'type' | 'id'>;
export type InputItem = Exclude<ParsedItem, z.infer<typeof hostedItem>> | HostedItem;
export type InputPart = z.infer<typeof inputPart>;
