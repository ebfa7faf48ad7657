import type { ToolCallBlock } from '../../conversation.ts';
import { isObject, type JsonObject } from '../provider-json.ts';

interface CallInput {
  value: JsonObject;
  /** The client's text, where parsing it and writing it again would change what it says. */
  exact?: string;
  /** The model had written something else, which now stands under `_raw`. */
  wrapped?: true;
}

// Read once a block, however often the step is prepared and sent.
const known = new WeakMap<ToolCallBlock, CallInput>();

/** A past call's arguments as the object Anthropic wants. */
export function callInput(call: ToolCallBlock): CallInput {
  const before = known.get(call);
  if (before !== undefined) return before;
  const input = readArguments(call.arguments);
  known.set(call, input);
  return input;
}

// Numbers that a double may not hold or write the same way, and keys that JavaScript moves to the front.
export const CHANGES = /[:,[]\s*-?(?:[\d.]{16}|[\d.]+[eE])|"\d+"\s*:/;

function readArguments(text: string): CallInput {
  // What many clients keep of a call without arguments.
  if (text.trim() === '') return { value: {} };
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return CHANGES.test(text) ? { value, exact: text } : { value };
  } catch {
    // Models make mistakes: the broken text stays readable for the next one.
  }
  return { value: { _raw: text }, wrapped: true };
}

/** Collects what has to stand in a body as the text it was. */
export class ExactInputs {
  private readonly texts: string[] = [];

  /** The call's input as a value to be written, which may stand for a text until {@link write}. */
  take(call: ToolCallBlock): unknown {
    const { value, exact } = callInput(call);
    if (exact === undefined) return value;
    this.texts.push(exact);
    return new Placeholder();
  }

  /** The body as JSON: one pass where no text was kept, which is nearly always. */
  write(body: JsonObject): string {
    if (this.texts.length === 0) return JSON.stringify(body);
    const mark = freeMark(writeWith(null, body));
    const parts = writeWith(mark, body).split(`"input":"${mark}"`);
    return parts.map((part, i) => (i === 0 ? part : `"input":${this.texts[i - 1]}${part}`)).join('');
  }
}

class Placeholder {}

function writeWith(mark: string | null, body: JsonObject): string {
  return JSON.stringify(body, (_key, value) => (value instanceof Placeholder ? mark : value));
}

/** A mark that no input in the text already is, whatever the client wrote there. */
function freeMark(text: string): string {
  const taken = new Set(Array.from(text.matchAll(/"input":"(exact-input-\d+)"/g), (match) => match[1]));
  for (let n = 0; ; n += 1) {
    const mark = `exact-input-${n}`;
    if (!taken.has(mark)) return mark;
  }
}
