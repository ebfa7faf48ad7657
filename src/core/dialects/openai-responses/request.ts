import { cacheRulesOf } from '../../context/cache-rules.ts';
import type {
  CacheMark,
  Conversation,
  Message,
  Tool,
  ToolCallBlock,
  ToolResultBlock,
  UserBlock,
} from '../../conversation.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { createIdMap, type IdMap, RESPONSES_IDS } from '../../tool-ids.ts';
import { writeBreakpoint } from '../cache-breakpoints.ts';
import { documentFile } from '../document-file.ts';
import { imageUrl } from '../image-url.ts';
import type { JsonObject } from '../provider-json.ts';
import { parameterSchema } from '../tool-schema.ts';
import type { RequestOptions } from '../upstream.ts';

export const SEALED_REASONING = 'reasoning.encrypted_content';

/**
 * The body of `POST /v1/responses` for a conversation that `pipeline/prepare` has adapted to the model. System and
 * developer messages are items, never `instructions`: the prefix stays as the client sent it.
 */
export function writeRequest(
  conversation: Conversation,
  model: CatalogModel,
  options: RequestOptions,
): string {
  const { messages, tools, output, sampling, reasoning, hints } = conversation;
  const maps: Maps = { ids: createIdMap(RESPONSES_IDS), custom: new Set(), refusals: 0 };
  const text = { format: writeFormat(output.format), verbosity: output.verbosity };
  return JSON.stringify({
    model: options.modelId,
    input: messages.flatMap((message) => writeItems(message, maps)),
    tools: tools.length > 0 ? tools.map(writeTool) : undefined,
    tool_choice: tools.length > 0 ? writeToolChoice(conversation) : undefined,
    parallel_tool_calls: tools.length > 0 ? conversation.parallelToolCalls : undefined,
    text: text.format === undefined && text.verbosity === undefined ? undefined : text,
    reasoning: reasoning.effort === undefined ? undefined : { effort: reasoning.effort },
    max_output_tokens: output.maxTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    service_tier: hints.serviceTier,
    prompt_cache_key: hints.promptCacheKey,
    prompt_cache_options: cacheRulesOf(model).breakpoints > 0 ? hints.promptCacheOptions : undefined,
    // Never the client's own id: this body is for clients of other wires.
    safety_identifier: options.userHash,
    // The default is to keep every answer for 30 days.
    store: false,
    // Nothing but sealed reasoning can go back then. A model that does not reason refuses to be asked for it.
    include:
      options.keepsThinking === true && model.capabilities.efforts.length > 0
        ? [SEALED_REASONING]
        : undefined,
    stream: options.stream ? true : undefined,
  });
}

/** What an item's form depends on besides itself. */
interface Maps {
  ids: IdMap;
  /** Ids of the calls of custom tools. */
  custom: Set<string>;
  /** So far in the request. */
  refusals: number;
}

function writeItems(message: Message, maps: Maps): JsonObject[] {
  switch (message.role) {
    case 'system':
    case 'developer':
    case 'user':
      // A message without parts has to be an empty text: an empty list is refused.
      return [
        {
          type: 'message',
          role: message.role,
          content: message.content.length === 0 ? '' : message.content.map(writeInput),
        },
      ];
    case 'tool':
      return message.content.map((result) => writeResult(result, maps));
    case 'assistant':
      return writeAnswer(message, maps);
  }
}

/**
 * Text and calls in the order the model gave them; text that stands together is one item, and a string: the list form
 * of an assistant's text is for answers of the API itself, which have an id (OpenAI's description, `OutputMessage`).
 */
