import type { Message, ThinkingBlock, ThinkingWire } from '../conversation.ts';
import type { CatalogModel } from '../routing/catalog-model.ts';
import { gptGeneration } from '../routing/catalog-openai.ts';
import { type Destination, fateOf } from '../routing/portability.ts';
import { cacheRulesOf } from './cache-rules.ts';

/** What a model thought for one answer, kept for a client whose wire can't carry it. */
export interface KeptThought {
  producer: { provider: string; name: string };
  wire: ThinkingWire;
  /** Its blocks as they came, in their order. */
  raw: Record<string, unknown>[];
  /** As its provider counted them when they were made. */
  tokens: number;
  /** A hash of what it is bound to besides all that was said before it. */
  bound: string;
  /** Milliseconds since the epoch: when it was kept last, and when it was thought. */
  keptAt: number;
  madeAt: number;
}

/** Kept thoughts by the hash of a lane up to their answer (`lane-chain.ts`). */
export type Thoughts = ReadonlyMap<string, KeptThought>;

/** What of them goes back to one model. */
export interface PutBack {
  /** Blocks for the head of each answer. */
  blocks: ReadonlyMap<Message, readonly ThinkingBlock[]>;
  /** Input that is in no body. */
  tokens: number;
}

export const NOTHING_BACK: PutBack = { blocks: new Map(), tokens: 0 };

/**
 * Tokens of thinking that are put back into a request for each of its bytes, at most: without a limit nobody could say
 * before it is planned what a step may cost. Twice what its text has, at four characters a token.
 */
export const THINKING_SHARE = 0.5;

/** A conversation with the hashes of its messages. */
export interface ChainedMessages {
  messages: readonly Message[];
  /** Messages of the system before the first that has a hash. */
  lead: number;
  chain: readonly string[];
}

/**
 * What a model is given back of what it thought: its own, of answers it would still read, and where that has no room
 * only what followed the user's last ask, where a loop of tools may be open (T15).
 *
 * @param bound what a thought has to be bound to
 * @param room tokens
 */
export function thoughtsFor(
  to: Destination & { model: CatalogModel },
  thoughts: Thoughts,
  { messages, lead, chain }: ChainedMessages,
  bound: string,
  room: number,
): PutBack {
  const own = messages.flatMap((message, index) => {
    const thought = thoughts.get(chain[index - lead] ?? '');
    if (message.role !== 'assistant' || !thought || thought.bound !== bound) return [];
    // It was refused once.
    if (thought.raw.length === 0) return [];
    const kind = thought.wire === 'openai-responses' ? 'encrypted_reasoning' : 'thinking';
    const fate = fateOf({ kind, wire: thought.wire, producer: thought.producer }, to);
    // Both providers refuse thinking that nothing follows.
    const isAnswer = message.content.some(({ type }) => type !== 'thinking');
    return fate === 'kept' && isAnswer ? [{ message, index, thought }] : [];
  });
  const asked = messages.findLastIndex(({ role }) => role === 'user');
  const current = own.filter(({ index }) => index > asked);
  const choices = forgetsTurns(to.model) ? [current] : [own, current];
  const sizes = choices.map((some) => some.reduce((sum, { thought }) => sum + thought.tokens, 0));
  const at = sizes.findIndex((size) => size <= room);
  return {
    blocks: new Map((choices[at] ?? []).map(({ message, thought }) => [message, blocksOf(thought)])),
    tokens: sizes[at] ?? 0,
  };
}

function blocksOf({ raw, wire, producer }: KeptThought): ThinkingBlock[] {
  return raw.map((block) => ({ type: 'thinking', wire, raw: block, producer }));
}

/**
 * Models that read nothing of what was thought before the user's last ask: Claude up to 4.5 but Opus 4.5 (thinking
 * page), GPT before 5.6 (`reasoning.context`).
 */
function forgetsTurns(model: CatalogModel): boolean {
  if (model.wire === 'openai-responses') return (gptGeneration(model.id) ?? 0) < 506;
  return cacheRulesOf(model).lostBy.turn.includes('asks');
}
