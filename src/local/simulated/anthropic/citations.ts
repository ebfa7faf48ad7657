import type { AnthropicRequest } from './accepted.ts';
import type { ContentBlock } from './request.ts';
import { blocksOf } from './request.ts';

export type CitableBlock = Extract<ContentBlock, { type: 'document' | 'search_result' }>;

/** Documents and search results of a request, those in tool results too, and where they stand. */
export function citableBlocks({
  body,
}: Pick<AnthropicRequest, 'body'>): { at: string; block: CitableBlock }[] {
  return body.messages.flatMap((message, index) =>
    blocksOf(message.content).flatMap((block, place) => {
      const at = `messages.${index}.content.${place}`;
      if (block.type !== 'tool_result') return isCitable(block) ? [{ at, block }] : [];
      const parts = typeof block.content === 'string' ? [] : (block.content ?? []);
      return parts.flatMap((part, inner) =>
        part.type === 'document' || part.type === 'search_result'
          ? [{ at: `${at}.tool_result.content.${inner}`, block: part }]
          : [],
      );
    }),
  );
}

function isCitable(block: ContentBlock): block is CitableBlock {
  return block.type === 'document' || block.type === 'search_result';
}

export function hasCitations({ block }: { block: CitableBlock }): boolean {
  return block.citations?.enabled === true;
}

/** Characters of a cited passage. */
const PASSAGE = 60;

/** A passage of the first document or search result that may be cited, as an answer cites it (aSDK `TextCitation`). */
export function citationOf(request: Pick<AnthropicRequest, 'body'>) {
  const all = citableBlocks(request);
  const cited = all.find(hasCitations)?.block;
  if (cited === undefined) return undefined;
  const index = all
    .filter(({ block }) => block.type === cited.type)
    .findIndex(({ block }) => block === cited);
  const text = passageOf(cited);
  if (cited.type === 'search_result') {
    const place = { search_result_index: index, start_block_index: 0, end_block_index: 1 };
    const { source, title } = cited;
    return { text, citation: { type: 'search_result_location', cited_text: text, source, title, ...place } };
  }
  const of = { cited_text: text, document_index: index, document_title: cited.title ?? null, file_id: null };
  switch (cited.source.type) {
    case 'text':
      return {
        text,
        citation: { type: 'char_location', ...of, start_char_index: 0, end_char_index: text.length },
      };
    case 'content':
      return {
        text,
        citation: { type: 'content_block_location', ...of, start_block_index: 0, end_block_index: 1 },
      };
    default:
      return {
        text,
        citation: { type: 'page_location', ...of, start_page_number: 1, end_page_number: 2 },
      };
  }
}

function passageOf(block: CitableBlock): string {
  const texts = (parts: readonly { type: string; text?: string }[]) =>
    parts.map((part) => part.text ?? '').join('');
  const { content } = block.type === 'search_result' ? block : { content: undefined };
  if (content !== undefined) return texts(content).slice(0, PASSAGE);
  const source = block.type === 'document' ? block.source : undefined;
  if (source?.type === 'text') return source.data.slice(0, PASSAGE);
  if (source?.type !== 'content') return 'The first page of a simulated PDF.';
  return (typeof source.content === 'string' ? source.content : texts(source.content)).slice(0, PASSAGE);
}
