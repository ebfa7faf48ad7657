import type { DocumentBlock } from '../conversation.ts';
import type { JsonObject } from './provider-json.ts';

/** A file as OpenAI's wires take it: its bytes as a data URL, or (Responses only) an address. */
export function documentFile(
  source: Exclude<DocumentBlock['source'], { kind: 'text' }>,
  title: string | undefined,
): JsonObject {
  if (source.kind === 'url') return { file_url: source.url };
  // The name's ending is how the provider knows the kind.
  const name = title ?? 'document';
  return {
    filename: source.mediaType === 'application/pdf' && !/\.pdf$/i.test(name) ? `${name}.pdf` : name,
    file_data: `data:${source.mediaType};base64,${source.data}`,
  };
}
