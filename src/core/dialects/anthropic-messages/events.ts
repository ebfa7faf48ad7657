import type { Usage } from '../../accounting/usage.ts';
import type { AnswerEvent } from '../../answer.ts';
import { valueText } from '../../json-scan.ts';
import { originalId } from '../../tool-ids.ts';
import {
  invalidAnswer,
  isObject,
  type JsonObject,
  objectAt,
  requiredText,
  textAt,
} from '../provider-json.ts';
import { type EventReader, frameReader, progress } from '../upstream.ts';
import { anthropicError, ownBlock, readUsage, refusalText, stopReason } from './answer.ts';

/** Reads the event stream of one `POST /v1/messages`. */
export function createEventReader(): EventReader {
  /** Content block → the call it is, counted over calls only (T32). */
  const calls = new Map<number, { index: number; begun: boolean }>();
  /** The API's own blocks while they grow, by content block. */
  const own = new Map<number, { block: JsonObject; input: string }>();
  /** Cumulative; the split by lifetime is told at the start only. */
  let usage: JsonObject | undefined;

  function callOf(data: JsonObject): { index: number; begun: boolean } | undefined {
    return typeof data.index === 'number' ? calls.get(data.index) : undefined;
  }

  function argumentsOf(data: JsonObject, delta: string): AnswerEvent[] {
    const call = callOf(data);
    if (call === undefined) throw invalidAnswer('arguments of a call that never began');
    if (delta === '') return [{ type: 'progress' }];
    call.begun = true;
    return [{ type: 'tool_arguments', index: call.index, delta }];
  }

  function startBlock(data: JsonObject, raw: string): AnswerEvent[] {
    const block = objectAt(data, 'content_block');
    if (block === undefined || typeof data.index !== 'number') throw invalidAnswer('a block without content');
    if (block.type === 'text' && block.text) return [{ type: 'text', text: requiredText(block, 'text') }];
    if (block.type !== 'tool_use') {
      if (block.type !== 'text') own.set(data.index, { block: { ...block }, input: '' });
      return [{ type: 'progress' }];
    }
    const index = calls.size;
    calls.set(data.index, { index, begun: false });
    const events: AnswerEvent[] = [
      {
        type: 'tool_call',
        index,
        id: originalId(requiredText(block, 'id')),
        name: requiredText(block, 'name'),
      },
    ];
    const isWhole = isObject(block.input) && Object.keys(block.input).length > 0;
    const whole = (isWhole && valueText(raw, ['content_block', 'input'])) || '';
    return whole === '' ? events : [...events, ...argumentsOf(data, whole)];
  }

  function readDelta(data: JsonObject): AnswerEvent[] {
    const delta = objectAt(data, 'delta');
    if (delta === undefined) throw invalidAnswer('a delta without content');
    if (delta.type === 'text_delta') return [{ type: 'text', text: requiredText(delta, 'text') }];
    const growing = typeof data.index === 'number' ? own.get(data.index) : undefined;
    if (growing !== undefined) grow(growing, delta);
    else if (delta.type === 'input_json_delta') return argumentsOf(data, requiredText(delta, 'partial_json'));
    return [progress(delta.type === 'thinking_delta' ? textAt(delta, 'thinking') : undefined)];
  }

  /** A call without arguments may come without a delta: its arguments are still an object. */
  function stopBlock(data: JsonObject): AnswerEvent[] {
    const whole = typeof data.index === 'number' ? own.get(data.index) : undefined;
    if (whole !== undefined) {
      own.delete(Number(data.index));
      return [{ type: 'block', block: ownBlock(grown(whole)) }];
    }
    const call = callOf(data);
    return call === undefined || call.begun ? [{ type: 'progress' }] : argumentsOf(data, '{}');
  }

  function takeUsage(part: JsonObject | undefined): Usage | undefined {
    if (part !== undefined) {
      const told = Object.entries(part).filter(([, value]) => value !== null);
      usage = { ...usage, ...Object.fromEntries(told) };
    }
    return usage === undefined ? undefined : readUsage(usage);
  }

  function readMessageDelta(data: JsonObject): AnswerEvent[] {
    const counted = takeUsage(objectAt(data, 'usage'));
    const serviceTier = usage && textAt(usage, 'service_tier');
    const events: AnswerEvent[] =
      counted === undefined
        ? []
        : [{ type: 'usage', usage: counted, ...(serviceTier === undefined ? {} : { serviceTier }) }];
    const delta = objectAt(data, 'delta') ?? {};
    const reason = textAt(delta, 'stop_reason');
    if (reason === undefined) return events;
    const stopSequence = textAt(delta, 'stop_sequence');
    if (reason === 'refusal') events.push({ type: 'refusal', text: refusalText(delta) });
    events.push({
      type: 'stop',
      reason: stopReason(reason),
      ...(stopSequence === undefined ? {} : { stopSequence }),
    });
    return events;
  }

  return frameReader((data, raw) => {
    switch (data.type) {
      case 'message_start': {
        const message = objectAt(data, 'message');
        if (message === undefined) throw invalidAnswer('no `message`');
        const counted = takeUsage(objectAt(message, 'usage'));
        const [id, model] = [requiredText(message, 'id'), requiredText(message, 'model')];
        return [{ type: 'start', id, model, ...(counted === undefined ? {} : { usage: counted }) }];
      }
      case 'content_block_start':
        return startBlock(data, raw);
      case 'content_block_delta':
        return readDelta(data);
      case 'content_block_stop':
        return stopBlock(data);
      case 'message_delta':
        return readMessageDelta(data);
      case 'message_stop':
        return [{ type: 'end' }];
      case 'ping':
        return [{ type: 'progress' }];
      case 'error':
        throw anthropicError(objectAt(data, 'error') ?? {});
      default:
        return [];
    }
  });
}

/** A delta's texts go to the end of the block's members of the same name: `thinking`, `signature`, whatever comes. */
function grow(growing: { block: JsonObject; input: string }, delta: JsonObject): void {
  const { block } = growing;
  for (const [name, piece] of Object.entries(delta)) {
    if (name === 'type' || typeof piece !== 'string') continue;
    if (name === 'partial_json') growing.input += piece;
    else block[name] = `${typeof block[name] === 'string' ? block[name] : ''}${piece}`;
  }
}

function grown({ block, input }: { block: JsonObject; input: string }): JsonObject {
  if (input === '') return block;
  try {
    return { ...block, input: JSON.parse(input) };
  } catch {
    throw invalidAnswer('an input that is no JSON');
  }
}
