import { unknownLane } from '../../src/core/routing/lane-view.ts';
import { planStep } from '../../src/core/routing/plan.ts';
import type { Session } from './sessions.ts';
import { tierSet } from './tier-sets.ts';

const BOTH = JSON.stringify({
  easy: ['anthropic/claude-haiku-5-5', 'openai/gpt-6-luna'],
  medium: ['anthropic/claude-sonnet-5-5', 'openai/gpt-6.1-terra'],
  hard: ['anthropic/claude-opus-5-5', 'openai/gpt-6.2-sol'],
});
const [WARM_UP, ROUNDS, PLANS] = [2_000, 10, 500];

/** Milliseconds of processor time for one plan of an easy step: the least of some rounds, as the machine is shared. */
export function planCost(sessions: readonly Session[]): { three_candidates: number; six_candidates: number } {
  return { three_candidates: measure('Claude 5.5', sessions), six_candidates: measure(BOTH, sessions) };
}

function measure(tiers: string, sessions: readonly Session[]): number {
  const set = tierSet(tiers, {});
  const steps = sessions.flat();
  const plan = (index: number) => {
    const step = steps[index % steps.length];
    if (!step) return;
    planStep({
      ...{ wish: { kind: 'auto' }, mode: 'route', wire: 'openai-chat', ownFields: [], carries: [] },
      ...{ tiers: set.tiers, providers: set.providers, needs: step.needs, at: step.at },
      difficulty: { ...step.difficulty, label: 'easy', housekeeping: null },
      lane: { ...unknownLane([]), number: 1 + (index % 20) },
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
