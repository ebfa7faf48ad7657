import type { Refusal } from '../refusal.ts';
import type { ChatBody } from './chat-request.ts';
import { bad, unsupportedParameter } from './errors.ts';
import type { GptModel } from './models.ts';
import { isReasoning } from './rules-model.ts';
import { formatRefusal, functionRefusal } from './rules-schema.ts';

/** What only Chat Completions refuses: providers.md §2 and §4. */
type ChatRule = (body: ChatBody, model: GptModel) => Refusal | undefined;

const onlyResponses: ChatRule = (_body, model) =>
  model.chat
    ? undefined
    : {
        status: 404,
        message: 'This model is only supported in v1/responses and not in v1/chat/completions.',
        param: 'model',
        code: null,
      };

// litellm#34569, LibreChat#14355, onyx#15008 (T66): effort `none` must be explicit.
const functionToolsNeedNoEffort: ChatRule = (body, model) => {
  const hasFunctions = body.tools?.some((tool) => tool.type === 'function') === true;
  if (model.chatTools === 'always' || !hasFunctions || body.reasoning_effort === 'none') return undefined;
  return bad(
    `Function tools with reasoning_effort are not supported for ${body.model} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.`,
    'reasoning_effort',
  );
};

const maxTokens: ChatRule = (body, model) => {
  if (body.max_tokens == null) return undefined;
  if (isReasoning(model)) {
    return bad(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      'max_tokens',
      'unsupported_parameter',
    );
  }
  return body.max_completion_tokens == null
    ? undefined
    : bad("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", null);
};

// `stop`: o3, o4-mini (oSDK), taken for all reasoning models; penalties and logit_bias as the reasoning guide of 2025.
const refusedByReasoningModels: ChatRule = (body, model) => {
  if (!isReasoning(model)) return undefined;
  if (body.stop != null) return unsupportedParameter('stop');
  for (const field of ['presence_penalty', 'frequency_penalty'] as const) {
    if (body[field] != null && body[field] !== 0) return unsupportedParameter(field);
  }
  return body.logit_bias == null ? undefined : unsupportedParameter('logit_bias');
};

/** Models for sound and search that the simulator doesn't have, and predictions, which only old models take. */
const notWithTheseModels: ChatRule = (body) => {
  for (const field of ['audio', 'prediction', 'web_search_options', 'functions', 'function_call'] as const) {
    if (body[field] != null) return unsupportedParameter(field);
  }
  return body.modalities?.includes('audio') === true ? unsupportedParameter('modalities') : undefined;
};

const topLogprobsNeedLogprobs: ChatRule = (body) =>
  body.top_logprobs != null && body.logprobs !== true
    ? bad("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", 'top_logprobs')
    : undefined;

