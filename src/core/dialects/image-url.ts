import type { ImageBlock } from '../conversation.ts';

/** An image as OpenAI's wires carry it: its URL, or its bytes as a data URL. */
export function imageUrl({ source }: ImageBlock): string {
  return source.kind === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`;
}
