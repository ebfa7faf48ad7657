import { z } from 'zod';
import {
  breakable,
  effort,
  functionFields,
  jsonSchemaFormat,
  partText,
  sharedFields,
} from './request-parts.ts';
import { chatCustomTool, chatToolChoice } from './request-tools.ts';

const textPart = z.strictObject({ type: z.literal('text'), text: partText, ...breakable });
const imagePart = z.strictObject({
  type: z.literal('image_url'),
  image_url: z.strictObject({
    url: z.string(),
    detail: z.enum(['auto', 'low', 'high', 'original']).nullish(),
  }),
  ...breakable,
});
const audioPart = z.strictObject({
  type: z.literal('input_audio'),
  input_audio: z.strictObject({ data: z.string(), format: z.enum(['wav', 'mp3']) }),
  ...breakable,
});
const filePart = z.strictObject({
  type: z.literal('file'),
  file: z.strictObject({
    file_data: z.string().optional(),
    file_id: z.string().optional(),
    filename: z.string().optional(),
  }),
  ...breakable,
});
const refusalPart = z.strictObject({ type: z.literal('refusal'), refusal: z.string() });

const texts = z.union([z.string(), z.array(textPart).min(1)]);
const name = { name: z.string().nullish() };

const toolCall = z.discriminatedUnion('type', [
  z.strictObject({
    // T19: at most 40 characters.
    id: z.string().max(40),
    type: z.literal('function'),
    function: z.strictObject({ name: z.string(), arguments: z.string() }),
  }),
  z.strictObject({
    id: z.string().max(40),
    type: z.literal('custom'),
    custom: z.strictObject({ name: z.string(), input: z.string() }),
  }),
]);

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: texts, ...name }),
  z.strictObject({ role: z.literal('developer'), content: texts, ...name }),
  z.strictObject({
    role: z.literal('user'),
    content: z.union([
      z.string(),
      z.array(z.discriminatedUnion('type', [textPart, imagePart, audioPart, filePart])).min(1),
    ]),
    ...name,
  }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z
      .union([z.string(), z.array(z.discriminatedUnion('type', [textPart, refusalPart])).min(1)])
      .nullish(),
    refusal: z.string().nullish(),
    tool_calls: z.array(toolCall).min(1).optional(),
    audio: z.unknown().optional(),
    function_call: z.unknown().optional(),
    // Answers carry it, and histories repeat it.
    annotations: z.array(z.unknown()).optional(),
    ...name,
  }),
  z.strictObject({ role: z.literal('tool'), content: texts, tool_call_id: z.string().max(40) }),
  z.strictObject({ role: z.literal('function'), content: z.string().nullable(), name: z.string() }),
]);

const tool = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('function'), function: z.strictObject(functionFields) }),
  z.strictObject({
    type: z.literal('custom'),
    custom: chatCustomTool,
  }),
]);

/** Body of `POST /v1/chat/completions` (oSDK 7.57 `ChatCompletionCreateParams`). */
export const chatBody = z.strictObject({
  ...sharedFields,
  messages: z.array(message).min(1),
  // `12h`, `prewarm` and comparisons are of Responses alone (oSDK).
  prompt_cache_options: z
    .strictObject({ mode: z.enum(['implicit', 'explicit']).nullish(), ttl: z.literal('30m').nullish() })
    .nullish(),
  audio: z.unknown().optional(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  function_call: z.unknown().optional(),
  functions: z.unknown().optional(),
  logit_bias: z.record(z.string(), z.number().min(-100).max(100)).nullish(),
  logprobs: z.boolean().nullish(),
  max_completion_tokens: z.number().int().min(1).nullish(),
  max_tokens: z.number().int().min(1).nullish(),
  modalities: z.array(z.enum(['text', 'audio'])).nullish(),
  n: z.number().int().min(1).max(128).nullish(),
  prediction: z.unknown().optional(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  reasoning_effort: effort.nullish(),
  response_format: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('text') }),
      z.strictObject({ type: z.literal('json_object') }),
      z.strictObject({ type: z.literal('json_schema'), json_schema: z.strictObject(jsonSchemaFormat) }),
    ])
    .optional(),
  seed: z.number().int().nullish(),
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority', 'fast']).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  stream_options: z
    .strictObject({
      include_usage: z.boolean().optional(),
      include_obfuscation: z.boolean().optional(),
    })
    .nullish(),
  tool_choice: chatToolChoice.optional(),
  // 128 by the older reference (providers.md §4).
  tools: z.array(tool).min(1).max(128).optional(),
  verbosity: z.enum(['low', 'medium', 'high']).nullish(),
  web_search_options: z.unknown().optional(),
});

export type ChatBody = z.infer<typeof chatBody>;
export type ChatMessage = ChatBody['messages'][number];
