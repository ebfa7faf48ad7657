import { expect, test } from 'vitest';
import { audit } from '../../bench/steps/audit.ts';
import { makeTrajectories } from '../../bench/steps/generator.ts';
import { summarise } from '../../bench/steps/report.ts';
import { run } from '../../bench/steps/run.ts';
import { countSteps } from '../../bench/steps/trajectory.ts';

test.each(['anthropic', 'openai'] as const)(
  'on %s, sessions cost over HTTP what the bench of the planner says, within 3 %',
  async (kind) => {
    const trajectories = makeTrajectories(6, 1);
    const { evidence, failures, elapsedMs } = await run({
      ...{ kind, trajectories, concurrency: 1, apart: true },
      progress: () => {},
    });
    expect(failures).toEqual([]);
    // Among others: each row's cost within 0.1 % of the simulator's record of it.
    expect(audit(evidence)).toEqual([]);
    const report = summarise(evidence, elapsedMs, 0);
    expect(report.steps).toBe(countSteps(trajectories));
    expect(report.vs_planned).toBeGreaterThan(0.97);
    expect(report.vs_planned).toBeLessThan(1.03);
  },
);
