import type { Ask, OfferedTool, Turn } from '../ask.ts';
import { REASONING_TOKENS } from './caller.ts';
import type { Layout, Piece, PromptEntry } from './layout.ts';
import { layOut } from './layout.ts';
import type { GptModel } from './models.ts';
import { reasoningTokens } from './reasoning.ts';
import type { Breakpoint } from './request-parts.ts';
import type { ResponsesTool } from './request-tools.ts';
import type { InputItem, InputPart, ResponsesBody } from './responses-request.ts';

/** The input as items; a bare text is one message of the user. */
export function itemsOf(input: ResponsesBody['input']): InputItem[] {
  if (input === undefined) return [];
  return typeof input === 'string' ? [{ role: 'user', content: input }] : input;
}

/** Lays a response's input out as the model reads it: instructions first, as a developer message. */
export function layOutResponses(body: ResponsesBody, model: GptModel, items: readonly InputItem[]): Layout {
  const tools = (body.tools ?? []).map((tool) => JSON.stringify(tool));
  const first: PromptEntry[] =
    body.instructions == null ? [] : [{ role: 'developer', pieces: [{ text: body.instructions }] }];
  const context = body.reasoning?.context ?? 'auto';
  const allReasoning = context === 'all_turns' || (context === 'auto' && model.allReasoning);
  const lastAsk = items.findLastIndex((item) => isMessage(item) && item.role === 'user');
  const kept = items.filter((item, index) => item.type !== 'reasoning' || allReasoning || index > lastAsk);
  return layOut(tools, [...first, ...kept.map(entryOf)]);
}

type Message = Extract<InputItem, { content: unknown; role: string }>;

/** Whether an item is a message; additional tools have a role too. */
export function isMessage(item: InputItem): item is Message {
  return 'role' in item && 'content' in item;
}

function entryOf(item: InputItem): PromptEntry {
  if (isMessage(item)) {
    const role = item.role === 'system' ? 'developer' : item.role;
    return { role, pieces: messagePieces(item.content) };
  }
  switch (item.type) {
    case 'function_call':
      return { role: 'assistant', pieces: [{ text: item.name + item.arguments }] };
    case 'custom_tool_call':
      return { role: 'assistant', pieces: [{ text: item.name + item.input }] };
    case 'function_call_output':
    case 'custom_tool_call_output':
      return { role: 'output', pieces: messagePieces(item.output) };
    case 'reasoning':
      return { role: 'assistant', pieces: [{ text: item.id, tokens: reasoningTokens(item) }] };
    case 'additional_tools':
      return { role: 'developer', pieces: item.tools.map((tool) => ({ text: JSON.stringify(tool) })) };
    case 'configuration_update':
      return { role: 'developer', pieces: [{ text: JSON.stringify(item), tokens: 0 }] };
    default:
      return { role: 'assistant', pieces: [{ text: JSON.stringify(item) }] };
  }
}

type MessageContent = Message['content'] | string | InputPart[];

function messagePieces(content: MessageContent): Piece[] {
  if (typeof content === 'string') return [{ text: content }];
  return content.map(pieceOf);
}

function pieceOf(part: Exclude<MessageContent, string>[number]): Piece {
  switch (part.type) {
    case 'input_text':
      return { text: part.text, mark: part.prompt_cache_breakpoint };
    case 'output_text':
      return { text: part.text };
    case 'refusal':
      return { text: part.refusal };
    case 'input_image':
      return { text: '', image: part.image_url ?? part.file_id ?? '', mark: part.prompt_cache_breakpoint };
    case 'input_file':
      return { text: '', file: JSON.stringify(part), mark: part.prompt_cache_breakpoint };
  }
}

/** Explicit breakpoints and where they stand. */
export function responsesMarks(items: readonly InputItem[]): { param: string; mark: Breakpoint }[] {
  return items.flatMap((item, index) => {
    const field = 'output' in item ? 'output' : 'content';
    const content = 'output' in item ? item.output : isMessage(item) ? item.content : [];
    return messagePieces(content).flatMap(({ mark }, place) =>
      mark == null ? [] : [{ param: `input[${index}].${field}[${place}].prompt_cache_breakpoint`, mark }],
    );
  });
}

