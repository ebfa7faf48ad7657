import type { Turn } from '../context/turns.ts';
import type { Message } from '../conversation.ts';
import { type Edits, spliceMembers } from '../json-splice.ts';
import type { Wire } from '../routing/catalog.ts';
import { isObject, type JsonObject, objectsAt } from './provider-json.ts';

/** A client's body as text, and parsed. */
export interface ClientBody {
  rawBody: string;
  body: unknown;
}

/** Where a wire's messages stand. */
const LISTS: Readonly<Record<Wire, string>> = {
  'anthropic-messages': 'messages',
  'openai-responses': 'input',
  'openai-chat': 'messages',
};

/**
 * A client's own body without what a cut leaves out, and a note in the place of what is missing first. All else stays
 * byte for byte; of the parsed body all that is kept stays the same object. Each gap stands between messages of the
 * user, by which it is found: the wires fold the rest in different ways.
 *
 * @param gaps of `messages`, which were read from the body
 * @returns null where the gaps can't be told, or would part a call from its result (T24)
 */
export function cutBody(
  { rawBody, body }: ClientBody,
  wire: Wire,
  messages: readonly Message[],
  gaps: readonly Turn[],
  note: string,
): ClientBody | null {
  const name = LISTS[wire];
  const list: unknown = isObject(body) ? body[name] : undefined;
  if (!isObject(body) || !Array.isArray(list)) return null;
  const items: unknown[] = list;
  const spoken = items.flatMap((item, index) => (isUsers(item) ? [index] : []));
  const users = messages.flatMap(({ role }, index) => (role === 'user' ? [index] : []));
  if (spoken.length !== users.length) return null;
  /** Where a message stands that is the user's, or comes right after one of the user's. */
  const placeOf = (message: number): number | undefined => {
    const at = spoken[users.indexOf(message)];
    const before = spoken[users.indexOf(message - 1)];
    return at ?? (before === undefined ? undefined : before + 1);
  };
  const left = new Set<number>();
  for (const { start, end } of gaps) {
    const [from, to] = [placeOf(start), placeOf(end)];
    if (from === undefined || to === undefined || from >= to) return null;
    if (!isPaired(items.slice(from, to))) return null;
    for (let index = from; index < to; index += 1) left.add(index);
  }
  const [first] = left;
  if (first === undefined) return null;
  const said = { role: 'assistant', content: note };
  const edits: Edits = {};
  for (const index of left) edits[index] = index === first ? JSON.stringify(said) : undefined;
  const kept = items.flatMap((item, index) => (index === first ? [said] : left.has(index) ? [] : [item]));
  return { rawBody: spliceMembers(rawBody, { [name]: edits }), body: { ...body, [name]: kept } };
}

/** A message in which the user speaks: results of tools alone are none. */
function isUsers(item: unknown): boolean {
  if (!isObject(item) || item.role !== 'user') return false;
  const { content } = item;
  return !Array.isArray(content) || content.length === 0 || content.some((part) => !isResult(part));
}

function isResult(part: unknown): boolean {
  return isObject(part) && part.type === 'tool_result';
}

/** Whether calls and results in some items are of each other. */
function isPaired(items: readonly unknown[]): boolean {
  const calls = new Set<unknown>();
  const results = new Set<unknown>();
  const note = (part: JsonObject): void => {
    if (part.type === 'tool_use') calls.add(part.id);
    else if (part.type === 'tool_result') results.add(part.tool_use_id);
    else if (part.role === 'tool') results.add(part.tool_call_id);
    // Responses: an item that names a call and gives nothing back is the call.
    else if (part.call_id !== undefined) ('output' in part ? results : calls).add(part.call_id);
    for (const call of objectsAt(part, 'tool_calls')) calls.add(call.id);
  };
  for (const item of items) {
    if (!isObject(item)) return false;
    note(item);
    for (const part of objectsAt(item, 'content')) note(part);
  }
  return calls.size === results.size && [...calls].every((id) => results.has(id));
}
