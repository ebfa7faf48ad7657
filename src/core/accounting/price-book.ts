import { calcPrice, type ModelPrice } from '@pydantic/genai-prices';
import { findModel, type ProviderKind } from '../routing/catalog.ts';
import { OVERRIDES_DATE, PRICE_OVERRIDES } from './price-overrides.ts';
import {
  type ConfiguredPrice,
  type ConfiguredPrices,
  type PriceList,
  type PriceStep,
  type Prices,
  pricesFor,
  stepFor,
} from './prices.ts';

/** Which prices made a figure: the package's version and the day of our overrides. Stands on every row (T41). */
export const PRICE_BOOK_VERSION = `genai-prices-0.1.8+${OVERRIDES_DATE}`;

/** As much of a configured provider as a price depends on. */
export interface PricedProvider {
  id: string;
  kind: ProviderKind;
  /** Over everything the book knows. */
  prices?: ConfiguredPrices;
}

/**
 * USD per million tokens for one request.
 * @param modelId the model named in the provider's answer, not the one asked for (T41)
 * @param at ISO date or time of the request, UTC
 * @param promptTokens all input tokens, cached ones too: some prices step by it (T70)
 * @returns null where the price is unknown: never 0 (T42)
 */
export function pricesOf(
  provider: PricedProvider,
  modelId: string,
  at: string,
  promptTokens: number,
): Prices | null {
  const list = priceListOf(provider, modelId, at);
  return list && stepFor(list, promptTokens).prices;
}

/** All price steps of a model on a day, for one who wants to see them coming; null where the price is unknown. */
export function priceListOf(provider: PricedProvider, modelId: string, at: string): PriceList | null {
  if (provider.prices) {
    // The answer may name a snapshot of the configured model.
    for (const id of names(provider.kind, modelId)) {
      // Own properties only: a model may be called "constructor".
      const price = Object.hasOwn(provider.prices, id) ? provider.prices[id] : undefined;
      if (price) return configuredList(price);
    }
  }
  return bookList(provider.kind, modelId, at.slice(0, 10));
}

// Asked several times a step.
const configured = new WeakMap<ConfiguredPrice, PriceList>();

function configuredList(price: ConfiguredPrice): PriceList {
  let list = configured.get(price);
  if (!list) {
    list = makeList(price);
    configured.set(price, list);
  }
  return list;
}

function makeList(price: ConfiguredPrice): PriceList {
  const write = price.cache_write ?? price.input;
  const long = price.cache_write_long ?? write;
  const prices = {
    fresh: price.input,
    write_5m: write,
    write_1h: long,
    write_30m: write,
    write_12h: long,
    read: price.cache_read ?? price.input,
    output: price.output,
  };
  return [{ above: 0, prices }];
}

/** The id as given, then the catalogue's id for it. */
function names(kind: ProviderKind, modelId: string): string[] {
  const known = findModel(kind, modelId)?.id ?? modelId;
  return known === modelId ? [modelId] : [modelId, known];
}

// A look-up in the package takes some 50 µs, so each is kept. Ids may come from a provider's answer: bounded.
const KEPT = 1_000;
const kept = new Map<string, PriceList | null>();

function bookList(kind: ProviderKind, modelId: string, day: string): PriceList | null {
  const key = `${kind} ${modelId} ${day}`;
  let list = kept.get(key);
  if (list === undefined) {
    list = overrideList(kind, modelId, day) ?? packageList(kind, modelId, day);
    if (kept.size >= KEPT) kept.clear();
    kept.set(key, list);
  }
  return list;
}

function overrideList(kind: ProviderKind, modelId: string, day: string): PriceList | null {
  const id = findModel(kind, modelId)?.id;
  const rows = id === undefined ? undefined : PRICE_OVERRIDES[kind][id];
  const current = rows?.findLast((row) => row.from <= day) ?? rows?.[0];
  return current?.list ?? null;
}

function packageList(kind: ProviderKind, modelId: string, day: string): PriceList | null {
  // Open weights have no price of OpenAI's; the package quotes some reseller's.
  if (modelId.startsWith('gpt-oss')) return null;
  const known = findModel(kind, modelId);
  for (const id of names(kind, modelId)) {
    const found = calcPrice({ input_tokens: 0 }, id, { providerId: kind, timestamp: new Date(day) });
    // The package finds Claude by prefix: a claude-sonnet-5-7 would be taken for claude-sonnet-5.
    if (found && (kind === 'openai' || known || found.model.id === id)) {
      return priceSteps(kind, found.model_price);
    }
  }
  return null;
}

/** The package's prices by class, as steps of whole requests. */
function priceSteps(kind: ProviderKind, price: ModelPrice): PriceList | null {
  const shortWrite = kind === 'anthropic' ? 'write_5m' : 'write_30m';
  const starts = new Set<number>();
  for (const value of Object.values(price)) {
    if (typeof value === 'object') for (const tier of value.tiers) starts.add(tier.start);
  }
  const step = (start: number): PriceStep => ({
    above: threshold(start),
    prices: pricesFor({
      fresh: priceAt(price.input_mtok, start),
      output: priceAt(price.output_mtok, start),
      read: priceAt(price.cache_read_mtok, start),
      [shortWrite]: priceAt(price.cache_write_mtok, start),
      write_1h: priceAt(price.cache_write_1h_mtok, start),
    }),
  });
  const first = step(0);
  // Priced by the hour or the image, not by the token.
  if (first.prices.fresh === null) return null;
  return [first, ...[...starts].sort((a, b) => a - b).map(step)];
}

/** 5.4 to 5.6 and astra stand in the package as "272,000 and more"; OpenAI's pages say "above 272,000". */
function threshold(start: number): number {
  return start === 271_999 ? 272_000 : start;
}

function priceAt(value: ModelPrice[string], start: number): number | null {
  if (value === undefined || typeof value === 'number') return value ?? null;
  return value.tiers.findLast((tier) => tier.start <= start)?.price ?? value.base;
}
