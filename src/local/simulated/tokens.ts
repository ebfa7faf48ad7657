/**
 * How the simulators count tokens. No real tokenizer is public for every model, so this one is made to be worked
 * out by hand: a block's UTF-16 characters / 4, rounded up, block by block, without any overhead for messages.
 * Claude's tokenizer since Opus 4.7 makes about 30 % more of the same text (providers.md §2), hence × 1.3.
 */
export type Tokenizer = 'plain' | 'claude-new';

/** Tokens of an image of any size: what Claude's formula (width × height / 750) gives for 1,092 × 1,092. */
export const IMAGE_TOKENS = 1_590;

/** Tokens of a PDF or another file the simulators can't look into. */
export const FILE_TOKENS = 2_000;

/** Tokens of one block of text. */
export function countTokens(text: string, tokenizer: Tokenizer): number {
  // In whole numbers, so that 40 characters are 13 tokens and not 13.000000000000002.
  return tokenizer === 'claude-new' ? Math.ceil((text.length * 13) / 40) : Math.ceil(text.length / 4);
}

/** The longest start of `text` that is at most `tokens` tokens. */
export function firstTokens(text: string, tokens: number, tokenizer: Tokenizer): string {
  return text.slice(0, tokenizer === 'claude-new' ? Math.floor((tokens * 40) / 13) : tokens * 4);
}
