import type { ToolCallBlock } from '../../conversation.ts';
import { elementTexts, valueText } from '../../json-scan.ts';
import { RawJson } from '../../raw-json.ts';
import { isObject, type JsonObject } from '../provider-json.ts';

interface CallInput {
  /** The call's own text where parsing it and writing it again would change it in any way. */
  value: JsonObject | RawJson;
  /** The model had written something else, which now stands under `_raw`. */
  wrapped?: true;
}

// Read once a block, however often the step is prepared and sent.
const known = new WeakMap<ToolCallBlock, CallInput>();

/** A call's arguments as the object Anthropic has. */
export function callInput(call: ToolCallBlock): CallInput {
  const before = known.get(call);
  if (before !== undefined) return before;
  const input = readArguments(call.arguments);
  known.set(call, input);
  return input;
}

function readArguments(text: string): CallInput {
  // What many clients keep of a call without arguments.
  if (text.trim() === '') return { value: {} };
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return { value: JSON.stringify(value) === text ? value : new RawJson(text) };
  } catch {
    // Models make mistakes: the broken text stays readable for the next one.
  }
  return { value: { _raw: text }, wrapped: true };
}

/** The inputs of calls as they stand in a message's JSON text, by their places; each undefined where there is none. */
export type InputTexts = (place: number) => string | undefined;

/** Looked up only where there is a call. */
export function inputTexts(message: () => string | undefined): InputTexts {
  let blocks: readonly string[] | undefined;
  return (place) => {
    blocks ??= elementTexts(message() ?? '{}', ['content']);
    const block = blocks[place];
    return block === undefined ? undefined : valueText(block, ['input']);
  };
}
