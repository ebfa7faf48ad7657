import OpenAI from 'openai';
import { errorIn } from '../core/dialects/openai-stateless/event-relay.ts';
import {
  type PartSource,
  type PassthroughAnswer,
  type PassthroughCall,
  type PassthroughOutcome,
  StreamFailure,
} from '../pipeline/ports.ts';
import { BodyReader, IdleTimeout } from './body-reader.ts';
import { readFailure } from './failure.ts';
import { FrameReader } from './frames.ts';
import { type Try, within, withRetries } from './retries.ts';

/** Sound and pictures come as fast as the network brings them: each write to the client costs as much as a read. */
const CHUNK_BYTES = 16_384;

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
    const chunks = translated(
      new BodyReader(body, patience, connection.signal, CHUNK_BYTES),
      connection.signal,
    );
    return { kind: 'bytes', contentType, abort, chunks };
  }
  const frames = translated(new FrameReader(body, patience, connection.signal), connection.signal);
  const first = await frames.next();
  const error = first?.map(errorIn).find((found) => found !== null);
  if (error) {
    abort();
    throw error;
  }
  return { kind: 'events', contentType, abort, frames: first === null ? frames : restored(first, frames) };
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

/** What a connection throws, as the failed try that it is; the end once nobody wants it any more. */
function translated<Part>(
  reader: PartSource<Part> & { close(): void },
  signal: AbortSignal,
): PartSource<Part> {
  const started = Date.now();
  return {
    async next() {
      try {
        const part = await reader.next();
        if (part === null) reader.close();
        return part;
      } catch (error) {
        reader.close();
        if (signal.aborted && !(error instanceof IdleTimeout)) return null;
        const failure = readFailure(error, Date.now() - started);
        throw new StreamFailure(error instanceof IdleTimeout ? failure : { ...failure, code: 'stream_cut' });
      }
    },
  };
}

function restored<Part>(first: Part, rest: PartSource<Part>): PartSource<Part> {
  let head: Part | null = first;
  return {
    async next() {
      const part = head ?? (await rest.next());
      head = null;
      return part;
    },
  };
}
