import type { ProviderKind } from '../routing/catalog-model.ts';

/** What a tier of service multiplies the list price by (providers.md §2, OpenAI's pricing page: 2026-11). */
const FACTORS: Readonly<Record<ProviderKind, Readonly<Record<string, number>>>> = {
  openai: { default: 1, auto: 1, flex: 0.5, batch: 0.5, priority: 2, fast: 2, ultrafast: 3 },
  // `priority` is capacity bought ahead, at a price of the contract's own.
  anthropic: { standard: 1, batch: 0.5 },
};

/**
 * The factor of the tier that the answer names.
 * @returns null where it has no known price: the cost is then unknown, never the list price (T42)
 */
export function serviceFactor(kind: ProviderKind, tier: string | undefined): number | null {
  if (tier === undefined) return 1;
  const factors = FACTORS[kind];
  return Object.hasOwn(factors, tier) ? (factors[tier] ?? null) : null;
}
