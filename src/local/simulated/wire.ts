import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TextPart } from './reply.ts';

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

/** Splits text as a model streams it: a word and the space before it at a time. */
export function words(text: string): string[] {
  return text.match(/\s*\S+|\s+$/g) ?? [];
}

/** Splits a text into pieces of a size: the short ones that providers stream arguments in. */
export function* pieces(text: string, size = 16): Generator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

/** The events a text is streamed in. */
export function textPieces({ text, eventCharacters }: TextPart): Iterable<string> {
  return eventCharacters === undefined ? words(text) : pieces(text, eventCharacters);
}
