import type { LoggedStep } from '../../core/replay/logged-step.ts';
import type { ReplayLane, ReplaySettings } from '../../core/replay/replay.ts';
import { keyOf } from '../../core/routing/candidate.ts';
import type { Experience } from '../../core/routing/experience.ts';
import { planStep } from '../../core/routing/plan.ts';

/** The plan of one step in full, as /v1/route would show it. */
export interface ExplainedStep {
  id: string | null;
  step: number;
  difficulty: { score: number; label: string; unknown: boolean; signals: Record<string, number> };
  floor: string;
  reason: string;
  model: string;
  /** The model that answered before, as `provider/model`. */
  stays_on: string | null;
  candidates: {
    model: string;
    tier: string | null;
    excluded_by: string | null;
    now_usd: number | null;
    ahead_usd: number | null;
    total_usd: number | null;
    cache_read_tokens: number | null;
  }[];
}

/** What the router would do with a step, and what it makes of every candidate; the lane stays as it is. */
export function explainStep(
  { id, number }: { id: string | null; number: number },
  lane: ReplayLane,
  { needs, difficulty, parts, carries, at }: LoggedStep,
  customers: Experience,
  { tiers, providers }: ReplaySettings,
): ExplainedStep {
  const { prefixes, served, experience } = lane;
  const plan = planStep({
    ...{ wish: { kind: 'auto' }, mode: 'route', difficulty, tiers, needs },
    ...{ wire: 'openai-chat', ownFields: [], carries },
    ...{ providers, at, explain: true },
    lane: { number: lane.number, prefixes, parts, served, experience, customers, trailing: true },
  });
  const quotes = new Map(plan.quotes.map((quote) => [quote.candidate, quote]));
  return {
    ...{ id, step: number, floor: plan.floor, reason: plan.reason, model: keyOf(plan.candidates[0]) },
    stays_on: served && keyOf(served),
    difficulty: {
      ...{ score: difficulty.score, label: difficulty.label },
      ...{ unknown: difficulty.unknown, signals: difficulty.signals },
    },
    candidates: plan.considered.map(({ candidate, excludedBy }) => {
      const quote = quotes.get(candidate);
      return {
        ...{ model: keyOf(candidate), tier: candidate.tier, excluded_by: excludedBy },
        ...{ now_usd: quote?.now ?? null, ahead_usd: quote?.ahead ?? null, total_usd: quote?.total ?? null },
        cache_read_tokens: quote?.usage.read ?? null,
      };
    }),
  };
}
