import type { Answer, AnswerEvent } from '../core/answer.ts';
import type { CatalogModel } from '../core/routing/catalog.ts';
import type { FailureKind } from '../core/routing/escalation.ts';
import type { StepRecord } from './record.ts';
import type { ProviderSettings, Timeouts } from './settings.ts';

/** One request to one model. */
export interface ProviderCall {
  provider: ProviderSettings;
  model: CatalogModel;
  /** JSON text in the model's wire format. */
  body: string;
  stream: boolean;
  timeouts: Timeouts;
  /** Aborts when the client leaves: nothing more is sent for it. */
  signal: AbortSignal | null;
}

/** One SSE frame of a provider and what it meant. */
export interface Frame {
  /** The frame's data as it came. */
  raw: string;
  events: AnswerEvent[];
}

/** One failed try of a call. */
export interface Failure {
  kind: FailureKind;
  /** HTTP status, 0 where none came. */
  status: number;
  /** The provider's own words: for the client where the contract lets them through, never for a row or a log. */
  message: string;
  /** The provider's error type, e.g. `overloaded_error`. */
  type: string | null;
  /** The provider's error code, or ours: `missing_key`, `stream_cut`, `not_json`. */
  code: string | null;
  param: string | null;
  /** Seconds. */
  retryAfter: number | null;
  /** Whether another try makes sense, where it is known: else its kind decides. */
  retry?: boolean;
  requestId: string | null;
  ms: number;
}

/** Frames in batches as they arrive; leaving a loop over them lets go of where they come from. */
export type FrameFlow = AsyncIterableIterator<Frame[], void>;

/** A stream whose first meaningful frame is there. */
export interface OpenStream {
  /** What the frames up to that one meant. */
  head: AnswerEvent[];
  /** All frames, the head's first. Throws {@link StreamFailure}. */
  frames: FrameFlow;
  /** The provider did not stream but answered whole: its frames have no raw text. */
  whole: boolean;
  /** Lets go of the upstream at once, also while a frame is awaited. */
  abort(): void;
}

/** What came of a call after its retries. `failures` are the tries before the last. */
export type CallOutcome = { failures: Failure[]; simulated: boolean; ms: number } & (
  | { kind: 'answer'; answer: Answer; raw: string }
  | { kind: 'stream'; stream: OpenStream }
  | { kind: 'failed'; failure: Failure }
);

/** What the pipeline needs from outside. Nothing here may throw except where it says so. */
export interface Ports {
  /** Calls a model: time-outs, retries, the first-frame gate. Never throws. */
  callProvider(call: ProviderCall): Promise<CallOutcome>;
  /** Takes the row of a finished step, after the answer. Never throws and is never awaited by the answer. */
  logStep(record: StepRecord): void;
  /** Aborts when the client leaves, where the runtime tells (T31); null where nobody can leave. */
  left: AbortSignal | null;
  clock: {
    /** Milliseconds since the epoch. */
    now(): number;
    /** Milliseconds of a clock that also runs between I/O; null where the runtime hides it (a deployed Worker). */
    cpu(): number | null;
  };
}

/** A stream that broke after it had begun. */
export class StreamFailure extends Error {
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.kind);
    this.name = 'StreamFailure';
    this.failure = failure;
  }
}
