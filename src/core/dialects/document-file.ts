import type { DocumentBlock } from '../conversation.ts';
import type { JsonObject } from './provider-json.ts';

/** A document as OpenAI's wires take it: the data as a URL of its own, or (Responses only) an address. */
export function documentFile({ source, title }: DocumentBlock): JsonObject {
  if (source.kind === 'url') return { file_url: source.url };
  const data =
    source.kind === 'base64'
      ? `data:${source.mediaType};base64,${source.data}`
      : `data:text/plain;base64,${base64Of(source.text)}`;
  return { filename: title ?? (source.kind === 'text' ? 'document.txt' : 'document.pdf'), file_data: data };
}

function base64Of(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}
