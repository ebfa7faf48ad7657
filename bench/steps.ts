import { parseArgs } from 'node:util';
import type { ProviderKind } from '../src/core/routing/catalog.ts';
import { StartError } from '../src/local/start-error.ts';
import { audit } from './steps/audit.ts';
import { makeTrajectories } from './steps/generator.ts';
import { describe, type Report, summarise } from './steps/report.ts';
import { run } from './steps/run.ts';
import { countSteps, readTrajectories, type Trajectory } from './steps/trajectory.ts';

const HELP = `npm run bench:steps: every step of recorded agent trajectories through npm start, with the openai package.

Each assistant message is a step: it is asked for with the history before it, half of them streamed, and the
simulated provider gives the recorded answer, as strict and with prompt caches as the real one. Checked: every step is
answered as recorded, accepted by the provider, priced by what the provider counted, and logged once.

  --traces FILE         JSON lines of {id, messages, tools?} in OpenAI's format, plain or gzip; without it, made-up ones
  --limit N             the first N trajectories
  --apart               one after the other, each with caches of its own; held against what bench:agents says of them
  --concurrency N       trajectories side by side (4); the steps of one come one after the other
  --providers LIST      anthropic,openai (both): whose models the tiers are, one run for each
  --seed N              of made-up trajectories (1)

Prints a table for each provider and one JSON object as the last line. Exit code 1 if anything is not as it should be.
`;

/** Made up where no file is given: as many as the airline file has. */
const MADE_UP = 100;
const PROVIDERS: readonly ProviderKind[] = ['anthropic', 'openai'];
/** Problems shown; the rest is counted. */
const SHOWN = 40;

interface Options {
  traces: string | undefined;
  limit: number | undefined;
  concurrency: number;
  apart: boolean;
  providers: ProviderKind[];
  seed: number;
}

await main();

async function main(): Promise<void> {
  let options: Options | undefined;
  try {
    options = readOptions();
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : error}\nnode bench/steps.ts --help shows the options.`,
    );
    process.exit(2);
  }
  if (options === undefined) {
    process.stdout.write(HELP);
    return;
  }
  try {
    process.exitCode = await bench(options);
  } catch (error) {
    // What the user can mend needs no stack.
    console.error(error instanceof StartError ? error.message : error);
    process.exitCode = 1;
  }
}

/** Undefined where only help is wanted. */
function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', short: 'h' },
      traces: { type: 'string' },
      limit: { type: 'string' },
      concurrency: { type: 'string', default: '4' },
      apart: { type: 'boolean', default: false },
      providers: { type: 'string', default: PROVIDERS.join(',') },
      seed: { type: 'string', default: '1' },
    },
  });
  if (values.help) return undefined;
  const named = values.providers.split(',');
  const providers = PROVIDERS.filter((kind) => named.includes(kind));
  if (providers.length !== named.length)
    throw new Error(`--providers is one of or both of ${PROVIDERS.join(',')}`);
  return {
    traces: values.traces,
    limit: values.limit === undefined ? undefined : positive('limit', values.limit),
    concurrency: values.apart ? 1 : positive('concurrency', values.concurrency),
    apart: values.apart,
    providers,
    seed: positive('seed', values.seed),
  };
}

function positive(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} takes a whole number from 1`);
  return Number(text);
}

async function bench({ traces, limit, concurrency, apart, providers, seed }: Options): Promise<number> {
  const trajectories = (
    traces === undefined ? makeTrajectories(limit ?? MADE_UP, seed) : readTrajectories(traces)
  ).slice(0, limit);
  const steps = countSteps(trajectories);
  console.log(
    traces === undefined
      ? `No --traces: ${trajectories.length} made-up trajectories (seed ${seed}), ${steps} steps.`
      : `${trajectories.length} trajectories, ${steps} steps.`,
  );
  if (steps === 0)
    throw new StartError(`There is no assistant message in ${traces}, so there is no step to send.`);
  const reports: Record<string, Report> = {};
  const problems: string[] = [];
  for (const kind of providers) {
    const { report, found } = await benchProvider(kind, trajectories, { concurrency, apart });
    reports[kind] = report;
    problems.push(...found.map((problem) => `${kind}: ${problem}`));
    console.log(describe(kind, report));
    if (found.length === 0) console.log('  each step answered as recorded, accepted, priced and logged once');
  }
  for (const problem of problems.slice(0, SHOWN)) console.log(`FAILED ${problem}`);
  if (problems.length > SHOWN) console.log(`FAILED … and ${problems.length - SHOWN} more`);
  console.log(
    JSON.stringify({
      ok: problems.length === 0,
      source: traces === undefined ? `made up, seed ${seed}` : 'file',
      trajectories: trajectories.length,
      steps,
      providers: reports,
    }),
  );
  return problems.length === 0 ? 0 : 1;
}

async function benchProvider(
  kind: ProviderKind,
  trajectories: readonly Trajectory[],
  sending: Pick<Options, 'concurrency' | 'apart'>,
): Promise<{ report: Report; found: string[] }> {
  const line = progressLine(kind, countSteps(trajectories));
  const { evidence, failures, elapsedMs } = await run({
    kind,
    trajectories,
    ...sending,
    progress: line.show,
  });
  line.end();
  const found = [...failures, ...audit(evidence)];
  return { report: summarise(evidence, elapsedMs, found.length), found };
}

/** On a terminal one line that is written over, elsewhere a line every few seconds. */
function progressLine(kind: string, steps: number) {
  const isTerminal = process.stderr.isTTY;
  const everyMs = isTerminal ? 100 : 5000;
  let last = performance.now();
  process.stderr.write(`${kind}: starting the stack${isTerminal ? '' : '\n'}`);
  return {
    show: (done: number, failed: number): void => {
      if (done + failed < steps && performance.now() - last < everyMs) return;
      last = performance.now();
      const text = `${kind}: ${done} of ${steps} steps${failed === 0 ? '' : `, ${failed} failed`}`;
      process.stderr.write(isTerminal ? `\r${text}` : `${text}\n`);
    },
    end: (): void => {
      if (isTerminal) process.stderr.write('\r\x1b[K');
    },
  };
}
