import type { Conversation, Message, Tool, ToolResultBlock, UserBlock } from '../../conversation.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { createIdMap, type IdMap, RESPONSES_IDS } from '../../tool-ids.ts';
import { documentFile } from '../document-file.ts';
import { imageUrl } from '../image-url.ts';
import type { JsonObject } from '../provider-json.ts';
import { parameterSchema } from '../tool-schema.ts';
import type { RequestOptions } from '../upstream.ts';

/**
 * The body of `POST /v1/responses` for a conversation that `pipeline/prepare` has adapted to the model. System and
 * developer messages are items, never `instructions`: the prefix stays as the client sent it.
 */
export function writeRequest(
  conversation: Conversation,
  _model: CatalogModel,
  options: RequestOptions,
): string {
  const { messages, tools, output, sampling, reasoning, hints } = conversation;
  const ids = createIdMap(RESPONSES_IDS);
  const text = { format: writeFormat(output.format), verbosity: output.verbosity };
  return JSON.stringify({
    model: options.modelId,
    input: messages.flatMap((message) => writeItems(message, ids)),
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
    safety_identifier: hints.safetyIdentifier,
    user: hints.user,
    // The default is to keep every answer for 30 days.
    store: false,
    stream: options.stream ? true : undefined,
  });
}

function writeItems(message: Message, ids: IdMap): JsonObject[] {
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
      return message.content.map((result) => writeResult(result, ids));
    case 'assistant':
      return writeAnswer(message, ids);
  }
}

/**
 * Text and calls in the order the model gave them; text that stands together is one item, and a string: the list form
 * of an assistant's text is for answers of the API itself, which have an id (OpenAI's description, `OutputMessage`).
 */
function writeAnswer(message: Extract<Message, { role: 'assistant' }>, ids: IdMap): JsonObject[] {
  const items: JsonObject[] = [];
  for (const block of message.content) {
    const last = items.at(-1);
    if (block.type === 'tool_call') {
      items.push({
        type: 'function_call',
        call_id: ids.call(block.id),
        name: block.name,
        arguments: block.arguments,
      });
    } else if (block.type === 'refusal') {
      const content = [{ type: 'refusal', refusal: block.text }];
      items.push({ type: 'message', role: 'assistant', content });
    } else if (block.type === 'thinking' || block.type === 'foreign') {
      // Back to the wire it came from: `pipeline/prepare` lets no other through.
      items.push(block.raw);
    } else if (typeof last?.content === 'string') {
      last.content += block.text;
    } else {
      items.push({ type: 'message', role: 'assistant', content: block.text });
    }
  }
  return items;
}

function writeResult(result: ToolResultBlock, ids: IdMap): JsonObject {
  const [first, ...rest] = result.content;
  const output =
    first === undefined
      ? ''
      : first.type === 'text' && rest.length === 0
        ? first.text
        : result.content.map(writeInput);
  return { type: 'function_call_output', call_id: ids.result(result.callId), output };
}

function writeInput(block: UserBlock): JsonObject {
  switch (block.type) {
    case 'text':
      return { type: 'input_text', text: block.text };
    case 'image':
      return { type: 'input_image', image_url: imageUrl(block), detail: block.detail ?? 'auto' };
    case 'document':
      return { type: 'input_file', ...documentFile(block) };
    case 'foreign':
      return block.raw;
  }
}

/** Closed, so that it is right for strict tools too. */
const NO_PARAMETERS = { type: 'object', properties: {}, required: [], additionalProperties: false };

/** Left out, `strict` means "where possible" here and "no" in Chat Completions: it is always said. */
function writeTool(tool: Tool): JsonObject {
  return {
    type: 'function',
    name: tool.name,
    description: tool.description,
    parameters: tool.parameters === undefined ? NO_PARAMETERS : parameterSchema(tool.parameters),
    strict: tool.strict ?? false,
  };
}

function writeToolChoice({ toolChoice }: Conversation): unknown {
  switch (toolChoice?.type) {
    case 'tool':
      return { type: 'function', name: toolChoice.name };
    case 'allowed':
      return {
        type: 'allowed_tools',
        mode: toolChoice.mode,
        tools: toolChoice.names.map((name) => ({ type: 'function', name })),
      };
    default:
      return toolChoice?.type;
  }
}

function writeFormat(format: Conversation['output']['format']): JsonObject | undefined {
  if (format?.type !== 'json_schema') return format;
  return { ...format, strict: format.strict ?? false };
}
