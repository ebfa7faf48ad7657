import type { InputSize } from '../../src/core/accounting/estimate.ts';
import { tokenFactor } from '../../src/core/accounting/tokenizers.ts';
import { DEFAULT_TIERS, modelOrAssumed, type ProviderKind } from '../../src/core/routing/catalog.ts';
import { runCell } from '../agents/cell.ts';
import { chancesOf } from '../agents/cells.ts';
import { type BenchStep, toSession } from '../agents/sessions.ts';
import { tierSet } from '../agents/tier-sets.ts';
import { type LogRow, tokensOf } from './log-rows.ts';
import { type AnsweredStep, stepName } from './replay.ts';
import { countSteps, type FunctionTool, type Trajectory } from './trajectory.ts';

/**
 * What bench:agents says that trajectories cost under the router, with the floors that the scorer gives, in USD. It is
 * given each step's lengths as the provider counted them: what is held against it is what the plan and the caches make
 * of them, not how well a tokenizer is guessed.
 */
export function plannedCost(
  kind: ProviderKind,
  trajectories: readonly Trajectory[],
  tools: readonly FunctionTool[],
  { answers, log }: { answers: readonly AnsweredStep[]; log: readonly LogRow[] },
): number {
  const names = Object.entries(DEFAULT_TIERS[kind]).map(([tier, models]) => [
    tier,
    models.map((model) => `${kind}/${model}`),
  ]);
  const set = tierSet(JSON.stringify(Object.fromEntries(names)), {});
  const rows = new Map(log.map((row) => [row.request_id, row]));
  const counted = new Map(answers.map(({ name, requestId }) => [name, rows.get(requestId)]));
  const sessions = trajectories.map((one) => {
    const session = toSession({ ...one, tools: one.tools ?? [...tools] }, 1);
    // A greeting before all else is a step of the run, and none of bench:agents.
    const before = countSteps([one]) - session.length;
    return session.map((step, index) =>
      asCounted(step, kind, counted.get(stepName(one, before + index + 1))),
    );
  });
  const cell = { mix: 'scored', rho: 0, scale: 1, gap: 0 };
  const { policies } = runCell(set, sessions, chancesOf(cell, set), { draws: 1, seed: 1 });
  return policies.flux.cost_usd;
}

/** A step with the lengths that the provider counted, on the reference tokenizer. */
function asCounted(step: BenchStep, kind: ProviderKind, row: LogRow | undefined): BenchStep {
  if (!row) return step;
  const { output, ...input } = tokensOf(row);
  const factor = tokenFactor(modelOrAssumed(kind, row.model ?? ''));
  const sent = Object.values(input).reduce((sum, tokens) => sum + tokens, 0) / factor;
  return {
    ...step,
    output: Math.round(output / factor),
    needs: { ...step.needs, input: times(step.needs.input, sent / step.needs.input.total.text) },
  };
}

function times(input: InputSize, factor: number): InputSize {
  const longer = (size: InputSize['total']) => ({ ...size, text: Math.round(size.text * factor) });
  const { system, messages, turn } = input.before;
  return {
    ...input,
    total: longer(input.total),
    beforeLastAssistant: longer(input.beforeLastAssistant),
    before: { system: longer(system), messages: longer(messages), turn: longer(turn) },
  };
}
