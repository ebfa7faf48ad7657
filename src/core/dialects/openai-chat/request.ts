import type {
  CacheMark,
  Conversation,
  Message,
  Tool,
  ToolCallBlock,
  ToolResultBlock,
  UserBlock,
} from '../../conversation.ts';
import type { Edit, Edits } from '../../json-splice.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { writeBreakpoint } from '../cache-breakpoints.ts';
import { documentFile } from '../document-file.ts';
import { imageUrl } from '../image-url.ts';
import type { JsonObject } from '../provider-json.ts';
import { parameterSchema } from '../tool-schema.ts';
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
    // Never the client's own id: this body is for clients of other wires. Compatible servers may know no such field.
    safety_identifier: model.assumed === true ? undefined : options.userHash,
    ...envelope(options),
  });
}

/** Members that are written anew whether or not they changed. */
const ALWAYS_SAID: ReadonlySet<string> = new Set(['max_tokens', 'max_completion_tokens']);

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
    // Anthropic's automatic marker: clients send it to every model, and servers in front of several may know it.
    ...(model.assumed === true ? {} : { cache_control: undefined }),
    // The client's may have either name: one of them is right for the model.
    max_tokens: undefined,
    max_completion_tokens: undefined,
  };
  const after = members(prepared, model);
  for (const name in after) {
    const value = after[name];
    if (ALWAYS_SAID.has(name)) {
      if (value !== undefined) edits[name] = textOf(value);
    } else if (value !== before[name]) {
      const text = textOf(value);
      if (text !== textOf(before[name])) edits[name] = text;
    }
  }
  if (prepared.messages !== original.messages)
    edits.messages = messageEdits(original.messages, prepared.messages);
  if (prepared.tools !== original.tools) edits.tools = textOf(writeTools(prepared.tools));
  const around = envelope(options);
  for (const name in around) edits[name] = textOf(around[name]);
  return edits;
}

/** Only the messages that changed; all of them where that can't be told place by place. */
function messageEdits(original: readonly Message[], prepared: readonly Message[]): Edit {
  const edits: Edits = {};
  let place = 0;
  for (const [index, before] of original.entries()) {
    const after = prepared[index];
    // Each result is a message of its own on the wire.
    const span = before.role === 'tool' ? before.content.length : 1;
    if (after !== before) {
      const written = after === undefined ? [] : writeMessage(after);
      if (written.length !== span || prepared.length !== original.length)
        return textOf(prepared.flatMap(writeMessage));
      for (const [offset, message] of written.entries()) edits[place + offset] = textOf(message);
    }
    place += span;
  }
  return prepared.length === original.length ? edits : textOf(prepared.flatMap(writeMessage));
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
  const isNew = model.capabilities.defaultEffort !== null && model.assumed !== true;
  return {
    max_tokens: isNew ? undefined : output.maxTokens,
    max_completion_tokens: isNew ? output.maxTokens : undefined,
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
    prompt_cache_options: hints.promptCacheOptions,
  };
}

function writeMessage(message: Message): JsonObject[] {
  switch (message.role) {
    case 'tool':
      return message.content.map((result) => ({
        role: 'tool',
        tool_call_id: result.callId,
        content: writeContent(marked(result)),
      }));
    case 'assistant': {
      // An empty text is none: clients send it for null, and it is read as nothing.
      const texts = message.content
        .filter((block) => block.type === 'text')
        .filter(({ text, cache }) => text !== '' || cache !== undefined);
      const refusals = message.content
        .filter((block) => block.type === 'refusal')
        .filter(({ text }) => text !== '');
      const calls = message.content.filter((block) => block.type === 'tool_call');
      return [
        {
          role: 'assistant',
          name: message.name,
          content: texts.length === 0 && calls.length + refusals.length > 0 ? null : writeContent(texts),
          refusal: refusals.length > 0 ? refusals.map((block) => block.text).join('') : undefined,
          tool_calls: calls.length === 0 ? undefined : calls.map(writeCall),
        },
      ];
    }
    default:
      return [{ role: message.role, name: message.name, content: writeContent(message.content) }];
  }
}

function writeCall({ id, name, arguments: given, custom }: ToolCallBlock): JsonObject {
  return custom === true
    ? { id, type: 'custom', custom: { name, input: given } }
    : { id, type: 'function', function: { name, arguments: given } };
}

/** The mark of a result is that of its last part. */
function marked({ content, cache }: ToolResultBlock): UserBlock[] {
  const last = content.at(-1);
  if (cache === undefined || last === undefined || last.type === 'foreign') return content;
  return [...content.slice(0, -1), { ...last, cache }];
}

/** One text is a string, which every server takes; more is a list of parts. */
function writeContent(blocks: readonly UserBlock[]): string | JsonObject[] {
  const [first, ...rest] = blocks;
  if (first === undefined) return '';
  if (first.type === 'text' && first.cache === undefined && rest.length === 0) return first.text;
  return blocks.map(writePart);
}

function writePart(block: UserBlock): JsonObject {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text, ...breakpointOf(block) };
    case 'image':
      return {
        type: 'image_url',
        image_url: { url: imageUrl(block), detail: block.detail },
        ...breakpointOf(block),
      };
    case 'document':
      return {
        ...(block.source.kind === 'text'
          ? { type: 'text', text: block.source.text }
          : { type: 'file', file: documentFile(block.source, block.title) }),
        ...breakpointOf(block),
      };
    // Back to the wire it came from: `pipeline/prepare` lets no other through.
    case 'foreign':
      return block.raw;
  }
}

/** Twelve hours can be said in Responses; whether here too is not confirmed. */
function breakpointOf({ cache }: { cache?: CacheMark }): JsonObject {
  return cache === undefined ? {} : { prompt_cache_breakpoint: writeBreakpoint(cache, false) };
}

function writeTools(tools: readonly Tool[]): JsonObject[] | undefined {
  return tools.length === 0 ? undefined : tools.map(writeTool);
}

function writeTool({ name, description, parameters, strict, custom }: Tool): JsonObject {
  if (custom === undefined) {
    const schema = parameters && parameterSchema(parameters);
    return { type: 'function', function: { name, description, parameters: schema, strict } };
  }
  const { format } = custom;
  return { type: 'custom', custom: { name, description, format: format && nestFormat(format) } };
}

/** A grammar stands in a member of its own here. */
function nestFormat({ type, ...grammar }: JsonObject): JsonObject {
  return type === 'grammar' ? { type, grammar } : { type, ...grammar };
}

function writeToolChoice({ toolChoice, tools }: Conversation): unknown {
  const named = (name: string): JsonObject =>
    tools.some((tool) => tool.name === name && tool.custom !== undefined)
      ? { type: 'custom', custom: { name } }
      : { type: 'function', function: { name } };
  switch (toolChoice?.type) {
    case 'tool':
      return named(toolChoice.name);
    case 'allowed':
      return {
        type: 'allowed_tools',
        allowed_tools: { mode: toolChoice.mode, tools: toolChoice.names.map(named) },
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
