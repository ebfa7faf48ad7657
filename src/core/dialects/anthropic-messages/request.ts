import type {
  Block,
  CacheMark,
  Conversation,
  DocumentBlock,
  Message,
  Reasoning,
  Tool,
} from '../../conversation.ts';
import { writeJson } from '../../raw-json.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { ANTHROPIC_IDS, createIdMap, type IdMap } from '../../tool-ids.ts';
import { hasCacheMarks } from '../cache-marks.ts';
import type { JsonObject } from '../provider-json.ts';
import { parameterSchema } from '../tool-schema.ts';
import type { RequestOptions } from '../upstream.ts';
import { callInput } from './arguments.ts';

/**
 * The body of `POST /v1/messages` (API version 2026-10-21) for a conversation that `pipeline/prepare` has adapted
 * to the model, as JSON text.
 */
export function writeRequest(
  conversation: Conversation,
  model: CatalogModel,
  options: RequestOptions,
): string {
  const { messages, tools, output } = conversation;
  const turn = messages.findIndex((message) => message.role !== 'system' && message.role !== 'developer');
  const leading = turn === -1 ? messages : messages.slice(0, turn);
  const ids = createIdMap(ANTHROPIC_IDS);
  const system = leading.flatMap((message) => message.content.map((block) => writeBlock(block, ids)));
  return writeJson({
    model: options.modelId,
    max_tokens: output.maxTokens ?? model.maxOutput,
    tools: tools.length > 0 ? tools.map(writeTool) : undefined,
    system: system.length > 0 ? system : undefined,
    messages: writeMessages(messages.slice(leading.length), ids),
    cache_control: automaticCache(conversation),
    tool_choice: tools.length > 0 ? writeToolChoice(conversation) : undefined,
    thinking: writeThinking(conversation.reasoning),
    output_config: writeOutputConfig(conversation),
    stop_sequences: output.stop.length > 0 ? output.stop : undefined,
    service_tier: conversation.hints.serviceTier,
    metadata: options.userHash === undefined ? undefined : { user_id: options.userHash },
    stream: options.stream ? true : undefined,
  });
}

/** Results of one assistant turn in one user message (T34), even where they came as several. */
function writeMessages(messages: readonly Message[], ids: IdMap): JsonObject[] {
  const written: JsonObject[] = [];
  let results: JsonObject[] | null = null;
  for (const message of messages) {
    const content = message.content.map((block) => writeBlock(block, ids));
    if (message.role === 'tool' && results !== null) {
      results.push(...content);
      continue;
    }
    results = message.role === 'tool' ? content : null;
    const role = message.role === 'developer' ? 'system' : message.role === 'tool' ? 'user' : message.role;
    written.push({ role, content });
  }
  return written;
}

function writeBlock(block: Block, ids: IdMap): JsonObject {
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text, cache_control: cacheControl(block.cache) };
    case 'refusal':
      return { type: 'text', text: block.text };
    case 'image':
      return {
        type: 'image',
        source:
          block.source.kind === 'url'
            ? { type: 'url', url: block.source.url }
            : { type: 'base64', media_type: block.source.mediaType, data: block.source.data },
        cache_control: cacheControl(block.cache),
      };
    case 'tool_call':
      return {
        type: 'tool_use',
        id: ids.call(block.id),
        name: block.name,
        input: callInput(block).value,
        cache_control: cacheControl(block.cache),
      };
    case 'tool_result':
      return {
        type: 'tool_result',
        tool_use_id: ids.result(block.callId),
        content: block.content.length > 0 ? block.content.map((part) => writeBlock(part, ids)) : undefined,
        is_error: block.isError === true ? true : undefined,
        cache_control: cacheControl(block.cache),
      };
    case 'document':
      return writeDocument(block);
    // Back to the wire it came from: `pipeline/prepare` lets no other through.
    case 'thinking':
    case 'foreign':
      return block.raw;
  }
}

function writeDocument({ source, title, context, citations, cache }: DocumentBlock): JsonObject {
  return {
    type: 'document',
    source:
      source.kind === 'url'
        ? { type: 'url', url: source.url }
        : source.kind === 'text'
          ? { type: 'text', media_type: 'text/plain', data: source.text }
          : { type: 'base64', media_type: source.mediaType, data: source.data },
    title,
    context,
    citations: citations === true ? { enabled: true } : undefined,
    cache_control: cacheControl(cache),
  };
}

function writeTool(tool: Tool): JsonObject {
  return {
    name: tool.name,
    description: tool.description,
    input_schema: parameterSchema(tool.parameters),
    strict: tool.strict === true ? true : undefined,
    cache_control: cacheControl(tool.cache),
  };
}

function writeToolChoice({ toolChoice, parallelToolCalls }: Conversation): JsonObject | undefined {
  const disable_parallel_tool_use = parallelToolCalls === false ? true : undefined;
  switch (toolChoice?.type) {
    case 'none':
      return { type: 'none' };
    case 'required':
      return { type: 'any', disable_parallel_tool_use };
    case 'tool':
      return { type: 'tool', name: toolChoice.name, disable_parallel_tool_use };
    case 'allowed':
      return { type: toolChoice.mode === 'required' ? 'any' : 'auto', disable_parallel_tool_use };
    case 'auto':
      return { type: 'auto', disable_parallel_tool_use };
    default:
      return disable_parallel_tool_use && { type: 'auto', disable_parallel_tool_use };
  }
}

/**
 * The last block that can be marked is; beside a client's own markers none is added (T20), nor where it wants no
 * other place than those.
 */
function automaticCache(conversation: Conversation): JsonObject | undefined {
  const { cacheTail, promptCacheOptions } = conversation.hints;
  if (cacheTail) return cacheControl(cacheTail);
  const { mode, ttl } = promptCacheOptions ?? {};
  if (mode === 'explicit' || hasCacheMarks(conversation)) return undefined;
  return cacheControl(ttl === '12h' ? { ttl: '1h' } : {});
}

function writeThinking({ mode, budgetTokens }: Reasoning): JsonObject | undefined {
  return mode === undefined ? undefined : { type: mode, budget_tokens: budgetTokens };
}

function writeOutputConfig({
  output: { format },
  reasoning: { effort },
}: Conversation): JsonObject | undefined {
  if (format?.type !== 'json_schema') return effort === undefined ? undefined : { effort };
  return { effort, format: { type: 'json_schema', schema: format.schema } };
}

function cacheControl(mark: CacheMark | undefined): JsonObject | undefined {
  return mark && { type: 'ephemeral', ttl: mark.ttl };
}
