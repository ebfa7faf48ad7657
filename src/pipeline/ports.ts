import type { CostBound } from '../core/accounting/reservation.ts';
import type { Answer, AnswerEvent } from '../core/answer.ts';
import type { FoundLane, Lane, LaneQuestion } from '../core/context/lanes.ts';
import type { Thoughts } from '../core/context/thoughts.ts';
import type { AnswerFrame } from '../core/dialects/client-dialect.ts';
import type { Frame } from '../core/dialects/upstream.ts';
import type { CatalogModel } from '../core/routing/catalog.ts';
import type { FailureKind } from '../core/routing/escalation.ts';
import type { Experience } from '../core/routing/experience.ts';
import type { BegunRecord, StepRecord } from './record.ts';
import type { ProviderSettings, Timeouts } from './settings.ts';

/** The JSON of a request: a text, or a long one as UTF-8. */
export type WireBody = string | Uint8Array<ArrayBuffer>;

/** One request to one model. */
export interface ProviderCall {
  provider: ProviderSettings;
  model: CatalogModel;
  /** In the model's wire format. Bytes are let go of once the call is over: it is made once. */
  body: WireBody;
  /** Headers of the client that go with it; only to an upstream of the client's own wire. */
  headers?: Readonly<Record<string, string>>;
  stream: boolean;
  /** Its stream is relayed: the first words of its thinking are the first that the client sees. */
  showsThinking: boolean;
  timeouts: Timeouts;
  /** Aborts when the client leaves: nothing more is sent for it. */
  signal: AbortSignal | null;
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
  /** The provider's error as it came, for a client of its own wire. */
  body?: Record<string, unknown>;
  ms: number;
}

/** Frames in batches as they arrive; leaving a loop over them lets go of where they come from. */
export type FrameFlow = AsyncIterableIterator<AnswerFrame[], void>;

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

/** One request that is sent on as it came. */
export interface PassthroughCall {
  provider: ProviderSettings;
  /** Below the provider's base URL: `/embeddings`. */
  path: string;
  body: string | Uint8Array;
  contentType: string;
  timeouts: Timeouts;
  signal: AbortSignal | null;
}

/** An answer's parts as they come. No generator: a long one is thousands of parts, and each would be several promises. */
export interface PartSource<Part> {
  /**
   * The part that came next, which may be gone once the one after it is asked for; null after the last.
   * @throws StreamFailure
   */
  next(): Promise<Part | null>;
}

/** An answer that has begun: its bytes, or its events where it is a stream of them. */
export type PassthroughAnswer = {
  contentType: string | null;
  /** Lets go of the upstream at once. */
  abort(): void;
} & ({ kind: 'bytes'; chunks: PartSource<Uint8Array> } | { kind: 'events'; frames: PartSource<Frame[]> });

export type PassthroughOutcome = { failures: Failure[]; simulated: boolean; ms: number } & (
  | PassthroughAnswer
  | { kind: 'failed'; failure: Failure }
);

/** A step on its way, as its session keeps it. */
export interface BegunStep {
  requestId: string;
  /** Its row if nothing more is heard of it: `abandoned`, at its estimated cost. */
  record: StepRecord;
  /** When it counts as abandoned, in milliseconds since the epoch. */
  dueAt: number;
}

/** How a step ended, as its session keeps it. */
export interface EndedStep {
  requestId: string;
  costUsd: number | null;
  /** Its lane; null: it was of none. */
  lane: EndedLaneStep | null;
}

/** A lane after a step. */
export interface EndedLaneStep {
  next: Lane;
  /** What the lane had to be still for the step to keep it. */
  base: FoundLane['base'];
  customer: string;
  /** What it had shown before the step: another lane's, where the step forks off. */
  before: Experience;
  /** When it counts as ended unless it goes on, in milliseconds since the epoch. */
  endsAt: number;
}

