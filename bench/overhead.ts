import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startChild } from '../src/local/child.ts';
import { BODIES } from './overhead/bodies.ts';
import { measureClassification } from './overhead/classification.ts';
import { compete, type Pace, type Scores } from './overhead/contest.ts';
import type { Contestant } from './overhead/contestant.ts';
import { measureLargeBodies } from './overhead/large-bodies.ts';
import { startLeast } from './overhead/least.ts';
import type { Load } from './overhead/load.ts';
import { startLiteLlm, startPortkey } from './overhead/peers.ts';
import { measureWaits } from './overhead/waits.ts';
import { type Stores, startPassthrough, startWorker } from './overhead/workers.ts';

const HELP = `npm run bench:overhead: what does the gateway itself cost?

In turns, on one upstream of this machine: a Worker that only passes requests through, this Worker (its stores answered
by a stub that counts the rows), the same keeping a session for each connection, Portkey's gateway from npm and, if
asked for, LiteLLM's proxy. Requests a second, p50, p99, processor time a request, memory, and the share of the
passthrough's rate. Then the same with slow stores, and sixteen bodies of 10 MB at once.

  --quick                 about a minute; without it, about seven
  --least                 beside them what no Worker that keeps our contract can do without (bench/overhead/least.ts)
  --litellm               LiteLLM's proxy too (installs it with pip the first time: minutes)
  --no-portkey            without Portkey's gateway (installs it with npm the first time)
  --only NAME             one part: classification, contest, waits or large
  --cache FOLDER          where the others are installed (a folder of the system's temporary one)

Progress on stderr, one JSON object as the last line of stdout. Exit code 1 if the run is void: rows that are missing
from the log, or a request that failed.
`;

const QUICK: Pace = { rounds: 2, slice: 700, warmUp: 400 };
const FULL: Pace = { rounds: 5, slice: 2_500, warmUp: 1_500 };
const CONNECTIONS = [1, 16];

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    quick: { type: 'boolean', default: false },
    least: { type: 'boolean', default: false },
    litellm: { type: 'boolean', default: false },
    'no-portkey': { type: 'boolean', default: false },
    only: { type: 'string' },
    cache: { type: 'string', default: join(tmpdir(), 'flux-bench-peers') },
  },
});
const wanted = (part: string): boolean => values.only === undefined || values.only === part;

if (values.help) process.stdout.write(HELP);
else {
  const classification = wanted('classification') ? { classification: measureClassification() } : {};
  const measured = ['contest', 'waits', 'large'].some(wanted) ? await bench() : {};
  console.log(JSON.stringify({ ...classification, ...measured }));
}

async function bench(): Promise<Record<string, unknown>> {
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'flux-overhead-'));
  const say = (line: string): void => console.error(line);
  const code = join(folder, 'code');
  const upstream = startChild(
    'upstream',
    fileURLToPath(new URL('overhead/upstream.ts', import.meta.url)),
    code,
    say,
  );
  const stores = startChild(
    'stores',
    fileURLToPath(new URL('overhead/stores.ts', import.meta.url)),
    code,
    say,
  );
  const contestants: Contestant[] = [];
  const skipped: Record<string, string> = {};
  /** Requests that this Worker answered: as many rows must be in the log. */
  let answered = 0;
  const counted = ({ name }: Contestant, result: Load): void => {
    if (name === 'worker' || name === 'session') answered += result.answered;
  };
  try {
    const port = await upstream.call<number>('start');
    const passthrough = await startPassthrough(port);
    contestants.push(passthrough);
    const places = await stores.call<Stores>('start');
    const worker = await startWorker(port, places);
    contestants.push(worker);
    if (wanted('contest')) contestants.push(await startWorker(port, places, 'sessions'));
    if (values.least) contestants.push(await startLeast(port), await startLeast(port, 'sessions'));
    const peers = { portkey: startPortkey, litellm: startLiteLlm };
    const invited = { portkey: !values['no-portkey'], litellm: values.litellm };
    for (const name of ['portkey', 'litellm'] as const) {
      if (!invited[name] || !wanted('contest')) {
        skipped[name] = 'not asked for';
        continue;
      }
      try {
        contestants.push(await peers[name](port, values.cache));
      } catch (error) {
        skipped[name] = error instanceof Error ? error.message : String(error);
      }
    }
    const loadBefore = loadavg();
    const cases: Record<string, Scores> = {};
    for (const [name, text] of wanted('contest') ? Object.entries(BODIES) : []) {
      for (const connections of CONNECTIONS) {
        const pace = values.quick ? QUICK : FULL;
        const scores = await compete(contestants, { name, text }, connections, pace, counted);
        cases[`${name}_${connections}`] = scores;
        say(`${name}, ${connections} connections: ${describe(scores)}`);
      }
    }
    const waits = wanted('waits')
      ? await measureWaits(
          worker,
          async (ms) => {
            await stores.call('slow', ms);
          },
          values.quick ? 800 : 4_000,
          (result) => counted(worker, result),
        )
      : undefined;
    if (waits)
      say(
        `stores ${waits.wait_ms} ms slower: warm +${waits.warm.gained_ms} ms, cold +${waits.cold.gained_ms} ms`,
      );
    const large = wanted('large')
      ? await measureLargeBodies(worker, (result) => counted(worker, result))
      : undefined;
    if (large) say(`16 bodies of 10 MB: ${JSON.stringify(large)}`);
    for (const { settle } of contestants) await settle();
    const { rows } = await stores.call<{ rows: number }>('count');
    const isVoid = rows !== answered;
    if (isVoid) process.exitCode = 1;
    return {
      void: isVoid,
      rows: { answered, logged: rows },
      pace: values.quick ? 'quick' : 'full',
      elapsed_s: Math.round((performance.now() - started) / 1000),
      load_average: { before: loadBefore, after: loadavg() },
      skipped,
      contest: cases,
      ...(waits ? { waits } : {}),
      ...(large ? { large_bodies: large } : {}),
    };
  } finally {
    await Promise.allSettled(contestants.map((contestant) => contestant.stop()));
    await Promise.all([upstream.stop(null, 1_000), stores.stop(null, 1_000)]);
    await rm(folder, { recursive: true, force: true });
  }
}

function describe(scores: Scores): string {
  return Object.entries(scores)
    .map(([name, score]) =>
      'skipped' in score
        ? `${name} skipped`
        : `${name} ${score.requests_per_s}/s (${score.ratio} ×), p99 ${score.p99_ms} ms, cpu ${score.cpu_ms} ms (${score.cpu_ratio} ×), ${score.memory_mib} MiB`,
    )
    .join(' · ');
}
