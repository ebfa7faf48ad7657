import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { DEFAULT_TIERS, type ProviderKind } from '../../src/core/routing/catalog.ts';
import { startLocal } from '../../src/local/stack.ts';
import type { Evidence } from './audit.ts';
import { readLog } from './log-rows.ts';
import { plannedCost } from './planned.ts';
import { type AnsweredStep, replayTrajectory } from './replay.ts';
import { groupByFirstStep, scriptOf } from './script.ts';
import { makeTools } from './tools.ts';
import { countSteps, type FunctionTool, type Trajectory } from './trajectory.ts';
import { addScript, forgetCaches, takeCalls, type UpstreamCall } from './upstream.ts';

export interface RunOptions {
  kind: ProviderKind;
  trajectories: readonly Trajectory[];
  /** Trajectories side by side. */
  concurrency: number;
  /** Caches are forgotten between trajectories: each pays for its own. */
  apart: boolean;
  /** Called after each step. */
  progress: (done: number, failed: number) => void;
}

export interface RunResult {
  evidence: Evidence;
  /** Steps without their answer, and the stack's last lines where there are any. */
  failures: string[];
  /** Of the requests alone, without starting and stopping. */
  elapsedMs: number;
}

/**
 * Sends all trajectories through a stack of its own (that of `npm start`, in a fresh folder, on a free port) whose
 * tiers are this provider's, and gathers what the client, the provider and the log saw.
 */
export async function run({
  kind,
  trajectories,
  concurrency,
  apart,
  progress,
}: RunOptions): Promise<RunResult> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-steps-'));
  const lines: string[] = [];
  const tiers = Object.entries(DEFAULT_TIERS[kind]).map(([tier, models]) => [
    tier,
    models.map((model) => `${kind}/${model}`),
  ]);
  try {
    const stack = await startLocal({
      variables: {
        ...{ PORT: '0', FLUX_DATA_DIR: folder, FLUX_TIERS: JSON.stringify(Object.fromEntries(tiers)) },
        // Answers are recorded for all of what came before.
        FLUX_HANDOVER: 'off',
      },
      output: (line) => lines.push(line),
    });
    try {
      const { simulatorUrl } = stack;
      if (simulatorUrl === null) throw new Error('the providers are not simulated');
      // The client's own retries would hide a failure.
      const client = new OpenAI({ apiKey: stack.key, baseURL: `${stack.url}/v1`, maxRetries: 0 });
      const answers: AnsweredStep[] = [];
      const failures: string[] = [];
      const upstream: UpstreamCall[] = [];
      const tools = makeTools(trajectories);
      const firstSteps = numberSteps(trajectories);
      const replay = async (trajectory: Trajectory): Promise<void> => {
        if (apart) await forgetCaches(simulatorUrl);
        // No trace holds what was thought, so bench:agents counts none.
        await addScript(simulatorUrl, scriptOf(trajectory, apart ? 0 : undefined));
        await replayTrajectory(trajectory, {
          client,
          tools: trajectory.tools ?? tools,
          firstStep: firstSteps.get(trajectory) ?? 0,
          onStep: (step) => {
            if ('problem' in step) failures.push(`${step.name}: ${step.problem}`);
            else answers.push(step);
            progress(answers.length, failures.length);
          },
        });
      };
      const begun = performance.now();
      for (const wave of wavesOf(groupByFirstStep(trajectories), tools)) {
        await sideBySide(wave, concurrency, async (group) => {
          for (const trajectory of group) await replay(trajectory);
        });
        upstream.push(...(await takeCalls(simulatorUrl)));
      }
      const elapsedMs = performance.now() - begun;
      const log = await readLog(stack.databaseUrl, answers.length);
      if (failures.length > 0) failures.push(...lines.slice(-20).map((line) => `the stack said: ${line}`));
      const steps = countSteps(trajectories);
      const planned = apart ? plannedCost(kind, trajectories, tools, { answers, log }) : null;
      return { evidence: { kind, steps, answers, upstream, log, planned }, failures, elapsedMs };
    } finally {
      await stack.stop();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function numberSteps(trajectories: readonly Trajectory[]): Map<Trajectory, number> {
  let next = 0;
  return new Map(
    trajectories.map((one) => {
      const first = next;
      next += countSteps([one]);
      return [one, first];
    }),
  );
}

// Well inside what the simulator keeps of its requests: 2,000, and 64 Mi characters of bodies.
const WAVE_STEPS = 1000;
const WAVE_CHARACTERS = 24 * 1024 * 1024;

/** Groups in waves, each small enough that the simulator's record of it is whole. */
function wavesOf(
  groups: readonly (readonly Trajectory[])[],
  tools: readonly FunctionTool[],
): (readonly Trajectory[])[][] {
  const waves: (readonly Trajectory[])[][] = [];
  let wave: (readonly Trajectory[])[] = [];
  let steps = 0;
  let characters = 0;
  for (const group of groups) {
    const groupSteps = countSteps(group);
    const groupCharacters = group.reduce((total, one) => total + requestCharacters(one, tools), 0);
    if (
      wave.length === 0 ||
      steps + groupSteps > WAVE_STEPS ||
      characters + groupCharacters > WAVE_CHARACTERS
    ) {
      wave = [];
      waves.push(wave);
      steps = 0;
      characters = 0;
    }
    wave.push(group);
    steps += groupSteps;
    characters += groupCharacters;
  }
  return waves;
}

/** Characters of all its requests: each step sends the whole history, and the tools. */
function requestCharacters({ messages, tools }: Trajectory, madeTools: readonly FunctionTool[]): number {
  let history = JSON.stringify(tools ?? madeTools).length;
  let total = 0;
  for (const message of messages) {
    if (message.role === 'assistant') total += history;
    history += JSON.stringify(message).length;
  }
  return total;
}

async function sideBySide<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = [...items];
  const lanes = Array.from({ length: width }, async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item);
  });
  await Promise.all(lanes);
}
