import { leadingSystem } from '../accounting/estimate.ts';
import type { Message } from '../conversation.ts';

/** A turn of a conversation: one input of the user and all that answers it, up to but not including `end`. */
export interface Turn {
  start: number;
  end: number;
}

/**
 * The turns of a conversation, oldest first; what the system says before all else is of none. A tool call and its
 * results stand in one turn, so who cuts between turns never parts them (T24). Messages of the user in a row begin one
 * turn together.
 */
export function turnsOf(messages: readonly Message[]): Turn[] {
  const turns: Turn[] = [];
  let before: Message['role'] = 'system';
  for (let at = leadingSystem(messages); at < messages.length; at += 1) {
    const role: Message['role'] = messages[at]?.role ?? before;
    const begins = role === 'user' && before !== 'user';
    const open = turns.at(-1);
    if (open && !begins) open.end = at + 1;
    else turns.push({ start: at, end: at + 1 });
    before = role;
  }
  return turns;
}
