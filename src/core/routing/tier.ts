/** The tiers, cheapest first. */
export const TIERS = ['easy', 'medium', 'hard'] as const;

/** A set of models a customer trusts with steps of that difficulty. */
export type Tier = (typeof TIERS)[number];