function writeAnswer(message: Extract<Message, { role: 'assistant' }>, maps: Maps): JsonObject[] {
  const items: JsonObject[] = [];
  for (const block of message.content) {
    const last = items.at(-1);
    if (block.type === 'tool_call') {
      items.push(writeCall(block, maps));
    } else if (block.type === 'refusal') {
      // The list form has an id and a status: the API's own of it is not known.
      const id = `msg_refusal_${maps.refusals++}`;
      const content = [{ type: 'refusal', refusal: block.text }];
      items.push({ type: 'message', id, role: 'assistant', status: 'completed', content });
    } else if (block.type === 'thinking' || block.type === 'foreign') {
      // Back to the wire it came from: `pipeline/prepare` lets no other through.
      items.push(block.raw);
    } else if (typeof last?.content === 'string') {
      last.content += block.text;
    } else if (block.text !== '') {
      // An empty text is none: it is read as nothing.
      items.push({ type: 'message', role: 'assistant', content: block.text });
    }
  }
  return items;
}

function writeCall(call: ToolCallBlock, { ids, custom }: Maps): JsonObject {
  const { id, name, arguments: given } = call;
  if (call.custom === true) {
    custom.add(id);
    return { type: 'custom_tool_call', call_id: ids.call(id), name, input: given };
  }
  custom.delete(id);
  return { type: 'function_call', call_id: ids.call(id), name, arguments: given };
}

function writeResult({ callId, content, cache }: ToolResultBlock, { ids, custom }: Maps): JsonObject {
  const parts = content.map(writeInput);
  const [first, ...rest] = content;
  // The mark of a result is that of its last part.
  const last = parts.at(-1);
  if (cache !== undefined && last !== undefined) last.prompt_cache_breakpoint = writeBreakpoint(cache, true);
  const isText = first?.type === 'text' && rest.length === 0 && last?.prompt_cache_breakpoint === undefined;
  return {
    type: custom.has(callId) ? 'custom_tool_call_output' : 'function_call_output',
    call_id: ids.result(callId),
    output: first === undefined ? '' : isText ? first.text : parts,
  };
}

function writeInput(block: UserBlock): JsonObject {
  switch (block.type) {
    case 'text':
      return { type: 'input_text', text: block.text, ...breakpointOf(block) };
    case 'image':
      return {
        type: 'input_image',
        image_url: imageUrl(block),
        detail: block.detail ?? 'auto',
        ...breakpointOf(block),
      };
    case 'document':
      return {
        ...(block.source.kind === 'text'
          ? { type: 'input_text', text: block.source.text }
          : { type: 'input_file', ...documentFile(block.source, block.title) }),
        ...breakpointOf(block),
      };
    case 'foreign':
      return block.raw;
  }
}

function breakpointOf({ cache }: { cache?: CacheMark }): JsonObject {
  return cache === undefined ? {} : { prompt_cache_breakpoint: writeBreakpoint(cache, true) };
}

/** Closed, so that it is right for strict tools too. */
const NO_PARAMETERS = { type: 'object', properties: {}, required: [], additionalProperties: false };

/** Left out, `strict` means "where possible" here and "no" in Chat Completions: it is always said. */
function writeTool(tool: Tool): JsonObject {
  const { name, description, custom } = tool;
  if (custom !== undefined) return { type: 'custom', name, description, format: custom.format };
  return {
    type: 'function',
    name,
    description,
    parameters: tool.parameters === undefined ? NO_PARAMETERS : parameterSchema(tool.parameters),
    strict: tool.strict ?? false,
  };
}

function writeToolChoice({ toolChoice, tools }: Conversation): unknown {
  const named = (name: string): JsonObject => {
    const isCustom = tools.some((tool) => tool.name === name && tool.custom !== undefined);
    return { type: isCustom ? 'custom' : 'function', name };
  };
  switch (toolChoice?.type) {
    case 'tool':
      return named(toolChoice.name);
    case 'allowed':
      return {
        type: 'allowed_tools',
        mode: toolChoice.mode,
        tools: toolChoice.names.map(named),
      };
    default:
      return toolChoice?.type;
  }
}

function writeFormat(format: Conversation['output']['format']): JsonObject | undefined {
  if (format?.type !== 'json_schema') return format;
  return { ...format, strict: format.strict ?? false };
}
