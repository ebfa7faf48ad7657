import { calcPrice } from '@pydantic/genai-prices';
import { isFreeModel } from './metered-usage.ts';
import { type PricedProvider, priceListOf } from './price-book.ts';
import type { CostBound } from './reservation.ts';
import { TOKEN_CLASSES } from './usage.ts';

/** What a request to an endpoint without a conversation may take at most. */
export interface MeteredSize {
  /** Tokens of text are no more than its bytes. */
  inputTokens: number;
  outputTokens: number;
  /** Seconds of sound that are sent. */
  audioSeconds: number;
}

/** Tokens of a second of sound: gpt-4o-transcribe at $6 a million comes to $0.006 a minute, 16.7 a second. */
const AUDIO_TOKENS = 20;
/** Bounds are several times what is spent: an eighth of input is tokens, and few answers are as long as they may be. */
const LIKELY = 1 / 4;

/**
 * What such a request can cost at most, in USD: all of it at the model's dearest price of its direction.
 * @returns null where the model has no price (T42)
 */
export function meteredBound(
  provider: PricedProvider,
  modelId: string,
  at: string,
  size: MeteredSize,
): CostBound | null {
  const rates = ratesOf(provider, modelId, at);
  if (!rates) return null;
  const input = size.inputTokens + (rates.hour > 0 ? 0 : size.audioSeconds * AUDIO_TOKENS);
  const most =
    (input * rates.input + size.outputTokens * rates.output) / 1e6 + (size.audioSeconds / 3_600) * rates.hour;
  return { most, likely: most * LIKELY };
}

/** The dearest price of each direction, USD per million tokens and per hour of sound. */
function ratesOf(
  provider: PricedProvider,
  modelId: string,
  at: string,
): { input: number; output: number; hour: number } | null {
  if (isFreeModel(provider, modelId)) return { input: 0, output: 0, hour: 0 };
  const list = priceListOf(provider, modelId, at);
  if (Object.hasOwn(provider.prices ?? {}, modelId) && list) {
    const [{ prices }] = list;
    const inputs = TOKEN_CLASSES.filter((name) => name !== 'output').map((name) => prices[name] ?? 0);
    return { input: Math.max(...inputs), output: prices.output ?? 0, hour: 0 };
  }
  const found = calcPrice({ input_tokens: 0 }, modelId, {
    providerId: provider.kind,
    timestamp: new Date(at),
  });
  const priced = Object.entries(found?.model_price ?? {}).flatMap(([name, price]) =>
    typeof price === 'number' ? [{ name, price }] : [],
  );
  const dearest = (fits: (name: string) => boolean) =>
    Math.max(0, ...priced.filter(({ name }) => fits(name)).map(({ price }) => price));
  const rates = {
    input: dearest((name) => name.endsWith('_mtok') && !name.startsWith('output')),
    output: dearest((name) => name.endsWith('_mtok') && name.startsWith('output')),
    hour: dearest((name) => name.endsWith('_hours')),
  };
  // What lacks all of them is priced some other way, or not at all.
  return rates.input + rates.hour > 0 ? rates : null;
}
