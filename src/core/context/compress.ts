import { leadingSystem } from '../accounting/estimate.ts';
import type { Block, Message } from '../conversation.ts';
import { findAsk } from '../difficulty/ask.ts';
import type { Tier } from '../routing/tier.ts';
import { type Turn, turnsOf } from './turns.ts';

/** Turns that a tier is handed besides what is pinned; null: all of them, as they are. */
const HANDED: Readonly<Record<Tier, number | null>> = { easy: 3, medium: 8, hard: null };

/** A conversation with turns of its middle left out. */
export interface Handover {
  messages: Message[];
  /** Messages that were left out. */
  leftOut: number;
}

/**
 * What a tier is handed of a conversation: what the system says, the user's first words, the latest turns (the open
 * loop is in the last of them), and each turn that touched a file the current ask names. Cut between turns only (T24).
 * The first of the latest turns stays the same for several turns, so that what is handed over grows like any other
 * conversation and can stay warm.
 * @returns null where there is nothing to leave out
 */
export function handOver(messages: readonly Message[], tier: Tier): Handover | null {
  const handed = HANDED[tier];
  const turns = turnsOf(messages);
  if (handed === null || turns.length < 2 * handed) return null;
  const first = turns.findIndex(({ start }) => messages[start]?.role === 'user');
  // From `handed` to twice as many: the cut moves once in so many turns.
  const from = turns.length - handed - (turns.length % handed);
  const middle = turns.slice(0, from);
  const named = namedFiles(messages);
  const kept = new Set(
    named.flatMap((file) => middle.findLast((turn) => touches(messages, turn, file)) ?? []),
  );
  const lead = leadingSystem(messages);
  const out: Message[] = messages.slice(0, lead);
  let leftOut = 0;
  for (const [index, turn] of turns.entries()) {
    const whole = messages.slice(turn.start, turn.end);
    if (index >= from || kept.has(turn)) {
      out.push(...(leftOut > 0 && isFirstAfterGap(out, lead) ? marked(whole, leftOut) : whole));
      continue;
    }
    // The first ask says what all is for.
    const asked =
      index === first ? whole.filter(({ role }, at) => role === 'user' && isOpening(whole, at)) : [];
    out.push(...asked);
    leftOut += whole.length - asked.length;
  }
  return leftOut > 0 ? { messages: out, leftOut } : null;
}

/** The user's messages that open a turn, before anybody answered. */
function isOpening(turn: readonly Message[], at: number): boolean {
  return turn.slice(0, at).every(({ role }) => role === 'user');
}

const GAP = 'earlier messages of this conversation were left out here';

function isFirstAfterGap(out: readonly Message[], lead: number): boolean {
  return !out
    .slice(lead)
    .some(({ content }) => content.some((block) => block.type === 'text' && block.text.includes(GAP)));
}

/** Says to the model that something is missing: it may ask, where it would have made something up. */
function marked(turn: readonly Message[], leftOut: number): Message[] {
  const [opening, ...rest] = turn;
  if (opening?.role !== 'user') return [...turn];
  const note = { type: 'text' as const, text: `[${leftOut} ${GAP}.]` };
  return [{ ...opening, content: [note, ...opening.content] }, ...rest];
}

/** Characters of the ask that are read for names, and how many names count. */
const ASK_READ = 4_000;
const MOST_FILES = 8;
/** `src/app.ts`, `README.md`, `./a-b/c_d.py`: a name with an extension. */
const FILE = /[\w@./-]{0,120}[\w-]\.[A-Za-z][A-Za-z0-9]{0,7}\b/g;

function namedFiles(messages: readonly Message[]): string[] {
  const names = findAsk(messages).text.slice(0, ASK_READ).match(FILE) ?? [];
  return [...new Set(names.map((name) => name.replace(/^[./]+/, '')))].slice(0, MOST_FILES);
}

function touches(messages: readonly Message[], { start, end }: Turn, file: string): boolean {
  return messages.slice(start, end).some(({ content }) => content.some((block) => names(block, file)));
}

function names(block: Block, file: string): boolean {
  if (block.type === 'text') return block.text.includes(file);
  if (block.type === 'tool_call') return block.arguments.includes(file);
  return block.type === 'tool_result' && block.content.some((part) => names(part, file));
}
