/** The tiers, cheapest first. */
export const TIERS = ['easy', 'medium', 'hard'] as const;

/** A set of models a customer trusts with steps of that difficulty. */
export type Tier = (typeof TIERS)[number];

/** Below zero where `a` is the lower tier, zero where they are the same. For `sort` too. */
export function compareTiers(a: Tier, b: Tier): number {
  return TIERS.indexOf(a) - TIERS.indexOf(b);
}
