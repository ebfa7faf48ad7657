import { type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a client reads at once, and how often: 10 MB would take it a minute. */
const READ_BYTES = 32 * 1024;
const READ_EVERY_MS = 200;

export interface Asked {
  url: string;
  key: string;
  path: string;
  model: string;
  session: string | null;
}

/** Reads a stream slowly until the time is over, and leaves; at full pace where that is never. @returns bytes it has read */
export function readStream({ url, key, path, model, session }: Asked, seconds: number): Promise<number> {
  const body = JSON.stringify(bodyOf(path, model));
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    ...(session === null ? {} : { 'x-fluxcompute-session': session }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method: 'POST', headers, agent: false }, (response) => {
      const reading = Number.isFinite(seconds) ? readSlowly(response, seconds) : readAll(response);
      resolve(reading.finally(() => sent.destroy()));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function bodyOf(path: string, model: string): Record<string, unknown> {
  const messages = [{ role: 'user', content: 'go' }];
  if (path === '/v1/audio/speech') return { model, input: 'x', voice: 'alloy' };
  if (path === '/v1/embeddings' || path === '/v1/responses') {
    return { model, input: 'go', ...(path === '/v1/responses' ? { stream: true } : {}) };
  }
  return { model, messages, stream: true, ...(path === '/v1/messages' ? { max_tokens: 16_000 } : {}) };
}

async function readAll(response: IncomingMessage): Promise<number> {
  response.on('error', () => {});
  let bytes = 0;
  try {
    for await (const part of response) bytes += Buffer.byteLength(part);
  } catch {
    // A stream without its ending breaks off.
  }
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
