import { calcPrice } from '@pydantic/genai-prices';
import { costOf, roundUsd } from './cost.ts';
import { type PricedProvider, pricesOf } from './price-book.ts';
import type { Prices } from './prices.ts';
import { inputTokens, type Usage } from './usage.ts';

/** What one answer of an endpoint without a conversation took. */
export interface MeteredUsage {
  tokens: Usage;
  /** Of the input and the output tokens, those of sound and of pictures: many models price them apart. */
  audioIn: number;
  imageIn: number;
  audioOut: number;
  imageOut: number;
  /** Of models that are billed by the length of the sound. */
  audioSeconds: number;
}

/** OpenAI charges nothing for these (developers.openai.com/api/docs/guides/moderation: "free to use"; 2026-11). */
const FREE = /^(omni|text)-moderation-/;

/**
 * USD of such an answer.
 * @param usage null where the answer did not tell: then only what is free has a price
 * @param at ISO date or time of the request, UTC
 * @returns null where the price is unknown: never 0 (T42)
 */
export function meteredCost(
  provider: PricedProvider,
  modelId: string,
  at: string,
  usage: MeteredUsage | null,
): number | null {
  if (isFreeModel(provider, modelId)) return 0;
  const configured = Object.hasOwn(provider.prices ?? {}, modelId);
  const prices = pricesOf(provider, modelId, at, usage ? inputTokens(usage.tokens) : 0);
  if (usage === null || isNothing(usage)) return isFree(prices) ? 0 : null;
  const isPlain = usage.audioIn + usage.imageIn + usage.audioOut + usage.imageOut + usage.audioSeconds === 0;
  // One price for all tokens, as it was configured.
  if (configured || isPlain) return costOf(usage.tokens, prices);
  return bookCost(provider, modelId, at, usage);
}

/** Its provider charges nothing for it, and no price is configured. */
export function isFreeModel({ kind, prices }: PricedProvider, modelId: string): boolean {
  return kind === 'openai' && FREE.test(modelId) && !Object.hasOwn(prices ?? {}, modelId);
}

/** The package's own sum, which knows sound and pictures. It takes what has no price for nothing, so that is refused. */
function bookCost(provider: PricedProvider, modelId: string, at: string, usage: MeteredUsage): number | null {
  const { tokens, audioSeconds } = usage;
  const options = { providerId: provider.kind, timestamp: new Date(at) };
  const input = inputTokens(tokens);
  try {
    const found = calcPrice(
      {
        ...positive('input_tokens', input),
        ...positive('input_audio_tokens', usage.audioIn),
        ...positive('input_image_tokens', usage.imageIn),
        ...positive('output_tokens', tokens.output),
        ...positive('output_audio_tokens', usage.audioOut),
        ...positive('output_image_tokens', usage.imageOut),
        ...positive('audio_seconds', audioSeconds),
      },
      modelId,
      options,
    );
    const price = found?.model_price;
    if (!found || !price) return null;
    // Which of the cached ones were pictures is not told.
    const unknown =
      tokens.read > 0 ||
      (input > 0 && price.input_mtok === undefined) ||
      (tokens.output > 0 && price.output_mtok === undefined) ||
      (audioSeconds > 0 && price.audio_hours === undefined);
    return unknown ? null : roundUsd(found.total_price);
  } catch {
    // A mix of classes that the package can't tell apart.
    return null;
  }
}

function positive(name: string, count: number): Record<string, number> {
  return count > 0 ? { [name]: count } : {};
}

function isNothing({ tokens, audioSeconds }: MeteredUsage): boolean {
  return inputTokens(tokens) + tokens.output + audioSeconds === 0;
}

/** Whatever it took costs nothing. */
function isFree(prices: Prices | null): boolean {
  return prices !== null && prices.fresh === 0 && (prices.output ?? 0) === 0;
}
