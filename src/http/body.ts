import { FluxError } from '../core/errors.ts';
import { within } from '../stores/time-limit.ts';
import type { Lease } from './bytes-in-flight.ts';

/**
 * The body as text, read no further than the limit, whatever `content-length` claims.
 * @param lease is charged with its bytes: at once as many as it claims, the others as they come
 * @throws FluxError 413, 400; 503 where the isolate has no room for it
 */
export function readBody(request: Request, limit: number, lease?: Lease): Promise<TextBody> {
  return admitBody(request, limit, lease, (isWhole, charge) =>
    isWhole ? readWhole(request, charge) : readParts(request.body, charge),
  );
}

/** A body as text, and its length in bytes. */
export interface TextBody {
  text: string;
  bytes: number;
}

/** The body as it came: as {@link readBody}. */
export function readBytes(request: Request, limit: number, lease: Lease): Promise<Uint8Array> {
  return admitBody(request, limit, lease, (isWhole, charge) =>
    isWhole ? wholeBytes(request, charge) : gatherBytes(request.body, charge),
  );
}

type Charge = (size: number) => void;

async function admitBody<T>(
  request: Request,
  limit: number,
  lease: Lease | undefined,
  read: (isWhole: boolean, charge: Charge) => Promise<T>,
): Promise<T> {
  const claimed = Number(request.headers.get('content-length') ?? 0) || 0;
  try {
    if (claimed > limit) throw tooLarge(limit, lease !== undefined);
    lease?.take(claimed);
  } catch (error) {
    await drain(request.body);
    throw error;
  }
  // Not asked for its stream, which would have to be made, where a length says that it is there.
  if (claimed === 0 && !request.body) throw notJson();
  let charged = claimed;
  const charge = (size: number): void => {
    if (size > limit) throw tooLarge(limit, lease !== undefined);
    if (size <= charged) return;
    lease?.take(size - charged);
    charged = size;
  };
  try {
    return await read(claimed > 0, charge);
  } catch (error) {
    if (error instanceof FluxError) throw error;
    throw new FluxError('The body could not be read: send it whole, as UTF-8.', {
      status: 400,
      code: 'unreadable_body',
    });
  }
}

/** Bytes that the collector may keep. */
const SMALL = 64 * 1024;
/** For texts in one piece, between which it remembers nothing. */
const WHOLE = openDecoder();

/** A body whose length is known before it comes, as nearly all are: in one piece, which takes a third of the time. */
async function readWhole(request: Request, charge: Charge): Promise<TextBody> {
  const sent = await wholeBytes(request, charge);
  const text = WHOLE.decode(sent);
  const bytes = sent.byteLength;
  // Lets go of what may be megabytes: the collector would keep them until it has time.
  if (bytes > SMALL) sent.buffer.transfer(0);
  return { text, bytes };
}

async function wholeBytes(request: Request, charge: Charge): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  charge(bytes.byteLength);
  return bytes;
}

/** One that comes in chunks: nobody knows how long it is. */
async function readParts(body: Request['body'], charge: Charge): Promise<TextBody> {
  const decoder = openDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of charged(body, charge)) {
    text += decoder.decode(chunk, { stream: true });
    bytes += chunk.byteLength;
  }
  return { text: text + decoder.decode(), bytes };
}

async function gatherBytes(body: Request['body'], charge: Charge): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of charged(body, charge)) {
    chunks.push(chunk);
    size += chunk.byteLength;
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}

async function* charged(body: Request['body'], charge: Charge): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    charge(size);
    yield chunk;
  }
}

function openDecoder() {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
}

/** Nobody waits longer for a client to have sent what is not wanted. */
const LONGEST_DRAIN_MS = 5_000;

/**
 * Reads a body that is not wanted, and forgets it: a client that is still sending would see its connection reset in
 * place of the answer. Always into the same buffer: what there is no room for must not fill the memory as garbage.
 */
async function drain(body: Request['body']): Promise<void> {
  let reader: ReadableStreamBYOBReader | undefined;
  try {
    reader = body?.getReader({ mode: 'byob' });
    if (reader) await within(LONGEST_DRAIN_MS, readAll(reader));
  } catch {
    // The client has left, is too slow, or the stream is none of bytes.
    reader?.cancel().catch(() => {});
  }
}

async function readAll(reader: ReadableStreamBYOBReader): Promise<void> {
  for (let buffer = new Uint8Array(64 * 1024); ; ) {
    const { done, value } = await reader.read(buffer);
    if (done) return;
    buffer = new Uint8Array(value.buffer);
  }
}

/** @throws FluxError 400 */
export function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson();
  }
}

function notJson(): FluxError {
  return new FluxError('The body is not valid JSON: send an object with `model` and `messages`.', {
    status: 400,
    code: 'invalid_json',
  });
}

/** @param isStep a conversation, whose limit is a setting; the control plane's is fixed */
function tooLarge(limit: number, isStep: boolean): FluxError {
  const advice = isStep
    ? 'Shorten the conversation or its images, or raise FLUX_MAX_BODY_BYTES where the gateway runs.'
    : 'Send less in one request.';
  return new FluxError(`The body is larger than ${limit} bytes. ${advice}`, {
    status: 413,
    code: 'request_too_large',
  });
}
