import { FluxError } from '../core/errors.ts';
import { RETRYABLE } from '../core/routing/escalation.ts';
import { type Failure, type ProviderCall, StreamFailure } from '../pipeline/ports.ts';
import { IdleTimeout } from './body-reader.ts';
import { headersOf, readFailure } from './failure.ts';

const TRIES = 3;
/** A provider that wants more patience than this is left for the next candidate. */
const LONGEST_PAUSE_MS = 10_000;

/** What a request to a provider is retried by. */
type Retried = Pick<ProviderCall, 'provider' | 'timeouts' | 'signal'>;

/** One try: when it began, its connection, and whom the headers of its answer are told. */
export interface Try {
  started: number;
  connection: AbortController;
  note(headers: Headers): void;
}

/** What came of a call after its retries; `failures` are the tries before the last. */
export type Retries<T> = { failures: Failure[]; simulated: boolean; ms: number } & (
  | T
  | { kind: 'failed'; failure: Failure }
);

/**
 * Up to three tries with growing pauses (`retry-after` obeyed). Never throws.
 * @param letGo the client has left: ends an answer that is still on its way, and says whether it was
 */
export async function withRetries<T extends { kind: string }>(
  call: Retried,
  send: (attempt: Try) => Promise<T>,
  letGo: (answer: T) => boolean,
): Promise<Retries<T>> {
  const failures: Failure[] = [];
  let simulated = false;
  const note = (headers: Headers): void => {
    simulated = headers.has('x-simulated-provider');
  };
  for (;;) {
    const started = Date.now();
    let failure: Failure;
    try {
      const answer = await tryOnce(call, send, { started, note });
      if (!call.signal?.aborted || !letGo(answer)) {
        return { ...answer, failures, simulated, ms: Date.now() - started };
      }
      failure = clientLeft(started);
    } catch (error) {
      const headers = headersOf(error);
      if (headers) note(headers);
      failure = error instanceof StreamFailure ? error.failure : readFailure(error, Date.now() - started);
    }
    if (call.signal?.aborted) failure = clientLeft(started);
    const pause = pauseBefore(failures.length + 1, failure, call.timeouts.retryBase);
    if (failures.length + 1 >= TRIES || pause === null) {
      return { kind: 'failed', failure, failures, simulated, ms: Date.now() - started };
    }
    failures.push(failure);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

async function tryOnce<T>(
  { provider, signal }: Retried,
  send: (attempt: Try) => Promise<T>,
  attempt: Omit<Try, 'connection'>,
): Promise<T> {
  if (provider.apiKey === undefined && provider.keyVariable !== '') {
    throw new FluxError(`No key for provider '${provider.id}'.`, { status: 401, code: 'missing_key' });
  }
  const connection = new AbortController();
  const leave = () => connection.abort();
  if (signal?.aborted) leave();
  signal?.addEventListener('abort', leave, { once: true });
  try {
    return await send({ ...attempt, connection });
  } finally {
    // From here on the stream's own reader lets go of it.
    signal?.removeEventListener('abort', leave);
  }
}

/** @throws IdleTimeout after `ms`, and lets go of the connection */
export async function within<T>(ms: number, work: Promise<T>, connection: AbortController): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new IdleTimeout(ms));
      connection.abort();
    }, ms);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Nobody waits for the answer any more: no other try, no other model. */
function clientLeft(started: number): Failure {
  return {
    kind: 'client_left',
    status: 0,
    message: 'The client left.',
    type: null,
    code: 'client_left',
    param: null,
    retryAfter: null,
    requestId: null,
    ms: Date.now() - started,
  };
}

/** Milliseconds until the next try; null where another would be in vain or too late. */
function pauseBefore(next: number, failure: Failure, base: number): number | null {
  if (!(failure.retry ?? RETRYABLE.has(failure.kind))) return null;
  if (failure.retryAfter !== null) {
    const wanted = failure.retryAfter * 1000;
    return wanted <= LONGEST_PAUSE_MS ? wanted : null;
  }
  // Full jitter: many clients that failed together do not come back together.
  return base * 2 ** (next - 1) * (0.5 + Math.random() / 2);
}
