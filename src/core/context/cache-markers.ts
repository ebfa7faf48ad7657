import { leadingSystem } from '../accounting/estimate.ts';
import type { Prices } from '../accounting/prices.ts';
import type { Block, CacheMark, Conversation, Message } from '../conversation.ts';
import { PAUSES } from '../routing/experience.ts';
import type { Forecast } from '../routing/forecast.ts';
import type { CacheRules } from './cache-rules.ts';

/** What is known of a model's cache before a request is sent. */
export interface MarkerWish {
  /** Blocks up to each place that the model's cache holds of the lane, the longest first. */
  known: readonly number[];
  /** The longer lifetime pays for what is written now. */
  long: boolean;
  /** What the requests of its session have in common. */
  key?: string | undefined;
}

/** Where a prompt cache is told to write: after the head (tools and leading system messages), and after blocks. */
export interface MarkerPlaces {
  /** The last tool or the last block of the leading system messages; false where there is neither. */
  head: boolean;
  blocks: readonly BlockPlace[];
}

export interface BlockPlace {
  message: number;
  block: number;
}

/**
 * The places of a request besides its tail, which the wire marks by itself. One marker stays after the head (T21);
 * the others stand where earlier requests of the lane ended, so that what they wrote is found without looking back,
 * however many blocks a turn has added since (T53): the ends of what the routed model's cache holds, where that is
 * known, so that each is found and renewed while it lives, and the ends of the last two requests, which the
 * conversation itself tells.
 *
 * @param known blocks up to each place that the routed model's cache holds, the longest first
 * @param most markers that the request may have besides the tail's
 */
export function markerPlaces(
  conversation: Pick<Conversation, 'messages' | 'tools'>,
  known: readonly number[],
  most: number,
): MarkerPlaces {
  const { messages, tools } = conversation;
  const lead = leadingSystem(messages);
  const head = most > 0 && (tools.length > 0 || lead > 0);
  const flat = blocksOf(messages);
  const leadBlocks = messages.slice(0, lead).reduce((sum, { content }) => sum + content.length, 0);
  const ends = [...known, ...requestEnds(messages).slice(-2).reverse()];
  const found = new Map<number, BlockPlace>();
  for (const end of ends) {
    if (found.size >= most - (head ? 1 : 0)) break;
    const at = lastMarkable(messages, flat, Math.min(end, flat.length - 1), leadBlocks);
    if (at !== undefined) found.set(at.index, at.place);
  }
  const blocks = [...found].sort(([a], [b]) => a - b).map(([, place]) => place);
  return { head, blocks };
}

/** How many blocks each earlier request had: a request ended where an answer begins. */
function requestEnds(messages: readonly Message[]): number[] {
  const ends: number[] = [];
  let blocks = 0;
  let asked = false;
  for (const { role, content } of messages) {
    if (role === 'assistant' && asked) ends.push(blocks);
    asked = role === 'user' || role === 'tool';
    blocks += content.length;
  }
  return ends;
}

function blocksOf(messages: readonly Message[]): BlockPlace[] {
  return messages.flatMap(({ content }, message) => content.map((_, block) => ({ message, block })));
}

/** The last block of the first `end` that can be marked, and is not of the head. */
function lastMarkable(
  messages: readonly Message[],
  flat: readonly BlockPlace[],
  end: number,
  from: number,
): { index: number; place: BlockPlace } | undefined {
  for (let index = end - 1; index >= from; index -= 1) {
    const place = flat[index];
    const block = place && messages[place.message]?.content[place.block];
    if (place && block && isMarkable(block)) return { index, place };
  }
  return undefined;
}

/** Anthropic: thinking and empty text are not. */
function isMarkable(block: Block): boolean {
  if (block.type === 'text') return block.text.trim() !== '';
  return block.type !== 'thinking' && block.type !== 'refusal' && block.type !== 'foreign';
}

/** The conversation with a marker at each place. The client's own are never touched: it is not called where it has any. */
export function withMarkers(conversation: Conversation, places: MarkerPlaces, mark: CacheMark): Conversation {
  const lead = leadingSystem(conversation.messages);
  const onSystem = places.head && lead > 0;
  const marked = [...places.blocks, ...(onSystem ? headPlace(conversation.messages, lead) : [])];
  const at = new Map<number, Set<number>>();
  for (const { message, block } of marked) at.set(message, (at.get(message) ?? new Set()).add(block));
  const messages = conversation.messages.map((message, index) => {
    const blocks = at.get(index);
    return blocks ? markBlocks(message, blocks, mark) : message;
  });
  const last = conversation.tools.length - 1;
  const tools =
    places.head && !onSystem
      ? conversation.tools.map((tool, index) => (index === last ? { ...tool, cache: mark } : tool))
      : conversation.tools;
  return { ...conversation, messages, tools };
}

function headPlace(messages: readonly Message[], lead: number): BlockPlace[] {
  for (let message = lead - 1; message >= 0; message -= 1) {
    const block = (messages[message]?.content ?? []).findLastIndex(isMarkable);
    if (block !== -1) return [{ message, block }];
  }
  return [];
}

function markBlocks(message: Message, blocks: ReadonlySet<number>, mark: CacheMark): Message {
  const content = message.content.map((block, index) =>
    blocks.has(index) ? { ...block, cache: mark } : block,
  );
  // A mark changes no block's type, so the message's role keeps fitting.
  return { ...message, content } as Message;
}

/**
 * Whether a request pays for the longer lifetime (a class dearer to write): where the lane's rhythm makes a pause
 * that outlives the short one and not the long one likely enough that not writing anew what it would lose is worth
 * more. What lives longer already is not lost: so short writes gather behind it, until one long one covers them all.
 *
 * @param tokens of the whole input on the model, how many of them are warm, and how many will be kept through such a
 *   pause anyway
 */
export function paysForLong(
  rules: CacheRules,
  prices: Prices | null,
  { tokens, warm, kept }: { tokens: number; warm: number; kept: number },
  { goesOn, pauses }: Pick<Forecast, 'goesOn' | 'pauses'>,
): boolean {
  if (!rules.long || !prices) return false;
  const [short, long, read] = [prices[rules.default.write], prices[rules.long.write], prices.read];
  if (short === null || long === null || read === null) return false;
  const { seconds: shortLife } = rules.default;
  const { seconds: longLife } = rules.long;
  const outlives = PAUSES.reduce(
    (sum, pause, i) => (pause >= shortLife && pause < longLife ? sum + (pauses[i] ?? 0) : sum),
    0,
  );
  const lost = outlives * (goesOn[0] ?? 0);
  // What is written anew for the short lifetime may be lost again; so at most it costs to write it for the long one.
  const anew = Math.min(long - read, (short - read) / (1 - lost));
  return lost * anew * (tokens - kept) > (long - short) * (tokens - warm);
}