/** Reads a request into what scripts and the improviser look at. */
export function askOfResponses(
  body: ResponsesBody,
  model: GptModel,
  items: readonly InputItem[],
  promptTokens: number,
): Ask {
  const lastOther = items.findLastIndex((item) => !('output' in item));
  const { format, effort } = configuration(body, items);
  return {
    api: 'openai-responses',
    model: body.model,
    stream: body.stream === true,
    turns: items.flatMap(turnOf),
    callIds: items.slice(lastOther + 1).flatMap((item) => ('call_id' in item ? [item.call_id] : [])),
    ...offered(body, items),
    format:
      format?.type === 'json_schema'
        ? { type: 'json_schema', schema: format.schema }
        : { type: format?.type ?? 'text' },
    maxTokens: body.max_output_tokens ?? model.maxOutput,
    windowLeft: model.contextWindow - promptTokens,
    stop: [],
    thinkingTokens: REASONING_TOKENS[effort ?? model.defaultEffort ?? 'none'] ?? 0,
    tokenizer: 'plain',
  };
}

/** Effort and format in effect: the request's, until a `configuration_update` replaces them (oSDK). */
export function configuration(body: ResponsesBody, items: readonly InputItem[]) {
  const updates = items.flatMap((item) => (item.type === 'configuration_update' ? [item] : []));
  return {
    effort:
      updates.findLast((one) => one.reasoning?.effort != null)?.reasoning?.effort ?? body.reasoning?.effort,
    format: updates.findLast((one) => one.text !== undefined)?.text?.format ?? body.text?.format,
  };
}

/** The tools on offer: the request's and those an `additional_tools` item adds. */
export function toolsOf(body: ResponsesBody, items: readonly InputItem[]): ResponsesTool[] {
  return [
    ...(body.tools ?? []),
    ...items.flatMap((item) => (item.type === 'additional_tools' ? item.tools : [])),
  ];
}

function turnOf(item: InputItem): Turn[] {
  if (isMessage(item)) {
    if (item.role === 'system' || item.role === 'developer') return [];
    return [{ role: item.role, text: textOf(item.content) }];
  }
  switch (item.type) {
    case 'function_call':
      return [{ role: 'assistant', text: '', calls: [{ name: item.name, arguments: item.arguments }] }];
    case 'custom_tool_call':
      return [{ role: 'assistant', text: '', calls: [{ name: item.name, arguments: item.input }] }];
    case 'function_call_output':
    case 'custom_tool_call_output':
      return [{ role: 'tool', text: textOf(item.output) }];
    default:
      return [];
  }
}

function textOf(content: MessageContent): string {
  return messagePieces(content)
    .map((piece) => piece.text)
    .join('\n');
}

function offered(body: ResponsesBody, items: readonly InputItem[]): Pick<Ask, 'tools' | 'toolChoice'> {
  const tools = toolsOf(body, items).flatMap((tool): OfferedTool[] => {
    if (tool.type === 'function') {
      const schema = tool.parameters ?? { type: 'object' };
      return [{ name: tool.name, description: tool.description ?? '', schema }];
    }
    if (tool.type !== 'custom') return [];
    return [{ name: tool.name, description: tool.description ?? '', schema: {}, freeText: true }];
  });
  const choice = body.tool_choice ?? 'auto';
  if (choice === 'none' || choice === 'auto') return { tools, toolChoice: { type: choice } };
  if (choice === 'required') return { tools, toolChoice: { type: 'any' } };
  if (choice.type === 'function' || choice.type === 'custom') {
    return { tools, toolChoice: { type: 'tool', name: choice.name } };
  }
  // A hosted tool is forced: nothing is called here.
  if (choice.type !== 'allowed_tools') return { tools, toolChoice: { type: 'none' } };
  const allowed = new Set(choice.tools.map((tool) => tool.name));
  return {
    tools: tools.filter((tool) => allowed.has(tool.name)),
    toolChoice: { type: choice.mode === 'required' ? 'any' : 'auto' },
  };
}
