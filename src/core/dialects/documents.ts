import { textOfBase64 } from '../base64-text.ts';
import {
  type Conversation,
  type DocumentBlock,
  isTextDocument,
  type TextBlock,
  type UserBlock,
} from '../conversation.ts';
import type { Report } from '../routing/adaptation.ts';
import { mapShown } from './shown-blocks.ts';

/**
 * Documents for OpenAI's wires: the text of a text file as text, which every model reads; what the client says of a
 * document before it; and no citations, of which these wires know nothing.
 */
export function documentsForOpenAi(conversation: Conversation, report: Report): Conversation {
  const messages = mapShown(conversation.messages, (block) => adaptDocument(block, report));
  if (messages.some((message) => message.content.some(isCited)))
    report({ field: 'messages.citations', action: 'dropped' });
  return messages === conversation.messages ? conversation : { ...conversation, messages };
}

/** Text files for Anthropic, which takes PDF files as they are and text as text. */
export function documentsForAnthropic(conversation: Conversation): Conversation {
  const messages = mapShown(conversation.messages, (block) => {
    if (block.type !== 'document' || block.source.kind !== 'base64' || !isTextDocument(block)) return null;
    return [{ ...block, source: { kind: 'text', text: textOf(block) } }];
  });
  return messages === conversation.messages ? conversation : { ...conversation, messages };
}

function adaptDocument(block: UserBlock, report: Report): UserBlock[] | null {
  if (block.type !== 'document') return null;
  const { context, citations, ...rest } = block;
  const isText = isTextDocument(block);
  if (context === undefined && citations === undefined && !isText) return null;
  if (citations === true) report({ field: 'messages.citations', action: 'dropped' });
  const said: UserBlock[] = context === undefined ? [] : [{ type: 'text', text: context }];
  if (isText || context !== undefined) report({ field: 'messages.content.document', action: 'translated' });
  return [...said, isText ? textBlock(block) : rest];
}

function textBlock(block: DocumentBlock): TextBlock {
  const { title, cache } = block;
  const name = title === undefined ? '' : ` title=${JSON.stringify(title)}`;
  return {
    type: 'text',
    text: `<document${name}>\n${textOf(block)}\n</document>`,
    ...(cache === undefined ? {} : { cache }),
  };
}

function textOf({ source }: DocumentBlock): string {
  if (source.kind !== 'base64') return source.kind === 'text' ? source.text : '';
  // No base64 of a text after all: what the client called text is kept as it is.
  return textOfBase64(source.data) ?? source.data;
}

function isCited(block: { type: string; citations?: unknown }): boolean {
  return block.type === 'text' && Array.isArray(block.citations) && block.citations.length > 0;
}