/** Sessions, by the names of their objects: HMACs. */
export interface Sessions {
  /** Keeps, durably, that a step was sent, and finds its lane. May throw or take long: who asks has a limit. */
  begin(object: string, step: BegunStep, question: LaneQuestion): Promise<FoundLane>;
  /** The lane a step would go on with: nothing is kept. */
  peek(object: string, question: LaneQuestion): Promise<FoundLane>;
  /** A step that touched no object was answered: the lane it may have opened, by the name its object then has. */
  opened(object: string, lane: Lane): void;
  /** After the answer: never throws, and nobody waits for it. */
  settle(object: string, step: EndedStep): void;
  /** A session did not answer in time: counted. */
  missed(): void;
}

/** A summary's name: a hash of what it is of. */
export interface SummaryPlace {
  customer: string;
  id: string;
}

/** Summaries of what cuts leave out: sealed content. */
export interface Summaries {
  /** `text` is null where there is none. May throw or take long: who asks has a limit. */
  read(place: SummaryPlace): Promise<{ text: string | null }>;
  /** Never throws, and nobody waits for it. */
  keep(place: SummaryPlace, text: string): void;
}

/** Whose thoughts: a customer's, in one session. */
export interface ThoughtOwner {
  customer: string;
  /** The name of the session's object: an HMAC. */
  session: string;
}

/** What models thought, for clients whose wire can't carry it: sealed content, by hashes of a lane up to each answer. */
export interface KeptThoughts {
  /**
   * Those there are of these, the newest of them where all would be too large. May throw or take long: who asks has a
   * limit, and aborts `given` once it is over, after which nothing more is opened.
   * @param answers oldest first
   */
  read(owner: ThoughtOwner, answers: readonly string[], given: AbortSignal): Promise<Thoughts>;
  /** After the answer: never throws, and nobody waits for it. */
  keep(owner: ThoughtOwner, thoughts: Thoughts): void;
  /** They were not there in time: counted. */
  missed(): void;
}

/** What a step asks its budgets for, before anything is sent. */
export interface BudgetRequest {
  requestId: string;
  /** Start of the request, milliseconds since the epoch: whose UTC day and month it counts in (T52). */
  at: number;
  /** What it can cost at most, and what it probably does. */
  bound: CostBound;
  /** The same where it goes no higher than the easy tier; null where it can't. */
  easy: CostBound | null;
}

export interface Admission {
  reservedUsd: number;
  /** There was no room, and the customer has it that such a step goes to the easy tier. */
  isCapped: boolean;
}

/** The dollar budgets that a request counts against. */
export interface Budget {
  /** How many they are. */
  count: number;
  /** @throws FluxError 429 where there is no room; 503 where nobody can tell (fails closed, T46) */
  reserve(request: BudgetRequest): Promise<Admission>;
  /**
   * What it did cost, all attempts: only the first call counts, and one without a reservation does nothing. Goes on in
   * the background and never throws.
   * @param usd null: unknown, and then what it probably did
   */
  settle(requestId: string, usd: number | null): void;
}

/** What the pipeline needs from outside. Nothing here may throw except where it says so. */
export interface Ports {
  /** Calls a model: time-outs, retries, the first-frame gate. Never throws. */
  callProvider(call: ProviderCall): Promise<CallOutcome>;
  /** Null: no session is kept (the SDK, a Worker without the binding). */
  sessions: Sessions | null;
  /** Absent: none can be kept, so none is made. */
  summaries?: Summaries;
  /** Null: none are kept (the SDK, a deployment without FLUX_SECRET). */
  thoughts: KeptThoughts | null;
  /**
   * Keeps that a step was sent which touches no session: its row, if nothing more is heard of it. Never throws, never
   * waits, and asks for what is kept only where the step does not end at once.
   */
  beginLater(requestId: string, begun: () => BegunRecord): void;
  /** Takes the row of a finished step, after the answer. Never throws and is never awaited by the answer. */
  logStep(record: StepRecord): void;
  /** Null: no budget applies to the request. Settled by whoever takes the row. */
  budget: Budget | null;
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
