import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startLocal } from '../src/local/stack.ts';
import { findParts, readMemory } from './memory/processes.ts';
import { readStream } from './slow-clients/client.ts';
import { startProvider } from './slow-clients/provider.ts';

const HELP = `npm run bench:slow-clients: does a slow client make the Worker hold what its provider sends?

Starts the local stack before a provider that streams 10 MB as fast as it is taken, to clients that read little by
little, and reads the resident memory (RSS) of workerd, whose heap may be no larger than half of a deployed isolate's (64 MB).

  --clients N        100
  --seconds N        20: then the clients leave
  --path PATH        /v1/chat/completions, /v1/messages, /v1/responses; /v1/audio/speech, /v1/embeddings: bytes that
                     pass through
  --upstream WIRE    chat, messages or responses: the provider's own; where it is not the client's, each event is
                     translated. Without it: the client's
  --session          each client names a session, whose lane takes a hash of the answer
  --cold             one stream was read before in place of fifty: what a heap grows by at its first ones counts too
  --delta N          200: characters of text in each event of the provider
  --all              all of the cases in this bench's table, in a Worker each

Prints each case against the limit, and one JSON object as the last line. Exit code 1 where workerd's peak is more than
64 MiB over idle.
`;

/** Half of a deployed isolate's memory (MB): V8 lets garbage stand as long as it may take more, and what is held has to fit. */
const HEAP_MB = 64;
const ALLOWED_BYTES = 64 * 1024 * 1024;
/** Whole streams read at full pace before: the heap that ordinary traffic leaves is no buffer of slow clients. */
const WARM_UPS = 50;

const MODELS = {
  chat: 'slow/m',
  messages: 'claude/claude-haiku-5-5',
  responses: 'openai/gpt-6-luna',
} as const;
type Upstream = keyof typeof MODELS;
const OWN: Record<string, Upstream> = {
  '/v1/chat/completions': 'chat',
  '/v1/messages': 'messages',
  '/v1/responses': 'responses',
  '/v1/audio/speech': 'chat',
  '/v1/embeddings': 'chat',
};

interface Case {
  path: string;
  upstream: Upstream;
  session: boolean;
  cold: boolean;
  /** Characters of text in each event. */
  delta: number;
}

const CASES: readonly Partial<Case>[] = [
  ...Object.entries(OWN).map(([path, upstream]) => ({ path, upstream })),
  { path: '/v1/chat/completions', upstream: 'messages' },
  { path: '/v1/chat/completions', upstream: 'responses' },
  { path: '/v1/messages', upstream: 'chat' },
  { path: '/v1/messages', upstream: 'responses' },
  // As models speak: the wire repeats all text at its end, so a writer of it has to keep the text.
  { path: '/v1/responses', upstream: 'chat', delta: 5 },
  { path: '/v1/responses', upstream: 'messages', delta: 5 },
  { session: true },
  { path: '/v1/messages', upstream: 'chat', session: true },
  { cold: true },
  { path: '/v1/audio/speech', cold: true },
];

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    clients: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    path: { type: 'string', default: '/v1/chat/completions' },
    upstream: { type: 'string' },
    session: { type: 'boolean', default: false },
    cold: { type: 'boolean', default: false },
    delta: { type: 'string', default: '200' },
    all: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else await bench();

async function bench(): Promise<void> {
  process.env.MINIFLARE_WORKERD_V8_FLAGS = `--max-heap-size=${HEAP_MB}`;
  const clients = Number(values.clients);
  const seconds = Number(values.seconds);
  const asked = readCase();
  const results: Awaited<ReturnType<typeof measure>>[] = [];
  for (const one of values.all ? CASES.map((more) => ({ ...asked, ...more })) : [asked]) {
    const result = await measure(one, clients, seconds);
    const { path, upstream, session, cold, over_idle_mib } = result;
    const named = [path, `from ${upstream}`, session ? 'session' : '', cold ? 'cold' : ''].filter(Boolean);
    console.log(
      `${result.ok ? 'ok  ' : 'OVER'} +${over_idle_mib} MiB of ${mebibytes(ALLOWED_BYTES)}  ${named.join(', ')}`,
    );
    results.push(result);
  }
  const ok = results.every((result) => result.ok);
  console.log(
    JSON.stringify({ ok, clients, seconds, allowed_mib: mebibytes(ALLOWED_BYTES), cases: results }),
  );
  if (!ok) process.exitCode = 1;
}

function readCase(): Case {
  const { path, session, cold } = values;
  const upstream = values.upstream ?? OWN[path];
  if (upstream !== 'chat' && upstream !== 'messages' && upstream !== 'responses') {
    throw new Error(
      `--path is one of ${Object.keys(OWN).join(', ')}; --upstream of ${Object.keys(MODELS).join(', ')}`,
    );
  }
  return { path, upstream, session, cold, delta: Number(values.delta) };
}

async function measure(one: Case, clients: number, seconds: number) {
  const provider = await startProvider(one.delta);
  const folder = await mkdtemp(join(tmpdir(), 'flux-slow-'));
  const model = MODELS[one.upstream];
  const stack = await startLocal({
    variables: {
      PORT: '0',
      FLUX_DATA_DIR: folder,
      // The only one that answers in Responses: servers that are like it have Chat Completions.
      ...{ OPENAI_BASE_URL: provider.url, OPENAI_API_KEY: 'none' },
      FLUX_PROVIDERS: JSON.stringify([
        { id: 'slow', kind: 'openai', base_url: provider.url },
        { id: 'claude', kind: 'anthropic', base_url: provider.url },
      ]),
      FLUX_TIERS: JSON.stringify({ easy: [model], medium: [model], hard: [model] }),
    },
    output: () => {},
  });
  try {
    const parts = findParts(process.pid);
    const workerd = () => readMemory(parts).get('workerd') ?? 0;
    let sessions = 0;
    const read = (until: number) => {
      const session = one.session ? `session-${sessions++}` : null;
      return readStream({ url: stack.url, key: stack.key, path: one.path, model, session }, until);
    };
    // Its code is compiled, and its heap has not grown.
    if (one.cold) await read(Number.POSITIVE_INFINITY);
    for (let at = 0; at < (one.cold ? 0 : WARM_UPS); at += 10) {
      await Promise.all(Array.from({ length: 10 }, () => read(Number.POSITIVE_INFINITY)));
    }
    await sleep(1_000);
    const idle = workerd();
    let peak = idle;
    const sampling = setInterval(() => {
      peak = Math.max(peak, workerd());
    }, 200);
    provider.sent = 0;
    const readings = await Promise.all(Array.from({ length: clients }, () => read(seconds)));
    clearInterval(sampling);
    const over = peak - idle;
    return {
      ok: over <= ALLOWED_BYTES && readings.every((bytes) => bytes > 0),
      ...one,
      idle_mib: mebibytes(idle),
      peak_mib: mebibytes(peak),
      over_idle_mib: mebibytes(over),
      read_mib: mebibytes(readings.reduce((sum, bytes) => sum + bytes, 0)),
      sent_by_provider_mib: mebibytes(provider.sent),
    };
  } finally {
    await stack.stop();
    provider.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
