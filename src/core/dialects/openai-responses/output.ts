import type { AssistantBlock } from '../../conversation.ts';
import { HeldText } from '../held-text.ts';
import type { JsonObject } from '../provider-json.ts';
import type { OfferedTool } from './namespaces.ts';

/** Sends one event of a stream, less its type and number. */
export type Emit = (type: string, fields: JsonObject) => void;

/** An answer's output as it grows: items, and the events that tell of them. */
export interface Output {
  say(kind: 'output_text' | 'refusal', delta: string): void;
  /** @param index counts the answer's calls from 0 */
  call(index: number, id: string, tool: OfferedTool): void;
  addArguments(index: number, delta: string): void;
  /** An item that came whole. */
  add(item: JsonObject): void;
  /** Closes what is open. `incomplete`: the answer was cut where it stood. */
  close(incomplete: boolean): void;
  /** Those that are closed, in the order in which they began. */
  items(): JsonObject[];
}

interface OpenMessage {
  id: string;
  place: number;
  parts: JsonObject[];
  part: { kind: 'output_text' | 'refusal'; said: HeldText } | null;
}

interface OpenCall {
  place: number;
  item: JsonObject & { id: string };
  given: HeldText;
  isEmpty: boolean;
  custom: boolean;
}

/**
 * Makes output items out of what a model says. Calls stay open until the answer ends: some servers send the arguments
 * of parallel calls in turns (T32).
 *
 * @param answerId in all ids of items, which so are the same whether the answer is streamed or not
 */
export function createOutput(answerId: string, emit: Emit): Output {
  const items: JsonObject[] = [];
  const closed: boolean[] = [];
  const calls = new Map<number, OpenCall>();
  let message: OpenMessage | null = null;

  const idOf = (prefix: string): string =>
    `${prefix}_${answerId}${items.length.toString(16).padStart(2, '0')}`;
  const begin = (item: JsonObject): number => {
    const place = items.push(item) - 1;
    emit('response.output_item.added', { output_index: place, item });
    return place;
  };
  const end = (place: number, item: JsonObject): void => {
    items[place] = item;
    closed[place] = true;
    emit('response.output_item.done', { output_index: place, item });
  };

  const openMessage = (): OpenMessage => {
    if (message === null) {
      const id = idOf('msg');
      const item = { id, type: 'message', status: 'in_progress', role: 'assistant', content: [] };
      message = { id, place: begin(item), parts: [], part: null };
    }
    return message;
  };
  const closePart = (open: OpenMessage): void => {
    if (!open.part) return;
    const { kind, said } = open.part;
    const text = said.toString();
    const where = { item_id: open.id, output_index: open.place, content_index: open.parts.length };
    emit(`response.${kind}.done`, {
      ...where,
      ...(kind === 'output_text' ? { text, logprobs: [] } : { refusal: text }),
    });
    const part = partOf(kind, text);
    emit('response.content_part.done', { ...where, part });
    open.parts.push(part);
    open.part = null;
  };
  const closeMessage = (incomplete: boolean): void => {
    if (!message) return;
    closePart(message);
    const { id, place, parts: content } = message;
    message = null;
    const status = incomplete ? 'incomplete' : 'completed';
    end(place, { id, type: 'message', status, role: 'assistant', content });
  };
  const addArguments = (index: number, delta: string): void => {
    const open = calls.get(index);
    if (!open || delta === '') return;
    open.given.add(delta);
    open.isEmpty = false;
    const type = open.custom ? 'response.custom_tool_call_input' : 'response.function_call_arguments';
    emit(`${type}.delta`, { item_id: open.item.id, output_index: open.place, delta });
  };
  const closeCall = ({ place, item, given, custom }: OpenCall, incomplete: boolean): void => {
    const text = given.toString();
    const where = { item_id: item.id, output_index: place };
    const status = incomplete ? 'incomplete' : 'completed';
    if (custom) {
      emit('response.custom_tool_call_input.done', { ...where, input: text });
      end(place, { ...item, status, input: text });
    } else {
      emit('response.function_call_arguments.done', { ...where, name: item.name, arguments: text });
      end(place, { ...item, status, arguments: text });
    }
  };

  return {
    say(kind, delta) {
      const open = openMessage();
      const where = { item_id: open.id, output_index: open.place };
      if (open.part?.kind !== kind) {
        closePart(open);
        open.part = { kind, said: new HeldText() };
        emit('response.content_part.added', {
          ...where,
          content_index: open.parts.length,
          part: partOf(kind, ''),
        });
      }
      open.part.said.add(delta);
      emit(`response.${kind}.delta`, {
        ...where,
        content_index: open.parts.length,
        delta,
        ...(kind === 'output_text' ? { logprobs: [] } : {}),
      });
    },
    call(index, call_id, { custom, ...named }) {
      closeMessage(false);
      const item = custom
        ? { id: idOf('ctc'), type: 'custom_tool_call', status: 'in_progress', call_id, ...named, input: '' }
        : { id: idOf('fc'), type: 'function_call', status: 'in_progress', call_id, ...named, arguments: '' };
      calls.set(index, { place: begin(item), item, given: new HeldText(), isEmpty: true, custom });
    },
    addArguments,
    add(item) {
      closeMessage(false);
      end(begin(item), item);
    },
    close(incomplete) {
      const last = items.length - 1;
      closeMessage(incomplete);
      for (const [index, open] of calls) {
        // Without arguments a call is still JSON on this wire.
        if (open.isEmpty && !open.custom && !incomplete) addArguments(index, '{}');
        closeCall(open, incomplete && open.place === last);
      }
      calls.clear();
    },
    items: () => items.filter((_item, place) => closed[place]),
  };
}

function partOf(kind: 'output_text' | 'refusal', text: string): JsonObject {
  return kind === 'output_text'
    ? { type: 'output_text', text, annotations: [], logprobs: [] }
    : { type: 'refusal', refusal: text };
}

/** Feeds a whole answer into an output. */
export function fill(
  output: Output,
  blocks: readonly AssistantBlock[],
  offered: ReadonlyMap<string, OfferedTool>,
): void {
  let calls = 0;
  for (const block of blocks) {
    if (block.type === 'text') output.say('output_text', block.text);
    else if (block.type === 'refusal') output.say('refusal', block.text);
    else if (block.type === 'tool_call') {
      const index = calls++;
      output.call(index, block.id, offered.get(block.name) ?? { name: block.name, custom: false });
      output.addArguments(index, block.arguments);
    } else if (block.type === 'foreign' || block.wire === 'openai-responses') output.add(block.raw);
  }
}
