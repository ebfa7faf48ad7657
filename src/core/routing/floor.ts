import type { Difficulty } from '../difficulty/scorer.ts';
import type { Reason } from '../metadata.ts';
import type { Wish } from './candidate.ts';
import type { Rule } from './rules.ts';
import { TIERS, type Tier } from './tier.ts';

/** What decides the lowest tier of a step. */
export interface FloorInput {
  wish: Wish;
  difficulty: Difficulty;
  /** `certified` opens no tier without a certificate, and none can exist yet: it serves like `observe`. */
  mode: 'observe' | 'route' | 'certified';
  /** The client's own cap (X-FluxCompute-Max-Tier). */
  maxTier?: Tier;
  /** The customer's rule that holds for this step. */
  rule?: Rule;
  /** The least tier after the last step went wrong (failure-signals.ts). */
  raisedTo?: Tier;
}

export interface Floor {
  tier: Tier;
  reason: Reason;
  /** It holds for the lane's further steps too: not the step's difficulty made it, but the client or the mode. */
  lasting: boolean;
}

/** The lowest tier a step may go to; under what it needs only where the client's own cap says so. */
export function floorOf(input: FloorInput): Floor {
  const wanted = wantedFloor(input);
  if (input.maxTier && rankOf(wanted.tier) > rankOf(input.maxTier)) {
    return { tier: input.maxTier, reason: 'capped', lasting: false };
  }
  return wanted;
}

/** A tier's place, 0 for the cheapest. */
export function rankOf(tier: Tier): number {
  return TIERS.indexOf(tier);
}

function wantedFloor({ wish, rule, difficulty, mode, raisedTo = 'easy' }: FloorInput): Floor {
  if (wish.kind === 'tier') return { tier: wish.tier, reason: 'forced_tier', lasting: true };
  // A customer's own decision holds in every mode.
  if (rule && 'floor' in rule.to) return { tier: rule.to.floor, reason: 'rule', lasting: false };
  // T9: probes, titles and compaction are not the agent's work, in any mode.
  if (difficulty.housekeeping) return { tier: 'easy', reason: 'housekeeping', lasting: false };
  if (mode !== 'route') return { tier: 'hard', reason: 'observe', lasting: true };
  const tier = rankOf(raisedTo) > rankOf(difficulty.label) ? raisedTo : difficulty.label;
  return { tier, reason: 'floor', lasting: false };
}
