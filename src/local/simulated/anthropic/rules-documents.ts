import type { Refusal } from '../refusal.ts';
import type { AnthropicRequest, Rule } from './accepted.ts';
import { citableBlocks, hasCitations } from './citations.ts';
import type { ContentBlock } from './request.ts';
import { blocksOf } from './request.ts';

/** Images, documents and citations: providers.md §2 ("API version"), §3; aSDK `DocumentBlockParam`. */

type Sourced = Extract<ContentBlock, { type: 'image' | 'document' }>;

/** Images and documents with where they stand, those in tool results and in documents too. */
function sourced({ body }: Pick<AnthropicRequest, 'body'>): { at: string; block: Sourced }[] {
  const inside = (at: string, block: ContentBlock): { at: string; block: Sourced }[] => {
    if (block.type === 'image') return [{ at: `${at}.image`, block }];
    if (block.type === 'document') {
      const { source } = block;
      const parts = source.type === 'content' && typeof source.content !== 'string' ? source.content : [];
      return [
        { at: `${at}.document`, block },
        ...parts.flatMap((part, place) => inside(`${at}.document.source.content.${place}`, part)),
      ];
    }
    if (block.type !== 'tool_result' || typeof block.content === 'string') return [];
    return (block.content ?? []).flatMap((part, place) =>
      part.type === 'image' || part.type === 'document'
        ? inside(`${at}.tool_result.content.${place}`, part)
        : [],
    );
  };
  return body.messages.flatMap((message, index) =>
    blocksOf(message.content).flatMap((block, place) => inside(`messages.${index}.content.${place}`, block)),
  );
}

const sourcesAreReadable: Rule = (request) => {
  for (const { at, block } of sourced(request)) {
    const { source } = block;
    if (source.type === 'url' && !source.url.startsWith('https://')) {
      return `${at}.source.url.url: Only HTTPS URLs are supported.`;
    }
    if (source.type === 'base64' && !isBase64(source.data)) {
      return `${at}.source.base64.data: Invalid base64 data`;
    }
  }
  return undefined;
};

function isBase64(data: string): boolean {
  return data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data);
}

// aDoc:citations: on for all documents of a request or for none; search results likewise (wording `?`).
const citationsForAllOrNone: Rule = (request) => {
  for (const type of ['document', 'search_result'] as const) {
    const all = citableBlocks(request).filter(({ block }) => block.type === type);
    const without = all.find((one) => !hasCitations(one));
    if (without !== undefined && all.some(hasCitations)) {
      return `${without.at}.${type}.citations: citations must be enabled for all \`${type}\` blocks of a request or for none`;
    }
  }
  return undefined;
};

// providers.md §3, Tools: "Not with citations (400)".
const formatWithoutCitations: Rule = (request) =>
  request.body.output_config?.format != null && citableBlocks(request).some(hasCitations)
    ? 'output_config.format: structured outputs cannot be used with citations'
    : undefined;

export const DOCUMENT_RULES: readonly Rule[] = [
  sourcesAreReadable,
  citationsForAllOrNone,
  formatWithoutCitations,
];

/** The 404 of a file that this organisation doesn't keep (T56). */
export function missingFile(request: AnthropicRequest): Refusal | undefined {
  for (const { block } of sourced(request)) {
    const { source } = block;
    if (source.type !== 'file' || request.account.objects.holds(request.organisation, source.file_id))
      continue;
    return { status: 404, message: `File not found: ${source.file_id}` };
  }
  return undefined;
}
