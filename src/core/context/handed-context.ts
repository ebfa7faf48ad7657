import { type InputSize, measureGrowth, measureInput } from '../accounting/estimate.ts';
import type { Conversation, Message } from '../conversation.ts';
import type { Tier } from '../routing/tier.ts';
import { type CacheParts, cutParts } from './cache-parts.ts';
import { type Cut, cutFor, cutMessages, noteOf } from './compress.ts';

/** A conversation as a tier may be handed it, where that is less than all of it. */
export interface HandedContext {
  cut: Cut;
  messages: Message[];
  input: InputSize;
  /** Of the whole, and of this alone what another's cache does not hold. */
  parts: CacheParts;
  /** Tokens of the reference tokenizer that are left out, and their share of the whole. */
  leftOut: { tokens: number; share: number };
  /** What stands before the latest turns: it stays when the cut moves on. */
  pinned: InputSize;
  /** USD of the summary that stands for it, where one has to be made. */
  summaryUsd?: number;
  /** Turns that a step adds, as the conversation went so far: at most one. */
  turnsAStep: number;
}

/** A cut that leaves out less costs more in what the model no longer knows than it can save. */
const LEAST = { tokens: 4_000, share: 0.25 };

/**
 * What a tier would be handed of a conversation.
 * @param whole its size and parts
 * @param isSummed a summary will stand in the place of the rest
 * @returns null where it is handed all of it, or nearly
 */
export function handedContext(
  conversation: Conversation,
  whole: { input: InputSize; parts: CacheParts },
  tier: Tier,
  isSummed = false,
): HandedContext | null {
  const { text: tokens } = whole.input.total;
  const cut = tokens > LEAST.tokens ? cutFor(conversation.messages, tier) : null;
  if (!cut) return null;
  const messages = cutMessages(conversation.messages, cut, noteOf(cut));
  const growth = measureGrowth({ ...conversation, messages });
  const input = growth.first(messages.length);
  const left = Math.max(0, tokens - input.total.text);
  const leftOut = { tokens: Math.round(left), share: left / tokens };
  if (leftOut.tokens < LEAST.tokens || leftOut.share < LEAST.share) return null;
  const answers = conversation.messages.filter(({ role }) => role === 'assistant').length;
  return {
    ...{ cut, messages, input, leftOut },
    parts: cutParts(whole.parts, messages, input, nameOf(cut, isSummed)),
    pinned: growth.first(messages.length - (conversation.messages.length - cut.latest)),
    turnsAStep: Math.min(1, cut.turns / (answers + 1)),
  };
}

/** The same with the summary there is, which was not known when it was planned; or with none. */
export function withSummary(
  handed: HandedContext,
  conversation: Conversation,
  summary: string | undefined,
): HandedContext {
  const { cut, parts } = handed;
  const left_out = nameOf(cut, summary !== undefined);
  if (summary === undefined) return { ...handed, parts: { ...parts, left_out } };
  const messages = cutMessages(conversation.messages, cut, noteOf(cut, summary));
  return {
    ...{ ...handed, messages, parts: { ...parts, left_out } },
    input: measureInput({ ...conversation, messages }),
  };
}

/** What tells one cut of a conversation from another. */
function nameOf({ gaps }: Cut, isSummed: boolean): string {
  return gaps.map(({ start, end }) => `${start}-${end}`).join() + (isSummed ? SUMMED : '');
}

const SUMMED = ' summary';

/** Whether a summary stands in the place of what was left out. */
export function isSummed({ left_out }: CacheParts): boolean {
  return left_out?.endsWith(SUMMED) === true;
}