const streamOptionsNeedStream: ChatRule = (body) =>
  body.stream_options != null && body.stream !== true
    ? bad("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options')
    : undefined;

const toolSettingsNeedTools: ChatRule = (body) => {
  if (body.tools !== undefined) return undefined;
  for (const field of ['tool_choice', 'parallel_tool_calls'] as const) {
    if (body[field] == null) continue;
    return bad(`Invalid value for '${field}': '${field}' is only allowed when 'tools' are specified.`, field);
  }
  return undefined;
};

const toolChoiceIsOffered: ChatRule = (body) => {
  const choice = body.tool_choice;
  if (choice === undefined || typeof choice === 'string') return undefined;
  const offered = (body.tools ?? []).map((tool) =>
    tool.type === 'function' ? `function ${tool.function.name}` : `custom ${tool.custom.name}`,
  );
  const wanted = choice.type === 'allowed_tools' ? choice.allowed_tools.tools.map(nameOf) : [nameOf(choice)];
  const missing = wanted.find((one) => !offered.includes(one));
  return missing === undefined
    ? undefined
    : bad(`Tool choice '${missing.split(' ')[1]}' not found in 'tools' parameter.`, 'tool_choice');
};

/** A tool as `tool_choice` names it: its kind, and its name inside it. */
function nameOf(tool: { type: string; [kind: string]: unknown }): string {
  const inner = tool[tool.type];
  const named = inner !== null && typeof inner === 'object' && 'name' in inner ? inner.name : '';
  return `${tool.type} ${String(named)}`;
}

// Custom tools came with GPT-5 (Arize-ai/openinference#2083; wording `?`).
const customToolsAreKnown: ChatRule = (body, model) => {
  const index = (body.tools ?? []).findIndex((tool) => tool.type === 'custom');
  return index < 0 || model.customTools
    ? undefined
    : bad(
        `Invalid value: 'custom'. Custom tools are not supported with this model.`,
        `tools[${index}].type`,
        'invalid_value',
      );
};

// An omitted `strict` is false in Chat (oDoc:function-calling).
const schemas: ChatRule = (body) => {
  for (const [index, tool] of (body.tools ?? []).entries()) {
    if (tool.type !== 'function') continue;
    const strict = tool.function.strict === true;
    const refusal = functionRefusal(tool.function, strict, `tools[${index}].function.parameters`);
    if (refusal !== undefined) return refusal;
  }
  return body.response_format?.type === 'json_schema'
    ? formatRefusal(body.response_format.json_schema, 'response_format')
    : undefined;
};

const jsonObjectIsNamed: ChatRule = (body) =>
  body.response_format?.type === 'json_object' &&
  !/json/i.test(JSON.stringify(body.messages.map((one) => one.content)))
    ? bad(
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        'messages',
      )
    : undefined;

// Both in one request is refused on the o-series (providers.md §4 `?`).
const oneKindOfInstruction: ChatRule = (body, model) => {
  const roles = new Set(body.messages.map((message) => message.role));
  return model.oSeries && roles.has('system') && roles.has('developer')
    ? bad("Messages with roles 'system' and 'developer' cannot be used together with this model.", 'messages')
    : undefined;
};

const assistantSaysSomething: ChatRule = (body) => {
  const index = body.messages.findIndex(
    (message) =>
      message.role === 'assistant' &&
      message.content == null &&
      message.tool_calls === undefined &&
      message.refusal == null &&
      message.function_call == null,
  );
  return index < 0
    ? undefined
    : bad("Invalid value for 'content': expected a string, got null.", `messages.[${index}].content`);
};

// Wording of 2025 (providers.md §4, Pairing).
const callsAreAnswered: ChatRule = (body) => {
  for (const [index, message] of body.messages.entries()) {
    if (message.role === 'tool') {
      let before = index - 1;
      while (body.messages[before]?.role === 'tool') before -= 1;
      const caller = body.messages[before];
      const ids = caller?.role === 'assistant' ? (caller.tool_calls ?? []).map((call) => call.id) : [];
      if (!ids.includes(message.tool_call_id)) {
        return bad(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          `messages.[${index}].role`,
        );
      }
    }
    if (message.role !== 'assistant' || message.tool_calls === undefined) continue;
    const answered = new Set<string>();
    for (const next of body.messages.slice(index + 1)) {
      if (next.role !== 'tool') break;
      answered.add(next.tool_call_id);
    }
    const open = message.tool_calls.map((call) => call.id).filter((id) => !answered.has(id));
    if (open.length > 0) {
      return bad(
        `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${open.join(', ')}`,
        'messages',
      );
    }
  }
  return undefined;
};

const CHAT_RULES: readonly ChatRule[] = [
  onlyResponses,
  maxTokens,
  refusedByReasoningModels,
  notWithTheseModels,
  functionToolsNeedNoEffort,
  topLogprobsNeedLogprobs,
  streamOptionsNeedStream,
  toolSettingsNeedTools,
  toolChoiceIsOffered,
  customToolsAreKnown,
  schemas,
  jsonObjectIsNamed,
  oneKindOfInstruction,
  assistantSaysSomething,
  callsAreAnswered,
];

/** The first thing Chat Completions refuses. */
export function chatRefusal(body: ChatBody, model: GptModel): Refusal | undefined {
  for (const rule of CHAT_RULES) {
    const refusal = rule(body, model);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
