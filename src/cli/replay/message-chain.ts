import { createHash } from 'node:crypto';
import { leadingSystem } from '../../core/accounting/estimate.ts';
import type { Block, Message } from '../../core/conversation.ts';

/**
 * A hash for every length of a conversation, each made from the one before (contract.md, "Lanes"): of roles, text,
 * names and arguments of tools; not of ids, thinking, nor what the system or developer says before all else.
 */
export function chainOf(messages: readonly Message[], from = ''): string[] {
  let last = from;
  return messages.slice(leadingSystem(messages)).map((message) => {
    const hash = createHash('sha256').update(last).update('\n').update(message.role);
    for (const block of message.content) addBlock(hash, block);
    last = hash.digest('base64');
    return last;
  });
}

type Hash = ReturnType<typeof createHash>;

function addBlock(hash: Hash, block: Block): void {
  switch (block.type) {
    case 'text':
    case 'refusal':
      hash.update(`\n${block.type} ${block.text.normalize('NFC').trimEnd()}`);
      return;
    case 'tool_call':
      hash.update(`\ncall ${block.name} ${sortedJson(block.arguments)}`);
      return;
    case 'tool_result':
      hash.update('\nresult');
      for (const part of block.content) addBlock(hash, part);
      return;
    case 'image':
      hash.update('\nimage ').update(block.source.kind === 'url' ? block.source.url : block.source.data);
  }
}

/** Arguments with their members in order; as they are where they are not JSON. */
function sortedJson(text: string): string {
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
