import { leadingSystem } from '../accounting/estimate.ts';
import type { Block, Message } from '../conversation.ts';

/** A hash of a text under a secret, or without one: short enough to be kept, long enough never to collide. */
export type Digest = (text: string) => string;

/**
 * A hash for every length of a conversation, each made from the one before (contract.md, "Lanes"): of roles, text,
 * names and arguments of tools; not of ids, thinking, nor what the system or developer says before all else.
 *
 * @param from the hash that the first message follows
 * @returns one hash a message after the leading system and developer messages
 */
export function chainOf(messages: readonly Message[], digest: Digest, from = ''): string[] {
  let last = from;
  return messages.slice(leadingSystem(messages)).map((message) => {
    last = digest(`${last}\n${canonicalText(message)}`);
    return last;
  });
}

/**
 * The index in the chain of the first answer to a user: what one-shot requests don't have, and what tells the
 * conversations of a client apart that names none. Undefined where there is none yet.
 */
export function firstAnswer(messages: readonly Message[]): number | undefined {
  const rest = messages.slice(leadingSystem(messages));
  const asked = rest.findIndex(({ role }) => role === 'user');
  const answered = rest.findIndex(({ role }, index) => role === 'assistant' && index > asked);
  return asked === -1 || answered === -1 ? undefined : answered;
}

/** A message as its lane knows it: what any client sends again, however it wraps it. */
export function canonicalText(message: Message): string {
  let text = `${message.role === 'developer' ? 'system' : message.role}\n`;
  let said = '';
  let others = '';
  const flush = (): void => {
    // Clients join and split texts as they like, and drop the space at their end.
    const normal = said.normalize('NFC').trimEnd();
    if (normal !== '') text += `text ${normal.length} ${normal}\n`;
    text += others;
    [said, others] = ['', ''];
  };
  for (const block of message.content) {
    if (block.type === 'text' || block.type === 'refusal') {
      // Some wires have one place for an answer's text, and one for its calls.
      if (others !== '' && message.role !== 'assistant') flush();
      said += block.text;
    } else if (block.type !== 'thinking') others += canonicalBlock(block);
  }
  flush();
  return text;
}

type OtherBlock = Exclude<Block, { type: 'text' | 'refusal' | 'thinking' }>;

function canonicalBlock(block: OtherBlock): string {
  switch (block.type) {
    case 'tool_call': {
      const given = block.custom ? block.arguments : sortedJson(block.arguments);
      return `call ${block.name} ${given.length} ${given}\n`;
    }
    case 'tool_result':
      return `result ${canonicalText({ role: 'user', content: block.content })}`;
    case 'image':
    case 'document': {
      const { source } = block;
      const shown = source.kind === 'url' ? source.url : source.kind === 'text' ? source.text : source.data;
      return `${block.type} ${shown.length} ${shown}\n`;
    }
    case 'foreign':
      return `${block.kind} ${sortedJson(JSON.stringify(block.raw))}\n`;
  }
}

/** JSON with its members in order; as it is where it is none. Models write arguments, so either may come. */
function sortedJson(text: string): string {
  if (text.trim() === '') return '{}';
  try {
    return JSON.stringify(sorted(JSON.parse(text)));
  } catch {
    return text;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, member]) => [key, sorted(member)] as const);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}
