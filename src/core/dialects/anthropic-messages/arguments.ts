import type { ToolCallBlock } from '../../conversation.ts';
import { isObject } from '../provider-json.ts';

interface ObjectText {
  /** JSON text of an object. */
  text: string;
  /** The model had written something else, which now stands under `_raw`. */
  wrapped: boolean;
}

// Read once a block, however often the step is prepared and sent.
const known = new WeakMap<ToolCallBlock, ObjectText>();

/**
 * A past call's arguments as the object Anthropic wants. Valid ones keep their text: parsed and written again,
 * numbers above 2^53 would change, and keys would change their order.
 */
export function argumentsObject(call: ToolCallBlock): ObjectText {
  const before = known.get(call);
  if (before !== undefined) return before;
  const object = readArguments(call.arguments);
  known.set(call, object);
  return object;
}

function readArguments(text: string): ObjectText {
  // What many clients keep of a call without arguments.
  if (text.trim() === '') return { text: '{}', wrapped: false };
  try {
    if (isObject(JSON.parse(text))) return { text, wrapped: false };
  } catch {
    // Models make mistakes: the broken text stays readable for the next one.
  }
  return { text: JSON.stringify({ _raw: text }), wrapped: true };
}
