import type * as z from 'zod';
import type { AssistantBlock, Message, TextBlock, ToolCallBlock, UserBlock } from '../../conversation.ts';
import { invalidRequest } from '../../errors.ts';
import { isObject, type JsonObject } from '../provider-json.ts';
import { fieldError } from '../schema-error.ts';
import { isReference } from './kept.ts';
import { joinedName } from './namespaces.ts';
import { readPart, readText } from './parts.ts';
import {
  callOutput,
  customCall,
  functionCall,
  isPlainCall,
  isPlainMessage,
  isPlainOutput,
  messageItem,
  reasoningItem,
} from './schema.ts';

/** What the items of an input say. */
export interface ReadInput {
  messages: Message[];
  /** Paths of items and members that only this wire knows. */
  own: string[];
  /** Members whose meaning is lost on any other wire, without which the rest still makes sense. */
  extra: Set<string>;
}

/** What a call's item becomes, and the assistant's message it stands in. */
interface Call {
  turn: Message;
  path: string;
}

/**
 * Reads the items of an input into messages. What the assistant said, thought and called in a row is one message; a
 * call's result stands right behind the message that made it, wherever the client put it: OpenAI takes any later
 * place, Anthropic only that one.
 *
 * @param partial more of the conversation is kept at the provider: a result may lack its call here
 * @throws FluxError 400 that names the item
 */
export function readItems(items: readonly unknown[], partial: boolean): ReadInput {
  const messages: Message[] = [];
  const own: string[] = [];
  const extra = new Set<string>();
  const calls = new Map<string, Call>();
  const open = new Set<string>();

  const turn = (): Extract<Message, { role: 'assistant' }> => {
    const last = messages.at(-1);
    if (last?.role === 'assistant') return last;
    const message = { role: 'assistant' as const, content: [] };
    messages.push(message);
    return message;
  };
  const say = (...blocks: AssistantBlock[]): void => {
    turn().content.push(...blocks);
  };
  const call = (block: ToolCallBlock, path: string): void => {
    say(block);
    calls.set(block.id, { turn: turn(), path });
    open.add(block.id);
  };
  const answer = (callId: string, content: UserBlock[]): void => {
    const message: Message = { role: 'tool', content: [{ type: 'tool_result', callId, content }] };
    const made = calls.get(callId);
    const at = made === undefined ? messages.length : messages.lastIndexOf(made.turn) + 1;
    const next = messages[at];
    if (next?.role === 'tool') next.content.push(...message.content);
    else messages.splice(at, 0, message);
  };
  const result = (item: JsonObject, path: string, kind: string): void => {
    const { call_id, output } = isPlainOutput(item) ? item : check(callOutput, item, path);
    if (!open.delete(call_id) && !partial) {
      throw invalidRequest(`No tool call found for ${kind} with call_id ${call_id}.`, `${path}.call_id`);
    }
    const content = readParts(output, `${path}.output`);
    noteForeign(content, `${path}.output`, own);
    answer(call_id, content);
  };

  for (const [index, item] of items.entries()) {
    const path = `input[${index}]`;
    if (!isObject(item))
      throw invalidRequest(`Invalid '${path}': an item is an object.`, path, 'invalid_type');
    switch (isReference(item) ? 'item_reference' : item.type) {
      case undefined:
      case 'message': {
        const message = readMessage(item, path, extra);
        if (message.role === 'assistant') say(...message.content);
        else messages.push(message);
        if (message.role === 'user') noteForeign(message.content, `${path}.content`, own);
        break;
      }
      case 'function_call': {
        const { call_id, name, arguments: text } = isPlainCall(item) ? item : check(functionCall, item, path);
        noteCaller(item, path, own);
        call(
          { type: 'tool_call', id: call_id, name: joinedName(name, item.namespace), arguments: text },
          path,
        );
        break;
      }
      case 'custom_tool_call': {
        const { call_id, name, input } = check(customCall, item, path);
        noteCaller(item, path, own);
        const whole = joinedName(name, item.namespace);
        call({ type: 'tool_call', id: call_id, name: whole, arguments: input, custom: true }, path);
        break;
      }
      case 'function_call_output':
        result(item, path, 'function call output');
        break;
      case 'custom_tool_call_output':
        result(item, path, 'custom tool call output');
        break;
      case 'reasoning':
        check(reasoningItem, item, path);
        say({ type: 'thinking', wire: 'openai-responses', raw: item });
        break;
      default: {
        const kind = typeof item.type === 'string' ? item.type : 'item_reference';
        own.push(`${path}.type`);
        const block = { type: 'foreign' as const, kind, raw: item };
        // What a tool of the client's gave back is no word of the model's.
        if (/_(output|response)$/.test(kind)) answer(String(item.call_id ?? item.id ?? ''), [block]);
        else say(block);
      }
    }
  }
  const [unanswered] = open;
  if (unanswered !== undefined && !partial) {
    throw invalidRequest(
      `No tool output found for function call ${unanswered}.`,
      calls.get(unanswered)?.path ?? 'input',
    );
  }
  return { messages, own, extra };
}

/** Who called, where it was not the model itself: only OpenAI's own runtime can go on from there. */
function noteCaller(item: JsonObject, path: string, own: string[]): void {
  if (item.caller != null) own.push(`${path}.caller`);
}

function noteForeign(content: readonly UserBlock[], path: string, own: string[]): void {
  for (const [index, { type }] of content.entries()) if (type === 'foreign') own.push(`${path}[${index}]`);
}

function readMessage(item: JsonObject, path: string, extra: Set<string>): Exclude<Message, { role: 'tool' }> {
  const message = isPlainMessage(item) ? item : check(messageItem, item, path);
  if (message.role === 'user') {
    return { role: 'user', content: readParts(message.content, `${path}.content`) };
  }
  if (message.role !== 'assistant') return { role: message.role, content: readTexts(message.content) };
  if (message.phase != null) extra.add('input.phase');
  if (typeof message.content === 'string') {
    return { role: 'assistant', content: message.content === '' ? [] : readTexts(message.content) };
  }
  const content = message.content.map((part): AssistantBlock => {
    if (part.type === 'refusal') return { type: 'refusal', text: part.refusal };
    if (part.type === 'input_text') return readText(part);
    const citations = part.annotations?.length ? { citations: part.annotations } : {};
    return { type: 'text', text: part.text, ...citations };
  });
  return { role: 'assistant', content };
}

function readTexts(content: string | Parameters<typeof readText>[0][]): TextBlock[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content.map(readText);
}

/** An empty text is none: some clients send it for a tool that gave nothing back. */
function readParts(content: string | Parameters<typeof readPart>[0][], path: string): UserBlock[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return content.map((part, index) => readPart(part, `${path}[${index}]`));
}

function check<T>(schema: z.ZodType<T>, item: unknown, path: string): T {
  const parsed = schema.safeParse(item);
  if (!parsed.success) throw fieldError(parsed.error, item, path);
  return parsed.data;
}
