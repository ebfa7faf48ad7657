import type { Block, Message } from '../conversation.ts';
import { findAsk } from '../difficulty/ask.ts';
import type { Tier } from '../routing/tier.ts';
import { type Turn, turnsOf } from './turns.ts';

/** Turns that a tier is handed besides what is pinned; null: all of them, as they are. */
const HANDED: Readonly<Record<Tier, number | null>> = { easy: 3, medium: 8, hard: null };

/** What a tier is not handed of a conversation. */
export interface Cut {
  /** Messages that are left out, from one index up to but not including another: at least one, in order, apart. */
  gaps: readonly Turn[];
  /** Messages in them. */
  leftOut: number;
  /** The message that the latest turns begin with. */
  latest: number;
  /** Turns there are, and how many the cut moves by once so many have come. */
  turns: number;
  moves: number;
}

/**
 * What a tier is not handed of a conversation. It gets what the system says, the user's first words, the latest turns
 * (the open loop is in the last of them), each turn that touched a file the current ask names, and each in which the
 * system or a developer speaks. Cut between turns only (T24). The first of the latest turns stays the same for several
 * turns, so that what is handed over grows like any other conversation and can stay warm.
 * @returns null where there is nothing to leave out
 */
export function cutFor(messages: readonly Message[], tier: Tier): Cut | null {
  const handed = HANDED[tier];
  if (handed === null) return null;
  const turns = wholeTurns(messages);
  if (turns.length < 2 * handed) return null;
  const first = turns.findIndex(({ start }) => messages[start]?.role === 'user');
  // From `handed` to twice as many: the cut moves once in so many turns.
  const from = turns.length - handed - (turns.length % handed);
  const middle = turns.slice(Math.max(0, first), from);
  const named = namedFiles(messages);
  const kept = new Set([
    ...named.flatMap((file) => middle.findLast((turn) => touches(messages, turn, file)) ?? []),
    ...middle.filter((turn) => isInstructed(messages, turn)),
  ]);
  const gaps: Turn[] = [];
  for (const turn of middle) {
    if (kept.has(turn)) continue;
    // The first ask says what all is for.
    const start = turn === turns[first] ? afterOpening(messages, turn) : turn.start;
    const before = gaps.at(-1);
    if (before?.end === start) before.end = turn.end;
    else if (start < turn.end) gaps.push({ start, end: turn.end });
  }
  const leftOut = gaps.reduce((sum, { start, end }) => sum + end - start, 0);
  const latest = turns[from]?.start ?? messages.length;
  return leftOut > 0 ? { gaps, leftOut, latest, turns: turns.length, moves: handed } : null;
}

/** The conversation with a cut made, and a note in the place of what is missing first. */
export function cutMessages(messages: readonly Message[], { gaps }: Cut, note: string): Message[] {
  const said: Message = { role: 'assistant', content: [{ type: 'text', text: note }] };
  let from = 0;
  const kept = gaps.flatMap(({ start, end }, index) => {
    const before = messages.slice(from, start);
    from = end;
    return index === 0 ? [...before, said] : before;
  });
  return [...kept, ...messages.slice(from)];
}

/**
 * Says to the model that something is missing: it may ask, where it would have made something up. It stands where an
 * answer stood, so that the user's words stay the user's own, and who speaks takes turns.
 */
export function noteOf({ leftOut }: Cut, summary?: string): string {
  const gap = `${leftOut} earlier messages of this conversation were left out here.`;
  return summary === undefined ? `[${gap}]` : `[${gap} What they said, in short:]\n${summary}`;
}

/** A user who speaks before a tool's results were answered begins nothing: some wires hold both in one message. */
function wholeTurns(messages: readonly Message[]): Turn[] {
  const turns: Turn[] = [];
  for (const turn of turnsOf(messages)) {
    const open = turns.at(-1);
    if (open && messages[turn.start - 1]?.role === 'tool') open.end = turn.end;
    else turns.push(turn);
  }
  return turns;
}

/** The index after what the user said in a turn before anybody answered. */
function afterOpening(messages: readonly Message[], { start, end }: Turn): number {
  const answered = messages.slice(start, end).findIndex(({ role }) => role !== 'user');
  return answered === -1 ? end : start + answered;
}

function isInstructed(messages: readonly Message[], { start, end }: Turn): boolean {
  return messages.slice(start, end).some(({ role }) => role === 'system' || role === 'developer');
}

/** Characters of the ask that are read for names, and how many names count. */
const ASK_READ = 4_000;
const MOST_FILES = 8;
/** `src/app.ts`, `README.md`, `./a-b/c_d.py`: a name with an extension. */
const FILE = /^[\w@./-]{0,120}[\w-]\.[A-Za-z][A-Za-z0-9]{0,7}$/;

function namedFiles(messages: readonly Message[]): string[] {
  const words =
    findAsk(messages)
      .text.slice(0, ASK_READ)
      .match(/[\w@./-]+/g) ?? [];
  // Before the name: `./`, `../`; behind it: the end of a sentence.
  const names = words.map((word) => word.replace(/^[./]+/, '').replace(/[./-]+$/, ''));
  return [...new Set(names.filter((name) => FILE.test(name)))].slice(0, MOST_FILES);
}

function touches(messages: readonly Message[], { start, end }: Turn, file: string): boolean {
  return messages.slice(start, end).some(({ content }) => content.some((block) => names(block, file)));
}

function names(block: Block, file: string): boolean {
  if (block.type === 'text') return block.text.includes(file);
  if (block.type === 'tool_call') return block.arguments.includes(file);
  return block.type === 'tool_result' && block.content.some((part) => names(part, file));
}
