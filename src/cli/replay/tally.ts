import { inputTokens } from '../../core/accounting/usage.ts';
import type { CachePart } from '../../core/context/cache-parts.ts';
import type { Charge } from '../../core/replay/charge.ts';
import { POLICIES, type Policy, type ReplayedStep } from '../../core/replay/replay.ts';
import { type Candidate, isSame, keyOf } from '../../core/routing/candidate.ts';
import { TIERS, type Tier } from '../../core/routing/tier.ts';
import { costCurve } from './cost-curve.ts';
import type { RunningLane } from './running-lane.ts';

/** What steps add up to. */
export interface Sum {
  steps: number;
  usd: number;
  inputTokens: number;
  /** Of them, read from a prompt cache. */
  readTokens: number;
  outputTokens: number;
}

export interface PolicySum extends Sum {
  /** Steps that went to another model than the one before them in their lane. */
  switches: number;
  tiers: Record<Tier, number>;
}

/** The sums of a replay. Steps of which some policy's price is not known are in none. */
export interface Tally {
  add(lane: RunningLane, step: ReplayedStep): void;
  policies: Record<Policy, PolicySum>;
  /** Of `flux`, by `provider/model` and by tier. */
  models: Map<string, Sum & { tier: Tier | null }>;
  floors: Record<Tier, number>;
  reasons: Map<string, number>;
  /** Steps that lost a prompt cache of the baseline's, by what had changed. */
  lost: Map<CachePart, number>;
  /** Steps left out, by the model that has no price. */
  unpriced: Map<string, number>;
  curve: ReturnType<typeof costCurve>;
}

export function openTally(tiers: Readonly<Record<Tier, readonly Candidate[]>>): Tally {
  const tierOf = (candidate: Candidate): Tier | null =>
    candidate.tier ?? TIERS.findLast((tier) => tiers[tier].some((one) => isSame(one, candidate))) ?? null;
  // The keys of the literal are exactly the policies.
  const policies = Object.fromEntries(
    POLICIES.map((policy) => [policy, { ...nothing(), switches: 0, tiers: perTier() }]),
  ) as Record<Policy, PolicySum>;
  const tally: Omit<Tally, 'add'> = {
    ...{
      policies,
      models: new Map(),
      floors: perTier(),
      reasons: new Map(),
      unpriced: new Map(),
      lost: new Map(),
    },
    curve: costCurve(),
  };
  return {
    ...tally,
    add(lane, { plan, charges, lost }) {
      const unpriced = POLICIES.find((policy) => charges[policy].usd === null);
      for (const policy of POLICIES) {
        const { candidate } = charges[policy];
        const before = lane.served[policy];
        lane.served[policy] = keyOf(candidate);
        if (unpriced !== undefined) continue;
        const sum = policies[policy];
        const tier = tierOf(candidate);
        addTo(sum, charges[policy]);
        if (before !== undefined && before !== keyOf(candidate)) sum.switches += 1;
        if (tier) sum.tiers[tier] += 1;
      }
      if (unpriced !== undefined) return count(tally.unpriced, keyOf(charges[unpriced].candidate));
      const key = keyOf(charges.flux.candidate);
      const model = tally.models.get(key) ?? { ...nothing(), tier: tierOf(charges.flux.candidate) };
      tally.models.set(key, model);
      addTo(model, charges.flux);
      tally.floors[plan.floor] += 1;
      count(tally.reasons, plan.reason);
      for (const part of lost) count(tally.lost, part);
      tally.curve.add(charges.top_cached.usd ?? 0, charges.flux.usd ?? 0);
    },
  };
}

export function count<T extends string>(counts: Map<T, number>, name: T): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function addTo(sum: Sum, { usage, usd }: Charge): void {
  sum.steps += 1;
  sum.usd += usd ?? 0;
  sum.inputTokens += inputTokens(usage);
  sum.readTokens += usage.read;
  sum.outputTokens += usage.output;
}

function nothing(): Sum {
  return { steps: 0, usd: 0, inputTokens: 0, readTokens: 0, outputTokens: 0 };
}

function perTier(): Record<Tier, number> {
  return { easy: 0, medium: 0, hard: 0 };
}
