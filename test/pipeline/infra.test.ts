import { expect, test } from 'vitest';
import { roundUsd } from '../../src/core/accounting/cost.ts';
import { budgetUse, infraCostOf, STEP_USE } from '../../src/core/accounting/infra-cost.ts';
import type { Ports } from '../../src/pipeline/ports.ts';
import { runStep } from '../../src/pipeline/step.ts';
import { answers, portsOf, settingsOf, stepOf } from './in-process.ts';

const settings = settingsOf();
const ASKED = { messages: [{ role: 'user', content: 'What is the capital of France?' }] };

/** What a step's rows say that running it took: as it ended, and as it would stand if nothing more had been heard of it. */
async function infraOf(count: number): Promise<unknown[]> {
  const { ports, rows, begun } = portsOf(answers());
  const budget: Ports['budget'] = {
    count,
    reserve: async ({ bound }) => ({ reservedUsd: bound.most, isCapped: false }),
    settle: () => {},
  };
  await runStep(stepOf(ASKED, settings), settings, { ...ports, budget: count > 0 ? budget : null });
  return [...rows, ...begun].map((row) => row.infra_cost_usd);
}

test('a step that counts against budgets says what asking them takes', async () => {
  const alone = infraCostOf(STEP_USE);
  expect(await infraOf(0)).toEqual([alone, alone]);
  const more = roundUsd(alone + infraCostOf(budgetUse(2)));
  expect(await infraOf(2)).toEqual([more, more]);
  expect(more).toBeGreaterThan(alone);
});
