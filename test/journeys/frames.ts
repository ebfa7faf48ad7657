import type { FluxMetadata } from '../../src/core/metadata.ts';

/** The `data:` of each frame; `[DONE]` stays a string. */
export function framesOf(text: string): unknown[] {
  return text
    .split('\n\n')
    .flatMap((frame) => /^data: (.*)$/m.exec(frame)?.[1] ?? [])
    .map((data) => (data === '[DONE]' ? data : JSON.parse(data)));
}

/** The `fluxcompute` of an answer, or of the last chunk that has it. */
export function metadataOf(answer: unknown): FluxMetadata {
  const parts = Array.isArray(answer) ? answer : [answer];
  const part = parts.findLast((part) => typeof part === 'object' && part !== null && 'fluxcompute' in part);
  if (!part) throw new Error('no metadata');
  return part.fluxcompute;
}
