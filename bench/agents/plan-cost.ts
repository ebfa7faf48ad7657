import { levelStarts, tokensOn } from '../../src/core/accounting/estimate.ts';
import { cacheRulesOf } from '../../src/core/context/cache-rules.ts';
import { assume, COLD, type PrefixState } from '../../src/core/context/prefix-state.ts';
import { keyOf } from '../../src/core/routing/candidate.ts';
import { unknownLane } from '../../src/core/routing/lane-view.ts';
import { planStep } from '../../src/core/routing/plan.ts';
import type { BenchStep, Session } from './sessions.ts';
import { type TierSet, tierSet } from './tier-sets.ts';

const MODELS = {
  easy: [
    'anthropic/claude-haiku-5-5',
    'openai/gpt-6-luna',
    'openai/gpt-5.6-luna',
    'anthropic/claude-haiku-4-5',
  ],
  medium: [
    'anthropic/claude-sonnet-5-5',
    'openai/gpt-6.1-terra',
    'openai/gpt-5.6-terra',
    'anthropic/claude-sonnet-5',
  ],
  hard: ['anthropic/claude-opus-5-5', 'openai/gpt-6.2-sol', 'openai/gpt-6.1-sol', 'anthropic/claude-opus-5'],
};
const [WARM_UP, ROUNDS, PLANS] = [2_000, 10, 500];

/** By how many models there are to choose from. */
export interface PlanCost {
  three_candidates: number;
  six_candidates: number;
  twelve_candidates: number;
}

/**
 * Milliseconds of processor time for one plan of an easy step of a lane that every model has twice in its cache, under
 * other settings: the least of some rounds, as the machine is shared.
 */
export function planCost(sessions: readonly Session[]): PlanCost {
  const [three = 0, six = 0, twelve = 0] = [1, 2, 4].map((perTier) => {
    const tiers = Object.entries(MODELS).map(([tier, names]) => [tier, names.slice(0, perTier)]);
    return measure(JSON.stringify(Object.fromEntries(tiers)), sessions);
  });
  return { three_candidates: three, six_candidates: six, twelve_candidates: twelve };
}

function measure(tiers: string, sessions: readonly Session[]): number {
  const set = tierSet(tiers, {});
  const steps = sessions.flat();
  const warm = steps.map((step) => warmAll(set, step));
  const plan = (index: number) => {
    const step = steps[index % steps.length];
    const prefixes = warm[index % steps.length];
    if (!step || !prefixes) return;
    planStep({
      ...{ wish: { kind: 'auto' }, mode: 'route', wire: 'openai-chat', ownFields: [], carries: [] },
      ...{ tiers: set.tiers, providers: set.providers, needs: step.needs, at: step.at },
      difficulty: { ...step.difficulty, label: 'easy', housekeeping: null },
      lane: { ...unknownLane([]), parts: step.parts, prefixes, number: 1 + (index % 20) },
    });
  };
  for (let index = 0; index < WARM_UP; index++) plan(index);
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    for (let index = 0; index < PLANS; index++) plan(index);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / PLANS / 1_000;
  });
  return Math.min(...rounds);
}

function warmAll({ tiers }: TierSet, { needs, parts, at }: BenchStep): PrefixState {
  const settings = [parts, { ...parts, effort: 'low' }];
  return Object.values(tiers)
    .flat()
    .flatMap((candidate) => settings.map((setting) => ({ candidate, setting })))
    .reduce((state, { candidate: { model, ...rest }, setting }) => {
      const before = levelStarts(model, needs.input);
      const tokens = Math.round(0.9 * tokensOn(model, needs.input).total);
      const sent = {
        tokens,
        blocks: needs.input.blocks,
        at: at / 1_000 - 10,
        parts: setting,
        before,
        trailing: true,
      };
      return assume(state, keyOf(rest), cacheRulesOf(model), sent);
    }, COLD);
}
