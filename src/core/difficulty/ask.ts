import type { Message } from '../conversation.ts';
import { INTERRUPTION, peel } from './envelope.ts';
import { saysNothingNew } from './referential.ts';

/**
 * Most of a turn that is read: its first 4,000 and last 2,000 characters. A long paste has its instruction at one
 * end, and what lies between would only cost time (T11).
 */
const HEAD = 4_000;
const TAIL = 2_000;

/** User turns looked at before a referential one; the ask it refers to is at most the second that says something. */
const TURNS_BACK = 8;
const ASKS_BACK = 2;

/** What the last user turn wants, without system prompt, tools, assistant text and tool results (T1). */
export interface Ask {
  /** The user's own words; empty where nobody asked anything. */
  text: string;
  /** "yes please", "continue": means what an earlier turn asked (T5). */
  referential: boolean;
  /** Answers the assistant: says yes or no, or was asked a question. Carries on with the task before unless it is an ask itself. */
  reply: boolean;
  /** Came while tool results waited for an answer: the task before is unfinished. */
  interjected: boolean;
  /** Index of its message, -1 for none: the tool loop it started follows. */
  at: number;
}

/** The last user turn that is not the harness's alone. */
export function findAsk(messages: readonly Message[]): Ask {
  for (let at = messages.length - 1; at >= 0; at -= 1) {
    const text = ownWords(messages[at]);
    if (text === null) continue;
    const before = messages[at - 1];
    return {
      text,
      referential: saysNothingNew(text),
      reply: before?.role === 'assistant' && (ASSENT.test(text) || asksBack(before)),
      interjected: before?.role === 'tool' && !isInterruption(messages[at]),
      at,
    };
  }
  return { text: '', referential: false, reply: false, interjected: false, at: -1 };
}

/** The user turns before `at` that say something of their own, latest first: what a referential turn may mean. */
export function earlierAsks(messages: readonly Message[], at: number): string[] {
  const asks: string[] = [];
  let turns = 0;
  for (let index = at - 1; index >= 0 && asks.length < ASKS_BACK && turns < TURNS_BACK; index -= 1) {
    const text = ownWords(messages[index]);
    if (text === null) continue;
    turns += 1;
    if (!saysNothingNew(text)) asks.push(text);
  }
  return asks;
}

/** A user message's own words, bounded; null where there are none. An image alone is an ask without words. */
function ownWords(message: Message | undefined): string | null {
  if (message?.role !== 'user') return null;
  const text = peel(textOf(message));
  if (text !== '') return text.length > HEAD + TAIL ? `${text.slice(0, HEAD)}\n${text.slice(-TAIL)}` : text;
  return message.content.some((block) => block.type === 'image') ? '' : null;
}

/** All text of a message, blocks a line apart. */
export function textOf(message: Message): string {
  const texts: string[] = [];
  for (const block of message.content) if (block.type === 'text') texts.push(block.text);
  return texts.join('\n');
}

const ASSENT = /^(?:yes|yeah|yep|ok|okay|sure|correct|confirmed|no|nope)\b/i;

/** Its wording stays unread (T5: assistant text made agreement worse): only that it ends by asking. */
function asksBack(message: Extract<Message, { role: 'assistant' }>): boolean {
  const last = message.content.findLast((block) => block.type === 'text');
  return last?.type === 'text' && last.text.slice(-300).includes('?');
}

function isInterruption(message: Message | undefined): boolean {
  return message?.role === 'user' && textOf(message).includes(INTERRUPTION);
}
