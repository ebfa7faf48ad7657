import * as z from 'zod';
import { isObject, type JsonObject } from '../provider-json.ts';

/*
 * The request of POST /v1/responses as clients send it. Objects are loose: fields newer than this file survive on a
 * provider of the same wire and are reported where they can't be passed on (T35). Items are read one by one, each by
 * the schema of its type: what has none here is an item that only this wire knows.
 * Source of the shapes: OpenAI's published OpenAPI description, 2026-08.
 */

const lifetime = z.enum(['30m', '12h']);
const marked = {
  prompt_cache_breakpoint: z.looseObject({ mode: z.literal('explicit'), ttl: lifetime.nullish() }).nullish(),
};

const inputText = z.looseObject({ type: z.literal('input_text'), text: z.string(), ...marked });
const inputImage = z.looseObject({
  type: z.literal('input_image'),
  image_url: z.string().nullish(),
  file_id: z.string().nullish(),
  detail: z.string().nullish(),
  ...marked,
});
const inputFile = z.looseObject({
  type: z.literal('input_file'),
  file_data: z.string().nullish(),
  file_url: z.string().nullish(),
  file_id: z.string().nullish(),
  filename: z.string().nullish(),
  ...marked,
});
const outputText = z.looseObject({
  type: z.literal('output_text'),
  text: z.string(),
  annotations: z.array(z.record(z.string(), z.unknown())).nullish(),
});
const refusal = z.looseObject({ type: z.literal('refusal'), refusal: z.string() });

const inputPart = z.discriminatedUnion('type', [inputText, inputImage, inputFile]);
const parts = z.union([z.string(), z.array(inputPart)]);
export type InputPart = z.infer<typeof inputPart>;

/** What a system or developer message holds. */
const texts = z.union([z.string(), z.array(inputText).min(1)]);

export const messageItem = z.discriminatedUnion('role', [
  z.looseObject({ role: z.literal('system'), content: texts }),
  z.looseObject({ role: z.literal('developer'), content: texts }),
  z.looseObject({ role: z.literal('user'), content: z.union([z.string(), z.array(inputPart).min(1)]) }),
  z.looseObject({
    role: z.literal('assistant'),
    content: z.union([z.string(), z.array(z.discriminatedUnion('type', [outputText, refusal, inputText]))]),
    phase: z.string().nullish(),
  }),
]);

const callId = z.string().min(1).max(64);

export const functionCall = z.looseObject({
  call_id: callId,
  name: z.string().min(1),
  arguments: z.string(),
});
export const customCall = z.looseObject({ call_id: callId, name: z.string().min(1), input: z.string() });
export const callOutput = z.looseObject({ call_id: callId, output: parts });
type Call = z.infer<typeof functionCall>;
type Output = z.infer<typeof callOutput>;
type MessageItem = z.infer<typeof messageItem>;

/*
 * What most items are, looked at by hand: by its schema each takes several microseconds, and an agent sends hundreds.
 * Whatever is not plain is left to the schema, which then says what is wrong.
 */

export function isPlainCall(item: JsonObject): item is Call {
  return isCallId(item.call_id) && isText(item.name) && item.name !== '' && isText(item.arguments);
}

export function isPlainOutput(item: JsonObject): item is Output {
  return isCallId(item.call_id) && isText(item.output);
}

export function isPlainMessage(item: JsonObject): item is MessageItem {
  if (item.role === 'assistant') {
    const { content, phase } = item;
    if (phase != null && !isText(phase)) return false;
    return isText(content) || (Array.isArray(content) && content.every(isPlainText));
  }
  return (
    (item.role === 'user' || item.role === 'system' || item.role === 'developer') && isText(item.content)
  );
}

function isPlainText(part: unknown): boolean {
  if (!isObject(part) || part.type !== 'output_text' || !isText(part.text)) return false;
  return part.annotations == null || (Array.isArray(part.annotations) && part.annotations.length === 0);
}

function isCallId(value: unknown): value is string {
  return isText(value) && value !== '' && value.length <= 64;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

export const reasoningItem = z.looseObject({ id: z.string().nullish(), summary: z.array(z.looseObject({})) });

export const functionTool = z.looseObject({
  name: z.string().min(1),
  description: z.string().nullish(),
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});
export const customTool = z.looseObject({
  name: z.string().min(1),
  description: z.string().nullish(),
  format: z.record(z.string(), z.unknown()).nullish(),
});

const typed = z.looseObject({ type: z.string() });
const toolChoice = z.union([
  z.enum(['none', 'auto', 'required']),
  z.looseObject({ type: z.literal('function'), name: z.string().min(1) }),
  z.looseObject({ type: z.literal('custom'), name: z.string().min(1) }),
  z.looseObject({
    type: z.literal('allowed_tools'),
    mode: z.enum(['auto', 'required']),
    tools: z.array(z.looseObject({ type: z.string(), name: z.string().optional() })).min(1),
  }),
  // Hosted tools.
  z.looseObject({ type: z.string().regex(/^(?!(function|custom|allowed_tools)$)/) }),
]);

const format = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    name: z.string().min(1),
    description: z.string().nullish(),
    schema: z.record(z.string(), z.unknown()),
    strict: z.boolean().nullish(),
  }),
]);

export const responsesRequest = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.unknown())]).optional(),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  tools: z.array(typed).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  text: z.looseObject({ format: format.nullish(), verbosity: z.string().nullish() }).nullish(),
  reasoning: z
    .looseObject({
      effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      summary: z.string().nullish(),
    })
    .nullish(),
  // OpenAI wants 16 or more; fewer are raised to that, and the answer says so.
  max_output_tokens: z.number().int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
  include: z.array(z.string()).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_obfuscation: z.boolean().nullish() }).nullish(),
  background: z.boolean().nullish(),
  truncation: z.string().nullish(),
  service_tier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_options: z
    .looseObject({ mode: z.enum(['implicit', 'explicit']).nullish(), ttl: lifetime.nullish() })
    .nullish(),
  prompt_cache_retention: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  user: z.string().nullish(),
  max_tool_calls: z.number().int().nullish(),
});

export type ResponsesRequestBody = z.infer<typeof responsesRequest>;
