import type { Block, CacheMark, Conversation, Message, Tool } from '../../conversation.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { ANTHROPIC_IDS, createIdMap, type IdMap } from '../../tool-ids.ts';
import { hasCacheMarks } from '../cache-marks.ts';
import { parameterSchema } from '../tool-schema.ts';
import type { RequestOptions } from '../upstream.ts';
import { argumentsObject } from './arguments.ts';

/**
 * The body of `POST /v1/messages` (API version 2026-10-21) for a conversation that `pipeline/prepare` has adapted
 * to the model. JSON text, because a tool call's arguments stay the text they were.
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
  const body = {
    model: JSON.stringify(options.modelId),
    max_tokens: String(output.maxTokens ?? model.maxOutput),
    tools: tools.length > 0 ? JSON.stringify(tools.map(writeTool)) : undefined,
    system: system.length > 0 ? `[${system.join(',')}]` : undefined,
    messages: `[${writeMessages(messages.slice(leading.length), ids).join(',')}]`,
    // The last block that can be marked is; beside a client's own markers none is added (T20).
    cache_control: hasCacheMarks(conversation) ? undefined : '{"type":"ephemeral"}',
    tool_choice: writeToolChoice(conversation),
    output_config: writeOutputConfig(conversation),
    stop_sequences: output.stop.length > 0 ? JSON.stringify(output.stop) : undefined,
    metadata: options.userHash === undefined ? undefined : JSON.stringify({ user_id: options.userHash }),
    stream: options.stream ? 'true' : undefined,
  };
  const members = Object.entries(body).filter(([, value]) => value !== undefined);
  return `{${members.map(([name, value]) => `"${name}":${value}`).join(',')}}`;
}

/** Results of one assistant turn in one user message (T34), even where they came as several. */
function writeMessages(messages: readonly Message[], ids: IdMap): string[] {
  const written: string[] = [];
  let results: string[] = [];
  for (const [i, message] of messages.entries()) {
    const blocks = message.content.map((block) => writeBlock(block, ids));
    if (message.role !== 'tool') {
      const role = message.role === 'developer' ? 'system' : message.role;
      written.push(writeMessage(role, blocks));
      continue;
    }
    results.push(...blocks);
    if (messages[i + 1]?.role !== 'tool') {
      written.push(writeMessage('user', results));
      results = [];
    }
  }
  return written;
}

function writeMessage(role: string, blocks: readonly string[]): string {
  return `{"role":"${role}","content":[${blocks.join(',')}]}`;
}

function writeBlock(block: Block, ids: IdMap): string {
  switch (block.type) {
    case 'text':
      return JSON.stringify({ type: 'text', text: block.text, ...cacheControl(block.cache) });
    case 'refusal':
      return JSON.stringify({ type: 'text', text: block.text });
    case 'image': {
      const source =
        block.source.kind === 'url'
          ? { type: 'url', url: block.source.url }
          : { type: 'base64', media_type: block.source.mediaType, data: block.source.data };
      return JSON.stringify({ type: 'image', source, ...cacheControl(block.cache) });
    }
    case 'tool_call': {
      const id = JSON.stringify(ids.call(block.id));
      const mark =
        block.cache === undefined ? '' : `,${JSON.stringify(cacheControl(block.cache)).slice(1, -1)}`;
      const input = argumentsObject(block).text;
      return `{"type":"tool_use","id":${id},"name":${JSON.stringify(block.name)},"input":${input}${mark}}`;
    }
    case 'tool_result': {
      const head = JSON.stringify({
        type: 'tool_result',
        tool_use_id: ids.result(block.callId),
        ...(block.isError === true ? { is_error: true } : {}),
        ...cacheControl(block.cache),
      });
      if (block.content.length === 0) return head;
      const content = block.content.map((part) => writeBlock(part, ids));
      return `${head.slice(0, -1)},"content":[${content.join(',')}]}`;
    }
  }
}

function writeTool(tool: Tool): Record<string, unknown> {
  return {
    name: tool.name,
    ...(tool.description === undefined ? {} : { description: tool.description }),
    input_schema: parameterSchema(tool.parameters),
    ...(tool.strict === true ? { strict: true } : {}),
    ...cacheControl(tool.cache),
  };
}

function writeToolChoice({ toolChoice, parallelToolCalls, tools }: Conversation): string | undefined {
  if (tools.length === 0) return undefined;
  const single = parallelToolCalls === false ? { disable_parallel_tool_use: true } : {};
  switch (toolChoice?.type) {
    case 'none':
      return '{"type":"none"}';
    case 'required':
      return JSON.stringify({ type: 'any', ...single });
    case 'tool':
      return JSON.stringify({ type: 'tool', name: toolChoice.name, ...single });
    case 'allowed':
      return JSON.stringify({ type: toolChoice.mode === 'required' ? 'any' : 'auto', ...single });
    case 'auto':
      return JSON.stringify({ type: 'auto', ...single });
    default:
      return parallelToolCalls === false ? JSON.stringify({ type: 'auto', ...single }) : undefined;
  }
}

function writeOutputConfig({ output, reasoning }: Conversation): string | undefined {
  const config = {
    ...(reasoning.effort === undefined ? {} : { effort: reasoning.effort }),
    ...(output.format?.type === 'json_schema'
      ? { format: { type: 'json_schema', schema: output.format.schema } }
      : {}),
  };
  return Object.keys(config).length > 0 ? JSON.stringify(config) : undefined;
}

function cacheControl(mark: CacheMark | undefined): Record<string, unknown> {
  if (mark === undefined) return {};
  return { cache_control: { type: 'ephemeral', ...(mark.ttl === undefined ? {} : { ttl: mark.ttl }) } };
}
