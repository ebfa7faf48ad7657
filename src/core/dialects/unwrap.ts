import type { Answer, AnswerEvent } from '../answer.ts';
import { isObject } from './provider-json.ts';

/** What a request was wrapped in, to be taken off the answer. */
export interface Wrapping {
  /** Custom tools that were sent as functions of one argument. */
  custom: ReadonlySet<string>;
  /** The tool that takes the answer's JSON. */
  answer: string | null;
}

/** A whole answer as the client's own request would have got it. */
export function unwrapAnswer(answer: Answer, { custom, answer: tool }: Wrapping): Answer {
  const given = answer.blocks.find((block) => block.type === 'tool_call' && block.name === tool);
  const blocks = answer.blocks.flatMap((block): Answer['blocks'] => {
    // Words beside the JSON would spoil it.
    if (block.type === 'text' && given !== undefined) return [];
    if (block.type !== 'tool_call') return [block];
    if (block.name === tool) return block === given ? [{ type: 'text', text: block.arguments }] : [];
    return custom.has(block.name)
      ? [{ ...block, custom: true, arguments: freeText(block.arguments) }]
      : [block];
  });
  const calls = blocks.some((block) => block.type === 'tool_call');
  return { ...answer, blocks, stop: answer.stop === 'tool_calls' && !calls ? 'stop' : answer.stop };
}

/** The same for a stream's events, in order. A custom call's text comes at once, when it is whole. */
export function createUnwrapper({ custom, answer: tool }: Wrapping): (event: AnswerEvent) => AnswerEvent[] {
  /** The wire's index of a call → its place for the client; null for the tool that takes the answer. */
  const places = new Map<number, number | null>();
  let calls = 0;
  let answering = false;
  /** Text waits until it is clear that no tool takes the answer. */
  let text = '';
  let open: { index: number; json: string } | null = null;

  const close = (): AnswerEvent[] => {
    if (open === null) return [];
    const { index, json } = open;
    open = null;
    return [{ type: 'tool_arguments', index, delta: freeText(json) }];
  };
  const readCall = (event: Extract<AnswerEvent, { type: 'tool_call' }>): AnswerEvent[] => {
    if (event.name === tool) {
      places.set(event.index, null);
      answering = true;
      return [];
    }
    const index = calls++;
    places.set(event.index, index);
    if (!custom.has(event.name)) return [{ ...event, index }];
    open = { index, json: '' };
    return [{ ...event, index, custom: true }];
  };
  const readArguments = ({
    index,
    delta,
  }: Extract<AnswerEvent, { type: 'tool_arguments' }>): AnswerEvent[] => {
    const place = places.get(index) ?? null;
    if (place === null) return [{ type: 'text', text: delta }];
    if (open?.index !== place) return [{ type: 'tool_arguments', index: place, delta }];
    open.json += delta;
    return [{ type: 'progress' }];
  };

  return (event) => {
    switch (event.type) {
      case 'tool_call':
        return [...close(), ...readCall(event)];
      case 'tool_arguments':
        return readArguments(event);
      case 'text':
        if (tool === null) return [...close(), event];
        text += event.text;
        return [{ type: 'progress' }];
      case 'stop': {
        const told: AnswerEvent[] = answering || text === '' ? [] : [{ type: 'text', text }];
        const reason = event.reason === 'tool_calls' && calls === 0 ? 'stop' : event.reason;
        return [...close(), ...told, { ...event, reason }];
      }
      default:
        return [event];
    }
  };
}

/** The free text inside the wrapping; what the model wrote in place of it, where that is something else. */
function freeText(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    if (isObject(value) && typeof value.input === 'string') return value.input;
  } catch {
    // Cut off, or no JSON: still the model's words.
  }
  return json;
}
