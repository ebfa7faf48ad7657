/** Models that count the same text alike share a tokenizer. */
export type Tokenizer = 'reference' | 'claude-2026';

/**
 * Tokens for the same text, over the reference (OpenAI's models and Claude up to 4.6).
 * Claude from Opus 4.7 and Sonnet 5 on: about 30 % more (providers.md, section 2: "Tokenizer since 4.7").
 */
const TOKENS_OVER_REFERENCE: Readonly<Record<Tokenizer, number>> = { reference: 1, 'claude-2026': 1.3 };

/** Anything that may name its tokenizer, e.g. a catalogue model. */
export interface Tokenized {
  tokenizer?: Tokenizer;
}

/** Tokens `model` counts for what the reference tokenizer counts as one. */
export function tokenFactor(model: Tokenized): number {
  return TOKENS_OVER_REFERENCE[model.tokenizer ?? 'reference'];
}

/** Tokens `to` counts for what `from` counted as one. */
export function tokenRatio(from: Tokenized, to: Tokenized): number {
  return tokenFactor(to) / tokenFactor(from);
}
