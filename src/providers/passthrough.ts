import OpenAI from 'openai';
import { errorIn } from '../core/dialects/openai-stateless/event-relay.ts';
import type { Frame } from '../core/dialects/upstream.ts';
import {
  type PassthroughAnswer,
  type PassthroughCall,
  type PassthroughOutcome,
  StreamFailure,
} from '../pipeline/ports.ts';
import { IdleTimeout, readChunks } from './body-reader.ts';
import { readFailure } from './failure.ts';
import { readFrames } from './frames.ts';
import { type Try, within, withRetries } from './retries.ts';

/**
 * Sends a request on to a server with OpenAI's API: time-outs and retries as for a step, and for a stream of events its
 * first one is read before anyone commits to it (T28). Never throws.
 */
export async function callPassthrough(call: PassthroughCall): Promise<PassthroughOutcome> {
  return withRetries<PassthroughAnswer>(
    call,
    (attempt) => send(call, attempt),
    (answer) => {
      answer.abort();
      return true;
    },
  );
}

async function send(call: PassthroughCall, { started, note, connection }: Try): Promise<PassthroughAnswer> {
  const left = started + call.timeouts.firstByte - Date.now();
  const response = await within(left, post(call, connection.signal), connection);
  note(response.headers);
  const contentType = response.headers.get('content-type');
  const abort = () => connection.abort();
  const patience = () => call.timeouts.idle;
  const body = response.body ?? new Blob([]).stream();
  if (!/event-stream/.test(contentType ?? '')) {
    const chunks = translated(readChunks(body, patience, connection.signal), connection.signal);
    return { kind: 'bytes', contentType, abort, chunks };
  }
  const frames = translated(readFrames(body, patience, connection.signal), connection.signal);
  const first = await frames.next();
  const error = first.done ? null : (first.value.map(errorIn).find((found) => found !== null) ?? null);
  if (error) {
    abort();
    throw error;
  }
  return { kind: 'events', contentType, abort, frames: first.done ? frames : restored(first.value, frames) };
}

/**
 * Of the client's headers only the type of its body goes on (T39), and the URL is the settings' own (T60).
 * @throws OpenAI.APIError for anything but a 2xx
 */
async function post({ provider, path, body, contentType }: PassthroughCall, signal: AbortSignal) {
  const headers: Record<string, string> = { 'content-type': contentType, accept: '*/*' };
  if (provider.apiKey !== undefined) headers.authorization = `Bearer ${provider.apiKey}`;
  const url = `${provider.baseUrl}${path}`;
  // The body is a whole one: no view of shared memory, which the types of `fetch` fear.
  const init = {
    method: 'POST',
    headers,
    body: body as NonNullable<RequestInit['body']>,
    signal,
    redirect: 'manual' as const,
  };
  const response = await fetch(url, init);
  if (response.ok) return response;
  throw OpenAI.APIError.generate(response.status, await readError(response), undefined, response.headers);
}

async function readError(response: Response): Promise<object | undefined> {
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? body : undefined;
  } catch {
    return undefined;
  }
}

/** What a connection throws, as the failed try that it is; nothing once nobody wants it any more. */
async function* translated<T>(
  parts: AsyncGenerator<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const started = Date.now();
  try {
    yield* parts;
  } catch (error) {
    if (signal.aborted && !(error instanceof IdleTimeout)) return;
    const failure = readFailure(error, Date.now() - started);
    throw new StreamFailure(error instanceof IdleTimeout ? failure : { ...failure, code: 'stream_cut' });
  }
}

async function* restored(first: Frame[], rest: AsyncGenerator<Frame[]>): AsyncGenerator<Frame[]> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
