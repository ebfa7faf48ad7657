import type { Policy } from '../../core/replay/replay.ts';

/** What each policy does, in a few words. */
export const POLICY_NAMES: Readonly<Record<Policy, string>> = {
  top_uncached: 'always the top, no cache',
  top_cached: 'always the top, cached',
  cheapest_cached: 'always the cheapest, cached *',
  compression: 'compressed prompt on the top *',
  tiers_uncached: 'tiers per step, no cache',
  tiers_cached: 'tiers per step, cached',
  greedy: 'cheapest now, caches known',
  flux: 'FluxCompute',
};
