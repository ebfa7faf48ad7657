import { parseArgs } from 'node:util';
import { readLiveHeap } from './memory/live-heap.ts';
import { findParts, readMemory } from './memory/processes.ts';
import { type Started, startProcess } from './memory/start.ts';

const HELP = `npm run bench:memory: is memory flat over many requests?

Sends small requests, every second one streamed, through npm start to the simulated providers. Reads the resident
memory (RSS) of each of its processes, and, at the end of each quarter, what the Worker's heap holds after a forced
collection. workerd gets no more heap than a deployed isolate has, and what closes a step whose Worker dies waits for ten
seconds in the local queue, not for 15 minutes.

  --requests N          20000
  --warm-up N           20000: not judged. What workerd's allocator keeps beside the heap takes as many to level off
  --concurrency N       16

Flat: from the first quarter of the requests to the last the live heap grows by at most 4 MiB, and the resident memory
of a process by at most 10 % or 16 MiB. Prints a line every 2,000 requests and one JSON object as the last line. Exit
code 1 if anything of the Worker's, the main or the stores' process grows by more, or a request failed.
`;

/** Requests between two readings; every fifth is shown. */
const READ_EVERY = 400;
const SHOW_EVERY = 2000;
const MEBIBYTE = 1024 * 1024;
const GROWTH = 1.1;
/** A collector's own ups and downs. */
const NOISE = 16 * MEBIBYTE;
/** Of requests under way, and what waits ten seconds in the queue. */
const HEAP_NOISE = 4 * MEBIBYTE;
/** The simulator stands for providers elsewhere: shown, but no part of the product. */
const JUDGED = ['main', 'workerd', 'gateway', 'stores'];
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

interface Reading {
  requests: number;
  memory: Map<string, number>;
}

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    requests: { type: 'string', default: '20000' },
    'warm-up': { type: 'string', default: '20000' },
    concurrency: { type: 'string', default: '16' },
  },
});
if (values.help) process.stdout.write(HELP);
else await bench(Number(values.requests), Number(values['warm-up']), Number(values.concurrency));

async function bench(requests: number, warmUp: number, concurrency: number): Promise<void> {
  const started = await startProcess();
  const interrupt = (): void => void started.stop().then(() => process.exit(130));
  for (const signal of SIGNALS) process.once(signal, interrupt);
  const begun = performance.now();
  try {
    const { readings, heap, failures } = await load(started, requests, warmUp, concurrency);
    const processes = judge(readings, requests);
    const heapIsFlat = (heap[3] ?? Number.NaN) <= (heap[0] ?? Number.NaN) + HEAP_NOISE;
    const tooMuch = [
      ...JUDGED.filter((name) => processes[name]?.flat !== true),
      ...(heapIsFlat ? [] : ['the live heap']),
    ];
    const ok = tooMuch.length === 0 && failures.size === 0;
    if (ok) console.log('memory is flat');
    else console.log(`NOT flat: ${tooMuch.join(', ') || 'none'}; failed requests: ${[...failures]}`);
    console.log(
      JSON.stringify({
        ...{ ok, requests, warm_up: warmUp, concurrency },
        elapsed_s: Number(((performance.now() - begun) / 1000).toFixed(1)),
        live_heap_mib: heap.map((bytes) => Number((bytes / MEBIBYTE).toFixed(1))),
        processes,
      }),
    );
    if (!ok) process.exitCode = 1;
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
    await started.stop();
  }
}

async function load(
  started: Started,
  requests: number,
  warmUp: number,
  concurrency: number,
): Promise<{ readings: Reading[]; heap: number[]; failures: Map<number, number> }> {
  const parts = findParts(started.pid);
  const readings: Reading[] = [];
  const heap: number[] = [];
  /** Times by status. */
  const failures = new Map<number, number>();
  let sent = 0;
  let done = 0;
  const lane = async (until: number): Promise<void> => {
    while (sent < until) {
      sent += 1;
      const status = await ask(started, sent);
      if (status !== 200) failures.set(status, (failures.get(status) ?? 0) + 1);
      done += 1;
      if (done % READ_EVERY !== 0) continue;
      const memory = readMemory(parts);
      if (done > warmUp) readings.push({ requests: done - warmUp, memory });
      if (done % SHOW_EVERY === 0) console.log(describe(done, memory));
    }
  };
  const run = (until: number) => Promise.all(Array.from({ length: concurrency }, () => lane(until)));
  await run(warmUp);
  for (const quarter of [0.25, 0.5, 0.75, 1]) {
    await run(warmUp + Math.round(quarter * requests));
    const bytes = await readLiveHeap(started.inspector);
    heap.push(bytes);
    console.log(`${String(done).padStart(6)} requests: live heap ${(bytes / MEBIBYTE).toFixed(1)} MiB`);
  }
  return { readings, heap, failures };
}

async function ask({ url, key, model }: Started, number: number): Promise<number> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      stream: number % 2 === 0,
      messages: [{ role: 'user', content: `What is the capital of country number ${number}?` }],
    }),
  });
  await response.arrayBuffer();
  return response.status;
}

function describe(requests: number, memory: ReadonlyMap<string, number>): string {
  const parts = [...memory].map(([name, bytes]) => `${name} ${mebibytes(bytes)}`);
  return `${String(requests).padStart(6)} requests: ${parts.join(', ')} MiB`;
}

interface Judged {
  first_quarter_mib: number;
  last_quarter_mib: number;
  ratio: number;
  flat: boolean;
}

function judge(readings: readonly Reading[], requests: number): Record<string, Judged> {
  const names = [...(readings[0]?.memory.keys() ?? [])];
  return Object.fromEntries(
    names.map((name) => {
      const mean = (from: number, to: number): number => {
        const quarter = readings.filter(
          (one) => one.requests > from * requests && one.requests <= to * requests,
        );
        return quarter.reduce((sum, one) => sum + (one.memory.get(name) ?? 0), 0) / quarter.length;
      };
      const first = mean(0, 0.25);
      const last = mean(0.75, 1);
      const judged: Judged = {
        first_quarter_mib: mebibytes(first),
        last_quarter_mib: mebibytes(last),
        ratio: Number((last / first).toFixed(3)),
        flat: last <= Math.max(first * GROWTH, first + NOISE),
      };
      return [name, judged];
    }),
  );
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / MEBIBYTE);
}
