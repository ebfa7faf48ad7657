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

/**
 * The most that a request for a tier can multiply prices by. A tier that is cheaper may be served at the list price, and
 * one that nobody knows may be the dearest.
 */
export function mostServiceFactor(kind: ProviderKind, asked: string | undefined): number {
  // Anthropic's `auto` may take capacity bought ahead, which is no money of this step.
  if (asked === undefined || kind === 'anthropic') return 1;
  const factors = FACTORS.openai;
  const known = Object.hasOwn(factors, asked) ? factors[asked] : undefined;
  return Math.max(1, known ?? Math.max(...Object.values(factors)));
}
