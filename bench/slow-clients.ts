import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startLocal } from '../src/local/stack.ts';
import { findParts, readMemory } from './memory/processes.ts';

const HELP = `npm run bench:slow-clients: does a slow client make the Worker hold what its provider sends?

Starts the local stack before a provider that streams 10 MB as fast as it is taken, to clients that read little by
little, and reads the resident memory (RSS) of workerd.

  --clients N        100
  --seconds N        20: then the clients leave
  --path PATH        /v1/chat/completions, or /v1/audio/speech: bytes that pass through

Prints one JSON object as the last line. Exit code 1 where workerd's peak is more than 64 MiB over idle.
`;

const STREAM_BYTES = 10 * 1024 * 1024;
/** What a client reads at once, and how often: 10 MB would take it a minute. */
const READ_BYTES = 32 * 1024;
const READ_EVERY_MS = 200;
const ALLOWED_BYTES = 64 * 1024 * 1024;
/** Whole streams read at full pace before: the heap that ordinary traffic leaves is no buffer of slow clients. */
const WARM_UPS = 50;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    clients: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    path: { type: 'string', default: '/v1/chat/completions' },
  },
});
if (values.help) process.stdout.write(HELP);
else await bench(Number(values.clients), Number(values.seconds), values.path);

async function bench(clients: number, seconds: number, path: string): Promise<void> {
  const provider = await startProvider();
  const folder = await mkdtemp(join(tmpdir(), 'flux-slow-'));
  const server = { id: 'slow', kind: 'openai', base_url: provider.url };
  const models = ['slow/m'];
  const stack = await startLocal({
    variables: {
      PORT: '0',
      FLUX_DATA_DIR: folder,
      FLUX_PROVIDERS: JSON.stringify([server]),
      FLUX_TIERS: JSON.stringify({ easy: models, medium: models, hard: models }),
    },
    output: () => {},
  });
  try {
    const parts = findParts(process.pid);
    const workerd = () => readMemory(parts).get('workerd') ?? 0;
    for (let at = 0; at < WARM_UPS; at += 10) {
      await Promise.all(Array.from({ length: 10 }, () => read(stack, path, Number.POSITIVE_INFINITY)));
    }
    await sleep(1_000);
    const idle = workerd();
    let peak = idle;
    const sampling = setInterval(() => {
      peak = Math.max(peak, workerd());
    }, 200);
    provider.sent = 0;
    const readings = await Promise.all(Array.from({ length: clients }, () => read(stack, path, seconds)));
    clearInterval(sampling);
    const over = peak - idle;
    const result = {
      ok: over <= ALLOWED_BYTES && readings.every((bytes) => bytes > 0),
      path,
      clients,
      seconds,
      idle_mib: mebibytes(idle),
      peak_mib: mebibytes(peak),
      over_idle_mib: mebibytes(over),
      read_mib: mebibytes(readings.reduce((sum, bytes) => sum + bytes, 0)),
      sent_by_provider_mib: mebibytes(provider.sent),
    };
    console.log(JSON.stringify(result));
    if (!result.ok) process.exitCode = 1;
  } finally {
    await stack.stop();
    await provider.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reads a stream slowly until the time is over, and leaves; at full pace where that is never. @returns bytes it has read */
function read({ url, key }: { url: string; key: string }, path: string, seconds: number): Promise<number> {
  const body = JSON.stringify({
    model: 'slow/m',
    stream: true,
    input: 'x',
    messages: [{ role: 'user', content: 'go' }],
  });
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method: 'POST', headers, agent: false }, (response) => {
      const reading = Number.isFinite(seconds) ? readSlowly(response, seconds) : readAll(response);
      resolve(reading.finally(() => sent.destroy()));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function readAll(response: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const part of response) bytes += Buffer.byteLength(part);
  return bytes;
}

async function readSlowly(response: IncomingMessage, seconds: number): Promise<number> {
  response.on('error', () => {});
  const end = performance.now() + seconds * 1000;
  let bytes = 0;
  while (performance.now() < end && !response.readableEnded) {
    const part: Buffer | null = response.read(READ_BYTES) ?? response.read();
    bytes += part?.length ?? 0;
    await sleep(READ_EVERY_MS);
  }
  return response.statusCode === 200 ? bytes : 0;
}

/** Streams 10 MB, as sound or as Chat Completions, at the pace they are taken. */
async function startProvider() {
  const word = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' };
  const chunk = `data: ${JSON.stringify({ ...word, choices: [{ index: 0, delta: { content: 'x'.repeat(200) }, finish_reason: null }] })}\n\n`;
  const piece = Buffer.from(chunk.repeat(20));
  const server = createServer((asked, response) => {
    asked.resume();
    const type = asked.url?.endsWith('/speech') ? 'audio/mpeg' : 'text/event-stream';
    response.writeHead(200, { 'content-type': type });
    let left = STREAM_BYTES;
    const write = (): void => {
      while (left > 0 && !response.destroyed) {
        left -= piece.length;
        provider.sent += piece.length;
        if (!response.write(piece)) return void response.once('drain', write);
      }
      response.end();
    };
    write();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // It listens on a port.
  const { port } = server.address() as AddressInfo;
  const provider = {
    url: `http://127.0.0.1:${port}`,
    sent: 0,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return provider;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
