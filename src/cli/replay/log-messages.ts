import type {
  AssistantBlock,
  ImageBlock,
  Message,
  TextBlock,
  ToolResultBlock,
} from '../../core/conversation.ts';
import { isObject, type JsonObject, textAt } from '../../core/dialects/provider-json.ts';
import { UnreadableRecord } from './log-entry.ts';

/** A message, and which entry of the list it was read from: the last of them where several were made one. */
export interface LoggedMessage {
  message: Message;
  entry: number;
}

/**
 * Messages as any of the three APIs writes them, mixed as they may be: logs come through libraries that translate.
 * More is accepted than a gateway would take, since only what it costs and asks is wanted; what has no size that can
 * be told (audio, documents, stored files) is not.
 * @throws UnreadableRecord
 */
export function readLoggedMessages(list: readonly unknown[]): LoggedMessage[] {
  const read: LoggedMessage[] = [];
  let followsItem = false;
  for (const [entry, wire] of list.entries()) {
    const isItem = isObject(wire) && wire.role === undefined;
    for (const message of readEntry(wire)) {
      const last = read.at(-1);
      // Results of one turn share a message; so do the items of one answer of the Responses API.
      if (last && joins(last.message, message, isItem || followsItem)) last.entry = entry;
      else read.push({ message, entry });
    }
    followsItem = isItem;
  }
  return read;
}

/** Puts a message's content into the one before it, where both are one. */
function joins(last: Message, message: Message, items: boolean): boolean {
  if (message.role === 'tool' && last.role === 'tool') last.content.push(...message.content);
  else if (items && message.role === 'assistant' && last.role === 'assistant') {
    last.content.push(...message.content);
  } else return false;
  return true;
}

/** System text in a field of its own: Anthropic's `system`, the Responses API's `instructions`. */
export function readSystem(value: unknown): Message[] {
  if (value === undefined || value === null || value === '') return [];
  return [{ role: 'system', content: texts(value) }];
}

function readEntry(entry: unknown): Message[] {
  if (typeof entry === 'string') return [{ role: 'user', content: texts(entry) }];
  if (!isObject(entry)) throw new UnreadableRecord('one of its messages is no object');
  switch (entry.role) {
    case 'system':
    case 'developer':
      return [{ role: entry.role, content: texts(entry.content) }];
    case 'user':
      return readUser(entry.content);
    case 'assistant':
    case 'model':
      return [{ role: 'assistant', content: readAnswerBlocks(entry) }];
    case 'tool':
    case 'function':
      return [{ role: 'tool', content: [toolResult(entry.content, textAt(entry, 'tool_call_id') ?? '')] }];
    case undefined:
      return readItem(entry);
    default:
      throw new UnreadableRecord('one of its messages has a role that is not known');
  }
}

/** An item of the Responses API that is no message. */
function readItem(item: JsonObject): Message[] {
  switch (item.type) {
    case 'function_call':
      return [{ role: 'assistant', content: [toolCall(item, item.call_id, item.arguments)] }];
    case 'function_call_output':
      return [{ role: 'tool', content: [toolResult(item.output, textAt(item, 'call_id') ?? '')] }];
    case 'reasoning':
      return [];
    default:
      throw new UnreadableRecord(`items of type ${typeName(item)} can't be replayed`);
  }
}

/** Anthropic puts tool results into the user's message, before what the user says. */
function readUser(content: unknown): Message[] {
  const results: ToolResultBlock[] = [];
  const said: (TextBlock | ImageBlock)[] = [];
  for (const part of partsOf(content)) {
    if (isObject(part) && part.type === 'tool_result') {
      const result = toolResult(part.content, textAt(part, 'tool_use_id') ?? '');
      results.push(part.is_error === true ? { ...result, isError: true } : result);
    } else said.push(...shown(part));
  }
  return [
    ...(results.length > 0 ? [{ role: 'tool' as const, content: results }] : []),
    ...(said.length > 0 || results.length === 0 ? [{ role: 'user' as const, content: said }] : []),
  ];
}

function readAnswerBlocks(message: JsonObject): AssistantBlock[] {
  const blocks: AssistantBlock[] = [];
  for (const part of partsOf(message.content)) {
    if (typeof part === 'string') blocks.push({ type: 'text', text: part });
    else if (!isObject(part)) throw new UnreadableRecord('a part of an answer is no object');
    else if (part.type === 'tool_use') blocks.push(toolCall(part, part.id, part.input));
    else if (part.type === 'refusal') blocks.push({ type: 'refusal', text: textAt(part, 'refusal') ?? '' });
    else if (!THOUGHT.has(part.type)) blocks.push(...texts([part]));
  }
  if (typeof message.refusal === 'string') blocks.push({ type: 'refusal', text: message.refusal });
  const calls = Array.isArray(message.tool_calls) ? message.tool_calls : [];
  for (const call of [...calls, { function: message.function_call }]) {
    if (!isObject(call) || !isObject(call.function)) continue;
    blocks.push(toolCall(call.function, call.id, call.function.arguments));
  }
  return blocks;
}

/** Thinking is left out: providers drop most of it from later prompts, and it is another model's where we route. */
const THOUGHT = new Set<unknown>(['thinking', 'redacted_thinking', 'reasoning']);

function toolCall({ name }: JsonObject, id: unknown, args: unknown): AssistantBlock {
  return {
    type: 'tool_call',
    id: typeof id === 'string' ? id : '',
    name: typeof name === 'string' ? name : '',
    arguments: typeof args === 'string' ? args : JSON.stringify(args ?? {}),
  };
}

function toolResult(content: unknown, callId: string): ToolResultBlock {
  return { type: 'tool_result', callId, content: partsOf(content).flatMap(shown) };
}

function partsOf(content: unknown): readonly unknown[] {
  if (content === null || content === undefined || content === '') return [];
  return Array.isArray(content) ? content : [content];
}

function texts(content: unknown): TextBlock[] {
  return partsOf(content).map((part) => {
    if (typeof part === 'string') return { type: 'text', text: part };
    const text = isObject(part) ? textAt(part, 'text') : undefined;
    if (text === undefined) throw new UnreadableRecord(`parts of type ${typeName(part)} can't be replayed`);
    return { type: 'text', text };
  });
}

/** Text or an image, as any API writes it. */
function shown(part: unknown): (TextBlock | ImageBlock)[] {
  if (!isObject(part)) return texts(part);
  switch (part.type) {
    case 'image_url':
    case 'input_image':
      return [image(part.image_url, textAt(part, 'detail'))];
    case 'image':
      return [image(part.source, undefined)];
    default:
      return texts(part);
  }
}

/** OpenAI: a URL or `{url, detail}`; Anthropic: `{type: url, url}` or `{type: base64, data}`. */
function image(source: unknown, detail: string | undefined): ImageBlock {
  const at = isObject(source) ? source : { url: source };
  const url = textAt(at, 'url') ?? textAt(at, 'data');
  if (url === undefined) throw new UnreadableRecord('an image is stored elsewhere');
  const hint = textAt(at, 'detail') ?? detail;
  return { type: 'image', source: { kind: 'url', url }, ...(hint === undefined ? {} : { detail: hint }) };
}

/** A type's name, as far as it is one: content may stand anywhere. */
function typeName(part: unknown): string {
  const type = isObject(part) ? part.type : typeof part;
  return typeof type === 'string' && /^[a-z_0-9]{1,40}$/.test(type) ? `'${type}'` : 'unknown';
}
