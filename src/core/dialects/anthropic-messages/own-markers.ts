import { markerPlaces } from '../../context/cache-markers.ts';
import type { Conversation } from '../../conversation.ts';
import type { Edits } from '../../json-splice.ts';
import { isObject, type JsonObject, objectsAt } from '../provider-json.ts';

/** A block of a client's body: where it stands, and its text where it is a text alone. */
interface RawBlock {
  path: readonly [string, ...(string | number)[]];
  text: string | null;
}

/**
 * The gateway's own cache markers in a body of the client's (it has none of its own): after the head, and where earlier
 * requests ended. Nothing else of a block changes.
 *
 * @param known blocks up to each place that the model's cache holds of the lane, the longest first
 * @param control the marker as JSON
 * @returns edits of `system`, `tools` and `messages`
 */
export function markerEdits(
  body: JsonObject,
  original: Conversation,
  { known, most }: { known: readonly number[]; most: number },
  control: string,
): Edits {
  const flat = rawBlocks(body);
  const counted = original.messages.reduce((sum, { content }) => sum + content.length, 0);
  // Something of the body is no block of the conversation: its places can't be told.
  if (flat.length !== counted) return {};
  const places = markerPlaces(original, known, most);
  const starts: number[] = [];
  original.messages.reduce((sum, { content }, index) => {
    starts[index] = sum;
    return sum + content.length;
  }, 0);
  const marked = places.blocks.map(({ message, block }) => (starts[message] ?? 0) + block);
  const edits: Edits = {};
  const lead = flat.findLastIndex(({ path }) => path[0] === 'system');
  const tools = objectsAt(body, 'tools');
  if (places.head && lead !== -1) marked.push(lead);
  else if (places.head && tools.length > 0) edits.tools = { [tools.length - 1]: { cache_control: control } };
  for (const index of marked) {
    const block = flat[index];
    if (block) mark(edits, block, control);
  }
  return edits;
}

function mark(edits: Edits, { path, text }: RawBlock, control: string): void {
  const [last] = path.slice(-1);
  let holder = edits;
  for (const name of path.slice(0, -1)) {
    const inner = holder[name];
    const next: Edits = typeof inner === 'object' ? inner : {};
    holder[name] = next;
    holder = next;
  }
  if (last === undefined) return;
  // A text in place of a list of blocks.
  if (text !== null)
    holder[last] = `[{"type":"text","text":${JSON.stringify(text)},"cache_control":${control}}]`;
  else holder[last] = { cache_control: control };
}

/** Every block in the order a cache sees them: those of the system, then those of each message. */
function rawBlocks(body: JsonObject): RawBlock[] {
  const blocks = blocksOf(body.system, ['system']);
  objectsAt(body, 'messages').forEach((message, index) => {
    blocks.push(...blocksOf(message.content, ['messages', index, 'content']));
  });
  return blocks;
}

function blocksOf(content: unknown, path: RawBlock['path']): RawBlock[] {
  if (typeof content === 'string') return content === '' ? [] : [{ path, text: content }];
  if (!Array.isArray(content)) return [];
  return content.flatMap((block, index) => (isObject(block) ? [{ path: [...path, index], text: null }] : []));
}
