import { Buffer } from 'node:buffer';
import type { MeteredSize } from '../core/accounting/metered-bound.ts';

/** Tokens of a picture at the highest quality and size (OpenAI's image guide: 6,240 of gpt-image-1 at 1024 × 1536), and room. */
const PICTURE = 20_000;
/** A byte of text is no more than a fifth of a second of speech, of some 21 tokens (gpt-4o-mini-tts: 1,250 a minute). */
const SPEECH = 5;
/** What OpenAI answers where a completion names no `max_tokens`. */
const SHORT = 16;
/** Sound of speech takes at least so many bytes a second (Opus at 4 kbit/s). */
const LEAST_SOUND = 500;
/** Tokens of a second of speech, written down. */
const WRITTEN = 10;

/** What a request may take at most, by its JSON body. */
export function sizeOfJson(path: string, text: string, body: Readonly<Record<string, unknown>>): MeteredSize {
  const bytes = Buffer.byteLength(text);
  return { inputTokens: bytes, outputTokens: outputOf(path, bytes, body), audioSeconds: 0 };
}

/** The same for a form with a recording. */
export function sizeOfSound(bytes: number): MeteredSize {
  const audioSeconds = bytes / LEAST_SOUND;
  return { inputTokens: 0, outputTokens: audioSeconds * WRITTEN, audioSeconds };
}

function outputOf(path: string, bytes: number, body: Readonly<Record<string, unknown>>): number {
  const { prompt } = body;
  const answers = Math.max(countOf(body.n, 1), countOf(body.best_of, 1));
  switch (path) {
    case '/images/generations':
      return answers * PICTURE;
    case '/audio/speech':
      return bytes * SPEECH;
    case '/completions': {
      // A list of texts, or of lists of tokens, is as many prompts; a list of tokens is one.
      const prompts = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1;
      return countOf(body.max_tokens, SHORT) * answers * prompts;
    }
    default:
      return 0;
  }
}

function countOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' && value >= 0 ? value : otherwise;
}
