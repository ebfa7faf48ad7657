import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** One server-sent event. Chat Completions names none. */
export interface Frame {
  event?: string;
  data: unknown;
}

/** On every answer: the gateway marks what came from a simulator by it. */
export const SIMULATED_HEADER = { 'x-simulated-provider': 'fluxcompute' } as const;

/** Reads a body of at most `limit` bytes; undefined if there is more. The rest is read and thrown away. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    // Node types a stream's chunks as `any`; without an encoding they are Buffers.
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size <= limit) chunks.push(bytes);
  }
  return size <= limit ? Buffer.concat(chunks) : undefined;
}

/** Sends one JSON answer; a text and bytes go out as they are. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  const whole = body instanceof Uint8Array || typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(whole)),
    ...SIMULATED_HEADER,
    ...headers,
  });
  response.end(whole);
}

/** Opens a stream of events. */
export function openStream(response: ServerResponse, headers: Record<string, string>): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    ...SIMULATED_HEADER,
    ...headers,
  });
}

/** Writes one event, waiting while the client reads slower than we write. */
export async function sendFrame(response: ServerResponse, frame: Frame): Promise<void> {
  const data = typeof frame.data === 'string' ? frame.data : JSON.stringify(frame.data);
  const text = `${frame.event === undefined ? '' : `event: ${frame.event}\n`}data: ${data}\n\n`;
  if (response.write(text) || response.destroyed) return;
  // A client that goes away never drains.
  await Promise.race([once(response, 'drain'), once(response, 'close')]);
}

/** Splits text as a model streams it: a word and the space before it at a time. */
export function words(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

/** Splits JSON text of arguments into the short pieces providers stream. */
export function pieces(text: string, size = 16): string[] {
  return text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
}
