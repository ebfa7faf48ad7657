import { parseArgs } from 'node:util';
import { findParts, readMemory } from './memory/processes.ts';
import { type Started, startProcess } from './memory/start.ts';

const HELP = `npm run bench:memory: is memory flat over many requests?

Sends small requests, every second one streamed, through npm start to the simulated providers and reads the resident
memory (RSS) of each of its processes.

  --requests N          20000
  --concurrency N       16

Flat: over the last quarter of the requests a process holds at most 10 % or 16 MiB more than over the second; the first
is warm-up. Prints a line every 2,000 requests and one JSON object as the last line. Exit code 1 if the Worker's, the
main or the stores' process is not flat or a request failed.
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

interface Reading {
  requests: number;
  memory: Map<string, number>;
}

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    requests: { type: 'string', default: '20000' },
    concurrency: { type: 'string', default: '16' },
  },
});
if (values.help) process.stdout.write(HELP);
else await bench(Number(values.requests), Number(values.concurrency));

async function bench(requests: number, concurrency: number): Promise<void> {
  const started = await startProcess();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void started.stop().then(() => process.exit(130)));
  }
  const begun = performance.now();
  try {
    const { readings, failures } = await load(started, requests, concurrency);
    const seconds = (performance.now() - begun) / 1000;
    const parts = judge(readings, requests);
    const notFlat = JUDGED.filter((name) => parts[name]?.flat !== true);
    const ok = notFlat.length === 0 && failures.size === 0;
    console.log(
      ok ? 'memory is flat' : `NOT flat: ${notFlat.join(', ') || 'none'}; failed requests: ${[...failures]}`,
    );
    console.log(
      JSON.stringify({ ok, requests, concurrency, elapsed_s: Number(seconds.toFixed(1)), processes: parts }),
    );
    if (!ok) process.exitCode = 1;
  } finally {
    await started.stop();
  }
}

async function load(
  { url, key, pid }: Started,
  requests: number,
  concurrency: number,
): Promise<{ readings: Reading[]; failures: Map<number, number> }> {
  const parts = findParts(pid);
  const readings: Reading[] = [];
  /** Times by status. */
  const failures = new Map<number, number>();
  let sent = 0;
  let done = 0;
  const lanes = Array.from({ length: concurrency }, async () => {
    while (sent < requests) {
      sent += 1;
      const status = await ask(url, key, sent);
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

async function ask(url: string, key: string, number: number): Promise<number> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'auto',
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
