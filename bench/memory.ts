import { parseArgs } from 'node:util';
import { startPassthrough } from './memory/passthrough.ts';
import { findParts, readMemory } from './memory/processes.ts';
import { type Started, startProcess } from './memory/start.ts';

const HELP = `npm run bench:memory: is memory flat over many requests?

Sends small requests, every second one streamed, through npm start to the simulated providers and reads the resident
memory (RSS) of each of its processes.

  --requests N          20000
  --concurrency N       16
  --passthrough         the same load once more, on a Worker that only forwards and queues

Flat: over the last quarter of the requests a process holds at most 10 % or 16 MiB more than over the second; the first
is warm-up. workerd's collector lets garbage lie while there is memory, so its process can grow for tens of thousands
of requests whatever runs in it: with --passthrough it may grow by as much as the passthrough's, and 16 MiB. Prints a
line every 2,000 requests and one JSON object as the last line. Exit code 1 if the Worker's, the main or the stores'
process grows by more or a request failed.
`;

/** Requests between two readings; every fifth is shown. */
const READ_EVERY = 400;
const SHOW_EVERY = 2000;
const MEBIBYTE = 1024 * 1024;
const GROWTH = 1.1;
/** A collector's own ups and downs. */
const NOISE = 16 * MEBIBYTE;
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
    concurrency: { type: 'string', default: '16' },
    passthrough: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else await bench(Number(values.requests), Number(values.concurrency), values.passthrough);

async function bench(requests: number, concurrency: number, compared: boolean): Promise<void> {
  const product = await measure(startProcess, requests, concurrency);
  if (compared) console.log('the passthrough:');
  const passthrough = compared ? await measure(startPassthrough, requests, concurrency) : undefined;
  const parts = product.processes;
  const reference = passthrough?.processes.workerd;
  const asReference =
    parts.workerd !== undefined &&
    reference !== undefined &&
    growthOf(parts.workerd) <= Math.max(0, growthOf(reference)) + mebibytes(NOISE);
  const tooMuch = JUDGED.filter((name) => parts[name]?.flat !== true && !(name === 'workerd' && asReference));
  const failures = [...product.failures, ...(passthrough?.failures ?? [])];
  const ok = tooMuch.length === 0 && failures.length === 0;
  if (!ok) console.log(`NOT flat: ${tooMuch.join(', ') || 'none'}; failed requests: ${failures}`);
  else console.log(asReference ? 'workerd grows no more than under the passthrough' : 'memory is flat');
  console.log(
    JSON.stringify({
      ok,
      requests,
      concurrency,
      elapsed_s: product.seconds,
      processes: parts,
      ...(reference && { passthrough: reference }),
    }),
  );
  if (!ok) process.exitCode = 1;
}

/** Starts it, puts the load on it, and stops it. */
async function measure(
  start: () => Promise<Started>,
  requests: number,
  concurrency: number,
): Promise<{ processes: Record<string, Judged>; failures: Map<number, number>; seconds: number }> {
  const started = await start();
  const interrupt = (): void => void started.stop().then(() => process.exit(130));
  for (const signal of SIGNALS) process.once(signal, interrupt);
  const begun = performance.now();
  try {
    const { readings, failures } = await load(started, requests, concurrency);
    const seconds = Number(((performance.now() - begun) / 1000).toFixed(1));
    return { processes: judge(readings, requests), failures, seconds };
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
    await started.stop();
  }
}

async function load(
  started: Started,
  requests: number,
  concurrency: number,
): Promise<{ readings: Reading[]; failures: Map<number, number> }> {
  const parts = findParts(started.pid);
  const readings: Reading[] = [];
  /** Times by status. */
  const failures = new Map<number, number>();
  let sent = 0;
  let done = 0;
  const lanes = Array.from({ length: concurrency }, async () => {
    while (sent < requests) {
      sent += 1;
      const status = await ask(started, sent);
      if (status !== 200) failures.set(status, (failures.get(status) ?? 0) + 1);
      done += 1;
      if (done % READ_EVERY !== 0) continue;
      const memory = readMemory(parts);
      readings.push({ requests: done, memory });
      if (done % SHOW_EVERY === 0) console.log(describe(done, memory));
    }
  });
  await Promise.all(lanes);
  return { readings, failures };
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
  second_quarter_mib: number;
  last_quarter_mib: number;
  ratio: number;
  flat: boolean;
}

function growthOf({ second_quarter_mib: second, last_quarter_mib: last }: Judged): number {
  return last - second;
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
      const second = mean(0.25, 0.5);
      const last = mean(0.75, 1);
      const judged: Judged = {
        second_quarter_mib: mebibytes(second),
        last_quarter_mib: mebibytes(last),
        ratio: Number((last / second).toFixed(3)),
        flat: last <= Math.max(second * GROWTH, second + NOISE),
      };
      return [name, judged];
    }),
  );
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / MEBIBYTE);
}
