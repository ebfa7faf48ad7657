import { leadingSystem } from '../accounting/estimate.ts';
import type { Message, TextBlock, ToolResultBlock, UserBlock } from '../conversation.ts';
import { knownAnswer } from './running-answer.ts';
import { type Digest, knownText, RunningText } from './running-hash.ts';
import { sortedJson } from './sorted-json.ts';

export type { Digest };

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
    last = digest(`${last}\n${canonicalText(message, digest)}`);
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
export function canonicalText(message: Message, digest: Digest): string {
  if (message.role === 'assistant') return answerText(knownAnswer(message.content, digest));
  return `${message.role === 'developer' ? 'system' : message.role}\n${contentText(message.content, digest)}`;
}

/** The message that an answer is, of what is known of it. */
export function answerText(known: string): string {
  return `assistant\n${known}`;
}

/** Clients join and split texts as they like, and drop the space at their end. */
function contentText(content: readonly SentBlock[], digest: Digest): string {
  let text = '';
  let said: RunningText | null = null;
  const flush = (): void => {
    const known = said?.known() ?? '';
    if (known !== '') text += `text ${known}\n`;
    said = null;
  };
  for (const block of content) {
    if (block.type === 'text') {
      said ??= new RunningText(digest);
      said.add(block.text);
    } else {
      flush();
      text += sentText(block, digest);
    }
  }
  flush();
  return text;
}

type SentBlock = UserBlock | ToolResultBlock;

function sentText(block: Exclude<SentBlock, TextBlock>, digest: Digest): string {
  switch (block.type) {
    case 'tool_result':
      return `result user\n${contentText(block.content, digest)}\n`;
    case 'image':
    case 'document': {
      const { source } = block;
      const shown = source.kind === 'url' ? source.url : source.kind === 'text' ? source.text : source.data;
      return `${block.type} ${knownText(shown, digest)}\n`;
    }
    case 'foreign':
      return `${block.kind} ${knownText(sortedJson(JSON.stringify(block.raw)), digest)}\n`;
  }
}
