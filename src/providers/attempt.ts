import type { Answer, AnswerEvent } from '../core/answer.ts';
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
  type OpenStream,
  type ProviderCall,
  StreamFailure,
} from '../pipeline/ports.ts';
import { postAnthropic } from './anthropic.ts';
import { EventFlow } from './event-flow.ts';
import { headersOf, readFailure } from './failure.ts';
import { IdleTimeout } from './frames.ts';
import { postOpenAI } from './openai.ts';

const TRIES = 3;
/** A provider that wants more patience than this is left for the next candidate. */
const LONGEST_PAUSE_MS = 10_000;

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
  let simulated = false;
  const note = (headers: Headers): void => {
    simulated = headers.has('x-simulated-provider');
  };
  for (;;) {
    const started = Date.now();
    let failure: Failure;
    try {
      const outcome = await tryOnce(call, started, note);
      if (!(outcome.kind === 'stream' && call.signal?.aborted)) return { ...outcome, failures, simulated };
      outcome.stream.abort();
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

type Outcome = CallOutcome extends infer T
  ? T extends CallOutcome
    ? Omit<T, 'failures' | 'simulated'>
    : never
  : never;

async function tryOnce(
  call: ProviderCall,
  started: number,
  note: (headers: Headers) => void,
): Promise<Outcome> {
  if (call.provider.apiKey === undefined && call.provider.keyVariable !== '') {
    throw new FluxError(`No key for provider '${call.provider.id}'.`, { status: 401, code: 'missing_key' });
  }
  const controller = new AbortController();
  const leave = () => controller.abort();
  if (call.signal?.aborted) leave();
  call.signal?.addEventListener('abort', leave, { once: true });
  try {
    return await send(call, started, note, controller);
  } finally {
    // From here on the stream's own reader lets go of it.
    call.signal?.removeEventListener('abort', leave);
  }
}

async function send(
  call: ProviderCall,
  started: number,
  note: (headers: Headers) => void,
  controller: AbortController,
): Promise<Outcome> {
  const post = call.provider.kind === 'anthropic' ? postAnthropic : postOpenAI;
  /** Up to the first byte of a stream, or to the last of a whole answer or an error. */
  const exchange = async () => {
    const response = await post(call, controller.signal);
    note(response.headers);
    const { body } = response;
    const streams = call.stream && /event-stream/.test(response.headers.get('content-type') ?? '');
    return body && streams ? { body } : { raw: await response.text() };
  };
  const left = started + call.timeouts.firstByte - Date.now();
  const { body, raw = '' } = await within(left, exchange(), controller);
  if (body) {
    const read = READERS[call.model.wire].events();
    const frames = new EventFlow(body, read, call.timeouts.idle, controller.signal);
    const head = await frames.openGate();
    return {
      kind: 'stream',
      stream: { head, frames, whole: false, abort: () => controller.abort() },
      ms: Date.now() - started,
    };
  }
  const answer = READERS[call.model.wire].answer(parseAnswer(raw)); // Throws the error inside, if it is one (T28).
  if (call.stream) return { kind: 'stream', stream: streamOf(answer), ms: Date.now() - started };
  return { kind: 'answer', answer, raw, ms: Date.now() - started };
}

/** A whole answer as the stream that was asked for: some servers can't stream. */
function streamOf(answer: Answer): OpenStream {
  let calls = 0;
  const said = answer.blocks.flatMap((block): AnswerEvent[] => {
    if (block.type !== 'tool_call') return [{ type: block.type, text: block.text }];
    const index = calls++;
    return [
      { type: 'tool_call', index, id: block.id, name: block.name },
      { type: 'tool_arguments', index, delta: block.arguments },
    ];
  });
  const events: AnswerEvent[] = [
    { type: 'start', id: answer.id, model: answer.model },
    ...said,
    ...(answer.usage ? [{ type: 'usage' as const, usage: answer.usage, ...tierOf(answer) }] : []),
    { type: 'stop', reason: answer.stop },
    { type: 'end' },
  ];
  async function* frames(): AsyncGenerator<Frame[]> {
    yield [{ raw: '', events }];
  }
  return { head: events, frames: frames(), whole: true, abort() {} };
}

function tierOf({ serviceTier }: Answer): { serviceTier?: string } {
  return serviceTier === undefined ? {} : { serviceTier };
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

/** @throws FluxError without the parser's own message, which quotes the text */
function parseAnswer(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    throw new FluxError('The provider answered with something that is not JSON.', {
      status: 502,
      code: 'not_json',
    });
  }
}

/** @throws IdleTimeout after `ms`, and lets go of the connection */
async function within<T>(ms: number, work: Promise<T>, connection: AbortController): Promise<T> {
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
