import type { Conversation, Message, Tool, UserBlock } from '../../conversation.ts';
import type { Edits } from '../../json-splice.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { documentFile } from '../document-file.ts';
import { imageUrl } from '../image-url.ts';
import type { JsonObject } from '../provider-json.ts';
import type { OwnRequest, RequestOptions } from '../upstream.ts';

/** The body of `POST /v1/chat/completions`, written anew: for clients of other dialects. */
export function writeRequest(
  conversation: Conversation,
  model: CatalogModel,
  options: RequestOptions,
): string {
  return JSON.stringify({
    ...members(conversation, model),
    messages: conversation.messages.flatMap(writeMessage),
    tools: writeTools(conversation.tools),
    ...envelope(options),
  });
}

/**
 * What has to change in a Chat client's own body for this model: only members whose meaning `pipeline/prepare`
 * changed, and those the gateway answers for (model, streaming, storage).
 */
export function requestEdits(
  { original, prepared }: Pick<OwnRequest, 'original' | 'prepared'>,
  model: CatalogModel,
  options: RequestOptions,
): Edits {
  const before = members(original, model);
  const edits: Edits = {
    // Stored answers can be read by every customer of the provider's key; `metadata` is refused without them.
    // A server that is only compatible may not know the field.
    store: model.assumed === true ? undefined : 'false',
    metadata: undefined,
    // The client's may have either name: one of them is right for the model.
    max_tokens: undefined,
    max_completion_tokens: undefined,
  };
  const alwaysSaid = new Set(['max_tokens', 'max_completion_tokens']);
  for (const [name, value] of Object.entries(members(prepared, model))) {
    const text = textOf(value);
    if (alwaysSaid.has(name) ? text !== undefined : text !== textOf(before[name])) edits[name] = text;
  }
  if (prepared.messages !== original.messages)
    edits.messages = textOf(prepared.messages.flatMap(writeMessage));
  if (prepared.tools !== original.tools) edits.tools = textOf(writeTools(prepared.tools));
  for (const [name, value] of Object.entries(envelope(options))) edits[name] = textOf(value);
  return edits;
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/** `include_usage`: without it a stream says nothing of its cost (T27). */
function envelope(options: RequestOptions): JsonObject {
  return {
    model: options.modelId,
    stream: options.stream ? true : undefined,
    stream_options: options.stream ? { include_usage: true } : undefined,
  };
}

/** Everything but messages, tools and the envelope; `undefined` where the client said nothing. */
function members(conversation: Conversation, model: CatalogModel): JsonObject {
  const { output, sampling, reasoning, hints } = conversation;
  // Reasoning models refuse the old name, and many compatible servers don't know the new one.
  const maxTokens =
    model.capabilities.defaultEffort !== null && model.assumed !== true
      ? 'max_completion_tokens'
      : 'max_tokens';
  return {
    [maxTokens]: output.maxTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    seed: sampling.seed,
    presence_penalty: sampling.presencePenalty,
    frequency_penalty: sampling.frequencyPenalty,
    logit_bias: sampling.logitBias,
    stop: output.stop.length > 0 ? output.stop : undefined,
    n: output.n > 1 ? output.n : undefined,
    logprobs: output.logprobs ? true : undefined,
    top_logprobs: output.topLogprobs,
    response_format: writeFormat(output.format),
    verbosity: output.verbosity,
    reasoning_effort: reasoning.effort,
    tool_choice: conversation.tools.length > 0 ? writeToolChoice(conversation) : undefined,
    parallel_tool_calls: conversation.tools.length > 0 ? conversation.parallelToolCalls : undefined,
    service_tier: hints.serviceTier,
    prompt_cache_key: hints.promptCacheKey,
    safety_identifier: hints.safetyIdentifier,
    user: hints.user,
  };
}

function writeMessage(message: Message): JsonObject[] {
  switch (message.role) {
    case 'tool':
      return message.content.map((result) => ({
        role: 'tool',
        tool_call_id: result.callId,
        content: writeContent(result.content),
      }));
    case 'assistant': {
      const texts = message.content.filter((block) => block.type === 'text');
      const refusals = message.content.filter((block) => block.type === 'refusal');
      const calls = message.content.filter((block) => block.type === 'tool_call');
      return [
        {
          role: 'assistant',
          name: message.name,
          content: texts.length === 0 && calls.length + refusals.length > 0 ? null : writeContent(texts),
          refusal: refusals.length > 0 ? refusals.map((block) => block.text).join('') : undefined,
          tool_calls:
            calls.length === 0
              ? undefined
              : calls.map(({ id, name, arguments: text }) => ({
                  id,
                  type: 'function',
                  function: { name, arguments: text },
                })),
        },
      ];
    }
    default:
      return [{ role: message.role, name: message.name, content: writeContent(message.content) }];
  }
}

/** One text is a string, which every server takes; more is a list of parts. */
function writeContent(blocks: readonly UserBlock[]): string | JsonObject[] {
  const [first, ...rest] = blocks;
  if (first === undefined) return '';
  if (first.type === 'text' && rest.length === 0) return first.text;
  return blocks.map(writePart);
}

function writePart(block: UserBlock): JsonObject {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text };
    case 'image':
      return { type: 'image_url', image_url: { url: imageUrl(block), detail: block.detail } };
    case 'document':
      return { type: 'file', file: documentFile(block) };
    // Back to the wire it came from: `pipeline/prepare` lets no other through.
    case 'foreign':
      return block.raw;
  }
}

function writeTools(tools: readonly Tool[]): JsonObject[] | undefined {
  if (tools.length === 0) return undefined;
  return tools.map(({ name, description, parameters, strict }) => ({
    type: 'function',
    function: { name, description, parameters, strict },
  }));
}

function writeToolChoice({ toolChoice }: Conversation): unknown {
  switch (toolChoice?.type) {
    case 'tool':
      return { type: 'function', function: { name: toolChoice.name } };
    case 'allowed':
      return {
        type: 'allowed_tools',
        allowed_tools: {
          mode: toolChoice.mode,
          tools: toolChoice.names.map((name) => ({ type: 'function', function: { name } })),
        },
      };
    default:
      return toolChoice?.type;
  }
}

function writeFormat(format: Conversation['output']['format']): JsonObject | undefined {
  if (format?.type !== 'json_schema') return format;
  const { type, ...schema } = format;
  return { type, json_schema: schema };
}
