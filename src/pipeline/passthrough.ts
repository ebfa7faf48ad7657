import type { MeteredSize } from '../core/accounting/metered-bound.ts';
import { AnswerEnds, type AnswerFacts } from '../core/dialects/openai-stateless/answer-ends.ts';
import {
  createCompletionRelay,
  createEventRelay,
  type EventRelay,
  errorIn,
} from '../core/dialects/openai-stateless/event-relay.ts';
import type { Frame } from '../core/dialects/upstream.ts';
import { FluxError } from '../core/errors.ts';
import type { PassthroughMetadata } from '../core/metadata.ts';
import { admitPassthrough } from './budget.ts';
import { openPassthroughLog, type PassthroughEnd, type PassthroughLog } from './passthrough-log.ts';
import type { PassthroughTarget } from './passthrough-target.ts';
import {
  type Failure,
  type PartSource,
  type PassthroughAnswer,
  type PassthroughCall,
  type PassthroughOutcome,
  type Ports,
  StreamFailure,
} from './ports.ts';
import { failureInside, toFluxError } from './provider-error.ts';
import type { StepRecord } from './record.ts';
import type { Timeouts } from './settings.ts';

/** A request to an endpoint without a conversation, as it is sent on. */
export interface PassthroughRequest {
  requestId: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  customer: string;
  keyId: string;
  /** The path below `/v1`, ours and the provider's: `/embeddings`. */
  path: string;
  /** As the client named it. */
  requestedModel: string | null;
  target: PassthroughTarget;
  body: string | Uint8Array;
  contentType: string;
  /** What it may take at most. */
  size: MeteredSize;
  /** The client asked for the usage of a stream of completions. */
  includeUsage: boolean;
  session: { shown: string; hash: string | null };
  tags: Record<string, string>;
}

export interface PassthroughPorts extends Pick<Ports, 'logStep' | 'budget' | 'left' | 'clock'> {
  /** Never throws. */
  callPassthrough(call: PassthroughCall): Promise<PassthroughOutcome>;
}

/** An answer on its way to the client. Exactly one of finish, abandon or a throw of `next` writes its row. */
export type LivePassage = { contentType: string | null } & (
  | ({ kind: 'bytes' } & Passage<Uint8Array>)
  | ({ kind: 'events' } & Passage<string> & {
        /** The wire's own error, for a client that has the first events (T30). */
        fail(error: FluxError): string;
      })
);

/** Bytes as they came, or the text of events. */
export interface Passage<Part> {
  /**
   * What came next, which may be gone once the one after it is asked for; null after the last.
   * @throws FluxError where the provider breaks off or reports an error
   */
  next(): Promise<Part | null>;
  /** After the last part: what is still to be sent. */
  finish(): Part;
  /** The client left. */
  abandon(): void;
}

/**
 * Sends a request on, and follows its answer for its row: one a request, with `passthrough`, and no baseline.
 * @throws FluxError what the client should see; the row of one that was sent is written by then
 */
export async function runPassthrough(
  request: PassthroughRequest,
  timeouts: Timeouts,
  ports: PassthroughPorts,
): Promise<LivePassage> {
  const { provider } = request.target;
  const reserved = await admitPassthrough(request, ports);
  const sentAt = ports.clock.now();
  const outcome = await ports.callPassthrough({
    provider,
    path: request.path,
    body: request.body,
    contentType: request.contentType,
    timeouts,
    signal: ports.left,
  });
  const log = openPassthroughLog(request, outcome, ports, sentAt, reserved);
  if (outcome.kind !== 'failed') return openPassage(request, outcome, ports, log);
  const error = toFluxError(outcome.failure, provider);
  const state = outcome.failure.kind === 'client_left' ? 'abandoned' : 'failed';
  log(state, NOTHING_KNOWN, { status: error.status, errorCode: error.code, failure: outcome.failure });
  throw error;
}

const NOTHING_KNOWN: AnswerFacts = { model: null, usage: null };

function openPassage(
  request: PassthroughRequest,
  answer: PassthroughAnswer,
  ports: PassthroughPorts,
  log: PassthroughLog,
): LivePassage {
  const { contentType } = answer;
  const context = { request, ports, log, abort: answer.abort };
  if (answer.kind === 'bytes') return { kind: 'bytes', contentType, ...follow(openBytes(answer), context) };
  const relay =
    request.path === '/completions' ? createCompletionRelay(request.includeUsage) : createEventRelay();
  return {
    kind: 'events',
    contentType,
    fail: relay.fail,
    ...follow({ ...relay, next: () => relayed(answer.frames, relay) }, context),
  };
}

/** How one kind of answer passes through, and what it tells of itself. */
interface Way<Part> extends PartSource<Part> {
  facts(): AnswerFacts;
  finish(metadata: PassthroughMetadata): Part;
}

interface Followed {
  request: PassthroughRequest;
  ports: PassthroughPorts;
  log: PassthroughLog;
  abort(): void;
}

function follow<Part>(way: Way<Part>, { request, ports, log, abort }: Followed): Passage<Part> {
  let endedAt = ports.clock.now();
  let isClosed = false;
  const close = (state: StepRecord['state'], end: Omit<PassthroughEnd, 'endedAt'>): PassthroughMetadata => {
    isClosed = true;
    return log(state, way.facts(), { ...end, endedAt });
  };

  async function next(): Promise<Part | null> {
    try {
      const part = await way.next();
      if (part !== null) endedAt = ports.clock.now();
      return part;
    } catch (error) {
      const failure = error instanceof StreamFailure ? error.failure : undefined;
      const seen = failure ? toFluxError(failure, request.target.provider) : error;
      if (!isClosed) {
        const { status, code } = seen instanceof FluxError ? seen : { status: 500, code: 'internal_error' };
        close('failed', { status, errorCode: code, failure });
      }
      throw seen;
    }
  }

  return {
    next,
    finish: () => way.finish(close('ok', { status: 200, errorCode: null })),
    abandon() {
      abort();
      // 499: the client closed the request (nginx's status; there is none in the standard).
      if (!isClosed) close('abandoned', { status: 499, errorCode: 'client_left', failure: CLIENT_LEFT });
    },
  };
}

const CLIENT_LEFT = { kind: 'client_left', status: 200 } as const;

function openBytes({ chunks, contentType }: Extract<PassthroughAnswer, { kind: 'bytes' }>): Way<Uint8Array> {
  // Sound, or a transcript as text: nothing in it tells what it cost, and nothing can be added.
  if (!/\bjson\b/.test(contentType ?? '')) {
    return { next: () => chunks.next(), facts: () => NOTHING_KNOWN, finish: () => new Uint8Array(0) };
  }
  const ends = new AnswerEnds();
  return {
    async next() {
      const chunk = await chunks.next();
      return chunk && ends.push(chunk);
    },
    facts: () => ends.facts(),
    finish: (metadata) => ends.close('fluxcompute', metadata),
  };
}

async function relayed(frames: PartSource<Frame[]>, relay: EventRelay): Promise<string | null> {
  const batch = await frames.next();
  if (batch === null) {
    if (relay.isCut()) throw new StreamFailure(CUT);
    return null;
  }
  for (const frame of batch) {
    const error = errorIn(frame);
    if (error) throw new StreamFailure(failureInside(error));
  }
  return batch.map((frame) => relay.write(frame)).join('');
}

/** A stream that is over before its answer is. */
const CUT: Failure = {
  kind: 'unreachable',
  status: 0,
  message: '',
  type: null,
  code: 'stream_cut',
  param: null,
  retryAfter: null,
  requestId: null,
  ms: 0,
};
