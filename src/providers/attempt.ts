import type { AnswerEvent } from '../core/answer.ts';
import { readAnswer as readAnthropicAnswer } from '../core/dialects/anthropic-messages/answer.ts';
import { createEventReader as readAnthropicEvents } from '../core/dialects/anthropic-messages/events.ts';
import { readAnswer as readChatAnswer } from '../core/dialects/openai-chat/answer.ts';
import { createEventReader as readChatEvents } from '../core/dialects/openai-chat/events.ts';
import { readAnswer as readResponsesAnswer } from '../core/dialects/openai-responses/answer.ts';
import { createEventReader as readResponsesEvents } from '../core/dialects/openai-responses/events.ts';
import { FluxError } from '../core/errors.ts';
import type { Wire } from '../core/routing/catalog.ts';
import { RETRYABLE } from '../core/routing/escalation.ts';
import {
  type CallOutcome,
  type Failure,
  type Frame,
  type ProviderCall,
  StreamFailure,
} from '../pipeline/ports.ts';
import { postAnthropic } from './anthropic.ts';
import { readFailure } from './failure.ts';
import { IdleTimeout, readFrames, type SseFrame } from './frames.ts';
import { postOpenAI } from './openai.ts';

const TRIES = 3;
/** A provider that wants more patience than this is left for the next candidate. */
const LONGEST_PAUSE_MS = 10_000;
/** After the finish chunk, how long its usage may take before the cost is estimated (contract.md). */
const USAGE_PATIENCE_MS = 2_000;

const READERS = {
  'anthropic-messages': { answer: readAnthropicAnswer, events: readAnthropicEvents },
  'openai-responses': { answer: readResponsesAnswer, events: readResponsesEvents },
  'openai-chat': { answer: readChatAnswer, events: readChatEvents },
} satisfies Record<Wire, unknown>;

/**
 * Calls one model: with a time-out, up to three tries with growing pauses (`retry-after` obeyed), and for a
 * stream the gate: its first meaningful frame is read before anyone commits to it (T28). Never throws.
 */
export async function callProvider(call: ProviderCall): Promise<CallOutcome> {
  const failures: Failure[] = [];
  for (;;) {
    const started = Date.now();
    let failure: Failure;
    try {
      const outcome = await tryOnce(call, started);
      return { ...outcome, failures };
    } catch (error) {
      failure = error instanceof StreamFailure ? error.failure : readFailure(error, Date.now() - started);
    }
    const pause = pauseBefore(failures.length + 1, failure, call.timeouts.retryBase);
    if (failures.length + 1 >= TRIES || pause === null) {
      return { kind: 'failed', failure, failures, simulated: false, ms: Date.now() - started };
    }
    failures.push(failure);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

type Outcome = CallOutcome extends infer T ? (T extends CallOutcome ? Omit<T, 'failures'> : never) : never;

async function tryOnce(call: ProviderCall, started: number): Promise<Outcome> {
  if (call.provider.apiKey === undefined && call.provider.keyVariable !== '') {
    throw new FluxError(`No key for provider '${call.provider.id}'.`, { status: 401, code: 'missing_key' });
  }
  const controller = new AbortController();
  const post = call.provider.kind === 'anthropic' ? postAnthropic : postOpenAI;
  const response = await post(call, controller.signal);
  const simulated = response.headers.has('x-simulated-provider');
  if (!call.stream) {
    const timer = setTimeout(
      () => controller.abort(),
      Math.max(1, started + call.timeouts.firstByte - Date.now()),
    );
    try {
      const raw = await response.text();
      const answer = READERS[call.model.wire].answer(JSON.parse(raw));
      return { kind: 'answer', answer, raw, simulated, ms: Date.now() - started };
    } catch (error) {
      if (controller.signal.aborted) throw new IdleTimeout(call.timeouts.firstByte);
      if (error instanceof SyntaxError) {
        throw new FluxError('The provider answered with something that is not JSON.', {
          status: 502,
          code: 'not_json',
        });
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
  if (!response.body || !/event-stream/.test(response.headers.get('content-type') ?? '')) {
    return refuseUnstreamed(call, response);
  }
  const stream = await openGate(readEvents(call, response.body, controller.signal), started);
  return {
    kind: 'stream',
    stream: { ...stream, abort: () => controller.abort() },
    simulated,
    ms: Date.now() - started,
  };
}

/** A 200 that is no stream although one was asked for: an error in JSON (T28), or a server that can't stream. */
async function refuseUnstreamed(call: ProviderCall, response: Response): Promise<never> {
  const body = await response.json().catch(() => null);
  if (body !== null) READERS[call.model.wire].answer(body); // Throws what the error inside says.
  throw new FluxError('The provider did not stream its answer.', { status: 502, code: 'not_a_stream' });
}

async function* readEvents(
  call: ProviderCall,
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Frame[]> {
  const read = READERS[call.model.wire].events();
  let stopped = false;
  let ended = false;
  const patience = () => (stopped ? USAGE_PATIENCE_MS : call.timeouts.idle);
  const toFrame = (frame: SseFrame): Frame => {
    const events = read(frame);
    for (const event of events) {
      if (event.type === 'stop') stopped = true;
      if (event.type === 'end') ended = true;
    }
    return { raw: frame.data, events };
  };
  const started = Date.now();
  try {
    for await (const batch of readFrames(body, patience, signal)) {
      yield batch.map(toFrame);
      if (ended) return;
    }
  } catch (error) {
    if (stopped && error instanceof IdleTimeout) return; // The answer is whole; only its usage is missing.
    throw new StreamFailure(readFailure(error, Date.now() - started));
  }
  if (!stopped && !signal.aborted) {
    throw new StreamFailure({
      kind: 'unreachable',
      status: 0,
      message: 'The provider ended the stream before the answer was finished.',
      type: 'stream_cut',
      param: null,
      retryAfter: null,
      requestId: null,
      ms: Date.now() - started,
    });
  }
}

const MEANINGFUL: ReadonlySet<AnswerEvent['type']> = new Set(['tool_call', 'stop', 'end', 'refusal']);

/** Reads up to the first frame that says something, so that an error there is still ours to mend. */
async function openGate(frames: AsyncGenerator<Frame[]>, started: number) {
  const head: Frame[] = [];
  for (;;) {
    const { done, value } = await frames.next();
    if (done) break;
    head.push(...value);
    const events = value.flatMap((frame) => frame.events);
    const error = events.find((event) => event.type === 'error');
    if (error) {
      await frames.return(undefined);
      throw new StreamFailure(
        readFailure(
          new FluxError(error.message, { status: error.status, code: error.code }),
          Date.now() - started,
        ),
      );
    }
    if (
      events.some(
        (event) => MEANINGFUL.has(event.type) || (event.type === 'text' && event.text.trim() !== ''),
      )
    )
      break;
  }
  async function* all(): AsyncGenerator<Frame[]> {
    try {
      yield head;
      yield* frames;
    } finally {
      await frames.return(undefined);
    }
  }
  return { head: head.flatMap((frame) => frame.events), frames: all() };
}

/** Milliseconds until the next try; null where another would be in vain or too late. */
function pauseBefore(next: number, failure: Failure, base: number): number | null {
  if (!RETRYABLE.has(failure.kind)) return null;
  if (failure.retryAfter !== null) {
    const wanted = failure.retryAfter * 1000;
    return wanted <= LONGEST_PAUSE_MS ? wanted : null;
  }
  // Full jitter: many clients that failed together do not come back together.
  return base * 2 ** (next - 1) * (0.5 + Math.random() / 2);
}
