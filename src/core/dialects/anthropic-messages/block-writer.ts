import type { AnswerEvent } from '../../answer.ts';
import { ANTHROPIC_IDS, createIdMap } from '../../tool-ids.ts';
import { JsonEnd } from '../json-end.ts';
import { type JsonObject, textAt } from '../provider-json.ts';
import { toolUse } from './write.ts';

type Content = Extract<AnswerEvent, { type: 'text' | 'tool_call' | 'tool_arguments' | 'block' }>;

/** What has to go into one content block. */
type Part =
  | { kind: 'text'; waiting: string }
  | { kind: 'call'; id: string; name: string; index: number; waiting: string; end: JsonEnd }
  | { kind: 'thinking'; raw: JsonObject };

/** Writes content blocks, one at a time as this wire has them. */
export interface BlockWriter {
  write(event: Content): string;
  /** Everything that still waits: nothing more comes. */
  end(): string;
}

/**
 * Other wires may send several calls at once, and text between them (T32). Only the first part that is not finished
 * is written as it comes; those after it wait. A call is finished where its arguments are a whole JSON value and
 * another part has begun, else at the end.
 */
export function createBlockWriter(frame: (type: string, fields: JsonObject) => string): BlockWriter {
  const ids = createIdMap(ANTHROPIC_IDS);
  let parts: Part[] = [];
  /** Index of the block that is being written, and whether it has been opened. */
  let index = 0;
  let opened = false;

  const start = (block: JsonObject): string => {
    opened = true;
    return frame('content_block_start', { index, content_block: block });
  };
  const delta = (fields: JsonObject): string => frame('content_block_delta', { index, delta: fields });
  const close = (): string => {
    const text = frame('content_block_stop', { index });
    index += 1;
    opened = false;
    return text;
  };

  /** What can be said of the first part by now. */
  const say = (part: Part): string => {
    if (part.kind === 'thinking')
      return start(opening(part.raw)) + thinkingDeltas(part.raw).map(delta).join('');
    const opening_ = opened ? '' : start(openingOf(part));
    const { waiting } = part;
    if (waiting === '') return opening_;
    part.waiting = '';
    if (part.kind === 'text') return opening_ + delta({ type: 'text_delta', text: waiting });
    part.end.read(waiting);
    return opening_ + delta({ type: 'input_json_delta', partial_json: waiting });
  };
  const openingOf = (part: Exclude<Part, { kind: 'thinking' }>): JsonObject =>
    part.kind === 'text'
      ? { type: 'text', text: '', citations: null }
      : toolUse(ids.call(part.id), part.name, {});

  /** Writes on: everything that is finished, and the first part that is not as far as it has come. */
  const proceed = (ended: boolean): string => {
    let text = '';
    for (let first = parts[0]; first !== undefined; first = parts[0]) {
      text += say(first);
      if (!ended && (parts.length === 1 || !isFinished(first))) {
        // A block that comes whole is finished when it is there.
        if (first.kind !== 'thinking') return text;
      }
      text += close();
      parts = parts.slice(1);
    }
    return text;
  };

  return {
    write(event) {
      const last = parts.at(-1);
      if (event.type === 'text') {
        if (event.text === '') return '';
        if (last?.kind === 'text') last.waiting += event.text;
        else parts.push({ kind: 'text', waiting: event.text });
      } else if (event.type === 'tool_call') {
        const { id, name, index: call } = event;
        parts.push({ kind: 'call', id, name, index: call, waiting: '', end: new JsonEnd() });
      } else if (event.type === 'tool_arguments') {
        const call = parts.find((part) => part.kind === 'call' && part.index === event.index);
        // White space after arguments that were whole already.
        if (call?.kind !== 'call') return '';
        call.waiting += event.delta;
      } else {
        const { block } = event;
        if (block.type !== 'thinking' || block.wire !== 'anthropic-messages') return '';
        parts.push({ kind: 'thinking', raw: block.raw });
      }
      return proceed(false);
    },
    end: () => proceed(true),
  };
}

function isFinished(part: Part): boolean {
  return part.kind !== 'call' || part.end.isReached;
}

/** How a thinking block begins; a redacted one comes whole. */
function opening(raw: JsonObject): JsonObject {
  return raw.type === 'thinking' ? { ...raw, thinking: '', signature: '' } : raw;
}

function thinkingDeltas(raw: JsonObject): JsonObject[] {
  if (raw.type !== 'thinking') return [];
  const thinking = textAt(raw, 'thinking') ?? '';
  return [
    ...(thinking === '' ? [] : [{ type: 'thinking_delta', thinking }]),
    { type: 'signature_delta', signature: textAt(raw, 'signature') ?? '' },
  ];
}
