import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { ConfiguredPrices } from '../src/core/accounting/prices.ts';
import { messageOf } from '../src/local/start-error.ts';
import { type Cell, chancesOf, standardCells } from './agents/cells.ts';
import { type CellResult, type Job, trajectoriesOf } from './agents/job.ts';
import { planCost } from './agents/plan-cost.ts';
import { describe, summarise } from './agents/report.ts';
import { START, toSession } from './agents/sessions.ts';
import { requirePrices, SET_NAMES, tierSet } from './agents/tier-sets.ts';
import { countSteps } from './steps/trajectory.ts';

const HELP = `What agent steps cost under each policy, and how far the router is from the best possible.

  npm run bench:agents [-- options]

Replays traces step by step through the real planner, on a simulated clock and simulated prompt caches, with floors
drawn from a Markov chain: a step keeps the floor before it with probability rho, else draws from the mix. The planner
knows neither; what it learns carries over within a cell. The clairvoyant knows every draw. The informed optimum knows
the chances, the session's length and its tokens, but not the draws (all cells of sessions up to 48 steps with drawn
floors and one model a tier). Net figures add what measuring and running the router takes.

  --traces FILE    JSON lines {id, messages, tools?}, plain or gzip; default: ../shared/traces/tau-airline.jsonl.gz
                   where it is, else 100 made-up traces
  --tiers NAME     ${SET_NAMES.join(' | ')}
                   or JSON as in FLUX_TIERS; may be given more than once; default: all five
  --prices JSON    USD per million tokens over the price book: {"model":{"input":1,"output":5,"cache_read":0.1}}
  --mix 50/30/20   easy/medium/hard, or "scored": the floors that the real scorer gives
  --rho 0.8  --scale 3  --gap 0.25   one cell in place of all: stickiness, times the context, user turns after a pause
  --draws 20       times every session is drawn
  --quick          3 draws
  --seed 1

The last line is one JSON object {cells, summary, plan_cpu_ms}. Exit 1 if the router took an unsafe step:
under its floor, on a model that can't take it, or where a part of the turn is lost (one session in ten carries a
stored file of the top's account).
`;
const SHARED = join(import.meta.dirname, '../../shared/traces/tau-airline.jsonl.gz');
const MADE = 100;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    traces: { type: 'string' },
    tiers: { type: 'string', multiple: true },
    prices: { type: 'string', default: '{}' },
    mix: { type: 'string' },
    rho: { type: 'string' },
    scale: { type: 'string' },
    gap: { type: 'string' },
    draws: { type: 'string', default: '20' },
    quick: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});

if (values.help) process.stdout.write(HELP);
else {
  try {
    process.exitCode = await bench();
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 2;
  }
}

async function bench(): Promise<number> {
  const traces = values.traces ?? (existsSync(SHARED) ? SHARED : null);
  const source = {
    ...{
      traces,
      made: MADE,
      seed: whole('seed', values.seed),
      draws: values.quick ? 3 : whole('draws', values.draws),
    },
    // What is no price list fails as the first model is priced.
    prices: JSON.parse(readOption(values.prices)) as ConfiguredPrices,
  };
  const cells = wantedCells();
  // What is wrong with an option is told before any thread starts.
  for (const tiers of values.tiers ?? SET_NAMES) {
    const set = tierSet(tiers, source.prices);
    requirePrices(set, new Date(START).toISOString());
    for (const cell of cells) chancesOf(cell, set);
  }
  const work = (values.tiers ?? SET_NAMES).flatMap((tiers) => cells.map((cell) => ({ tiers, cell })));
  const trajectories = trajectoriesOf(source);
  if (countSteps(trajectories) === 0)
    throw new Error(`There is no assistant message in ${traces}: no step to plan.`);
  console.error(
    `${traces ?? 'No traces: made-up conversations'}: ${trajectories.length} sessions, ${work.length} cells, ${source.draws} draws each. Providers and their caches are simulated.`,
  );
  const started = performance.now();
  const results: CellResult[] = [];
  const threads = Math.min(availableParallelism(), work.length);
  await Promise.all(
    Array.from({ length: threads }, (_, thread) =>
      runJob({ ...source, work: work.filter((_one, index) => index % threads === thread) }, (result) => {
        results.push(result);
        progress(results.length, work.length, started);
      }),
    ),
  );
  const order = new Map(work.map(({ tiers, cell }, index) => [JSON.stringify([tiers, keyOf(cell)]), index]));
  const place = (result: CellResult) => order.get(JSON.stringify([result.tiers, keyOf(result)])) ?? 0;
  results.sort((a, b) => place(a) - place(b));
  const summary = summarise(results);
  console.log(describe(summary));
  const plan_cpu_ms = planCost(trajectories.map((trajectory) => toSession(trajectory, 1)));
  const [three, six, twelve] = Object.values(plan_cpu_ms).map((ms) => ms.toFixed(2));
  console.log(`\nA plan: ${three} ms of CPU with three candidates, ${six} with six, ${twelve} with twelve.`);
  console.log(JSON.stringify({ cells: results, summary, plan_cpu_ms }));
  return results.some(({ policies }) => policies.flux.unsafe > 0) ? 1 : 0;
}

function keyOf({ mix, rho, scale, gap }: Cell): unknown[] {
  return [mix, rho, scale, gap];
}

/** All cells, or those that the options leave. */
function wantedCells(): Cell[] {
  const { mix, rho, scale, gap } = values;
  const own = (text: string | undefined, name: string, all: readonly number[], most?: number) =>
    text === undefined ? all : [number(name, text, most)];
  const isStandard = [mix, rho, scale, gap].every((value) => value === undefined);
  if (isStandard) return standardCells();
  return (mix === undefined ? ['70/20/10', '50/30/20', '30/40/30'] : [mix]).flatMap((shares) =>
    (shares === 'scored' ? [0] : own(rho, 'rho', [0.5, 0.8, 0.95], 1)).flatMap((stickiness) =>
      own(scale, 'scale', [1, 3, 10]).flatMap((times) =>
        own(gap, 'gap', [0, 0.25], 1).map((share) => ({
          mix: shares,
          rho: stickiness,
          scale: times,
          gap: share,
        })),
      ),
    ),
  );
}

function runJob(job: Job, done: (result: CellResult) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./agents/job.ts', import.meta.url), { workerData: job });
    worker.on('message', done);
    worker.on('error', reject);
    worker.on('exit', () => resolve());
  });
}

function progress(done: number, all: number, started: number): void {
  if (!process.stderr.isTTY) return;
  const left = ((performance.now() - started) / done) * (all - done);
  process.stderr.write(
    `\r${done} of ${all} cells, ${Math.ceil(left / 1_000)} s left   ${done === all ? '\n' : ''}`,
  );
}

/** An option's text, or that of the file it names. */
function readOption(text: string): string {
  return text.trimStart().startsWith('{') ? text : readFileSync(text, 'utf8');
}

function number(name: string, text: string, most = Number.MAX_VALUE): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= most))
    throw new Error(`--${name} takes a number from 0${most === 1 ? ' to 1' : ''}`);
  return value;
}

function whole(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} takes a whole number from 1`);
  return Number(text);
}
