import { leadingSystem, levelStarts, tokensOn } from '../core/accounting/estimate.ts';
import { cacheWrites } from '../core/accounting/usage.ts';
import { type CacheParts, settingsParts, withMessages } from '../core/context/cache-parts.ts';
import { cacheRulesOf } from '../core/context/cache-rules.ts';
import type { HandedContext } from '../core/context/handed-context.ts';
import { answerText, chainOf, type Digest, firstAnswer } from '../core/context/lane-chain.ts';
import {
  advanceLane,
  type FoundLane,
  type LaneQuestion,
  type LaneStep,
  openLane,
} from '../core/context/lanes.ts';
import { MARKED, type SentPrompt } from '../core/context/prefix-state.ts';
import { knownAnswer, type RunningAnswer } from '../core/context/running-answer.ts';
import { withProducers } from '../core/context/thinkers.ts';
import type { Thoughts } from '../core/context/thoughts.ts';
import type { AssistantBlock, Conversation } from '../core/conversation.ts';
import { hasCacheMarks, markEnds } from '../core/dialects/cache-marks.ts';
import { keyOf } from '../core/routing/candidate.ts';
import type { Needs } from '../core/routing/capability.ts';
import { NO_EXPERIENCE } from '../core/routing/experience.ts';
import { type LaneView, unknownLane } from '../core/routing/lane-view.ts';
import type { Tier } from '../core/routing/tier.ts';
import type { Served } from './ledger.ts';
import type { Ports } from './ports.ts';
import { abandonedRecord, type BegunRecord } from './record.ts';
import type { StepSettings, Timeouts } from './settings.ts';
import type { StepRequest } from './step-request.ts';

/** What a session knows of a step before it is planned, and what it is told once the step has ended. */
export interface StepState {
  /** The session's object; null: none is touched. */
  object: string | null;
  found: FoundLane | null;
  /** An object that may know of the step and did not answer in time: it is told only how the step ended. */
  told: string | null;
  question: LaneQuestion | null;
  /** Null: nothing is kept of the step, nor remembered. */
  digest: Digest | null;
  parts: CacheParts;
  /** What models thought in it that the client can't send; null: none is kept of this step. */
  thoughts: Thoughts | null;
}

/** A step nothing is kept of. */
export const STATELESS: StepState = {
  object: null,
  found: null,
  told: null,
  question: null,
  digest: null,
  parts: {},
  thoughts: null,
};

/**
 * The session a step belongs to (contract.md): the one its client named, else the one that its conversation tells by
 * all up to its first answer. None for a first step without a name (T62), a harness's own call (T9), and where nothing
 * may be kept of it.
 */
export function identify(request: StepRequest, needs: Needs, isHousekeeping: boolean): StepState {
  const { digest, session, customer, conversation, startedAt } = request;
  if (digest === null || isHousekeeping) return STATELESS;
  const answered = session.hash === null ? firstAnswer(conversation.messages) : undefined;
  if (session.hash === null && answered === undefined) return { ...STATELESS, digest };
  const chain = chainOf(conversation.messages, digest);
  const object =
    session.hash === null
      ? unnamed(customer, chain[answered ?? 0] ?? '')
      : namedObject(customer, session.hash);
  return {
    object,
    found: null,
    told: null,
    question: { chain, at: startedAt },
    digest,
    parts: partsOf(request, digest, needs.input),
    thoughts: null,
  };
}

/** The object of a session that its client has named. */
export function namedObject(customer: string, hash: string): string {
  return `${customer}:session:${hash}`;
}

/** The object of a conversation whose client names no session. @param chain up to its first answer */
function unnamed(customer: string, chain: string): string {
  return `${customer}:chain:${chain}`;
}

function partsOf({ conversation }: StepRequest, digest: Digest, input: Needs['input']): CacheParts {
  return withMessages(settingsParts(conversation, digest), input);
}

/**
 * Tells the session that a step is sent and what it may cost, and asks it for the step's lane: one wait. Fails open: a
 * session that is slow or gone costs what the caches hold, and the step goes on as one that has none.
 */
export async function beginState(
  state: StepState,
  begun: () => BegunRecord,
  { sessions }: Pick<Ports, 'sessions'>,
  { session: patience, abandoned }: Timeouts,
): Promise<StepState> {
  const { object, question } = state;
  if (!sessions) return STATELESS;
  if (object === null || !question) return state;
  const record = abandonedRecord(begun());
  const dueAt = question.at + abandoned;
  const found = await soon(
    sessions.begin(object, { requestId: record.request_id, record, dueAt }, question),
    patience,
  );
  if (found) return { ...state, found };
  sessions.missed();
  // It may have been slow and not dead: then it has the step, and is told how that ended.
  return { ...STATELESS, told: object };
}

/** The lane a step would go on with, where its session answers in time. Nothing is kept. */
export async function peekState(
  state: StepState,
  sessions: Ports['sessions'],
  patience: number,
): Promise<StepState> {
  const { object, question } = state;
  if (!sessions || object === null || !question) return state;
  return { ...state, found: await soon(sessions.peek(object, question), patience) };
}

/** Null where it takes too long or fails. */
export async function soon<T>(work: Promise<T>, patience: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), patience);
  });
  try {
    return await Promise.race([work.catch(() => null), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** The step with who thought what its client sends back, as far as its lane knows. */
export function withThinkers(request: StepRequest, { found, question }: StepState): StepRequest {
  const { conversation } = request;
  const { messages } = conversation;
  const thinkers = found?.lane.thinkers;
  if (!thinkers || !question) return request;
  const lead = leadingSystem(messages);
  const told = withProducers(messages, { lead, chain: question.chain, thinkers });
  return told === null ? request : { ...request, conversation: { ...conversation, messages: told } };
}

/** What the planner knows of the lane. */
export function laneView(
  { found, parts }: StepState,
  { conversation }: StepRequest,
  { experience }: StepSettings,
): LaneView {
  const unknown = unknownLane(conversation.messages);
  const customers = experience ?? NO_EXPERIENCE;
  if (!found) return { ...unknown, customers };
  const { prefixes, served, experience: own } = found.lane;
  const number = numberOf(found, conversation);
  // Each of the lane's earlier ends has a marker, unless the client sets its own.
  const marks = markEnds(conversation).map(({ end }) => end);
  const marked = marks.length > 0 ? { trailing: false, marks } : { trailing: true };
  return { number, prefixes, parts, served, experience: own, customers, ...marked };
}

/** Which step of its lane it is, from 1: what the lane has counted, else what the conversation tells. */
function numberOf({ lane: { steps } }: FoundLane, { messages }: Conversation): number {
  return steps > 0 ? steps + 1 : unknownLane(messages).number;
}

/** Where a request's cache was written: ours end with the prompt, and none but the head lives longer (OpenAI's). */
function written(
  conversation: Conversation,
  blocks: number,
): Pick<SentPrompt, 'blocks' | 'trailing' | 'marks' | 'longEnd'> {
  const ends = markEnds(conversation);
  const last = ends.at(-1);
  if (!last) return { blocks, trailing: true, longEnd: MARKED };
  const long = ends.findLast((mark) => mark.long);
  const marks = ends.map(({ end }) => end);
  return { blocks: last.end, trailing: false, marks, ...(long ? { longEnd: long.end } : {}) };
}

/** How a step ended, for its lane. */
export interface StateEnd {
  /** The answer's blocks, or what its stream has left of it; null where there was none. */
  answer: readonly AssistantBlock[] | RunningAnswer | null;
  isTruncated: boolean;
  isRefused: boolean;
  served: Served | null;
  floor: Tier;
  input: Needs['input'];
  /** What the model was handed in place of the whole; null: the whole. */
  handed: HandedContext | null;
  /** Tokens of thinking in it that were put back. */
  thinking: number;
  /** The answer was thought for. */
  isThought: boolean;
  costUsd: number | null;
}

/**
 * Tells the session how a step ended. After the answer: nothing waits for it, and it never fails the request.
 * @returns the hash of its lane up to the answer; null where it had none, or is of no lane
 */
export function settleState(
  state: StepState,
  request: StepRequest,
  end: StateEnd,
  { timeouts }: Pick<StepSettings, 'timeouts'>,
  { sessions }: Pick<Ports, 'sessions'>,
): string | null {
  const { object, found } = state;
  if (!sessions) return null;
  if (state.told !== null) {
    sessions.settle(state.told, { requestId: request.requestId, costUsd: end.costUsd, lane: null });
  }
  if (object === null) rememberFirst(state, request, end, sessions);
  if (object === null || !found) return null;
  const { requestId, customer, startedAt } = request;
  const step = laneStep(state, request, end);
  const next = advanceLane(found.lane, step);
  const endsAt = startedAt + timeouts.laneEnd;
  const lane = { next, base: found.base, customer, before: found.lane.experience, endsAt };
  sessions.settle(object, { requestId, costUsd: end.costUsd, lane });
  return step.answered;
}

/**
 * What a first step without a session leaves, should its conversation go on: only where some of it is in a cache, for
 * hashing costs a small request more than it would ever save.
 */
function rememberFirst(
  { digest }: StepState,
  request: StepRequest,
  end: StateEnd,
  sessions: NonNullable<Ports['sessions']>,
): void {
  const { usage } = end.served ?? {};
  if (digest === null || end.answer === null || !usage || usage.read + cacheWrites(usage) === 0) return;
  const { requestId, customer, conversation, startedAt } = request;
  const question = { chain: chainOf(conversation.messages, digest), at: startedAt };
  const found = { lane: openLane(requestId, startedAt), base: null };
  const parts = partsOf(request, digest, end.input);
  const step = laneStep({ ...STATELESS, found, question, digest, parts }, request, end);
  sessions.opened(unnamed(customer, step.answered ?? ''), advanceLane(found.lane, step));
}

function laneStep(
  { question, digest, parts, found }: StepState,
  { conversation }: StepRequest,
  { answer, isTruncated, isRefused, served, floor, input, handed, thinking, isThought }: StateEnd,
): LaneStep {
  if (!question || !digest || !found) throw new RangeError('a step of a lane has a chain');
  const sent = question.chain.at(-1) ?? '';
  const { model } = served?.candidate ?? {};
  const at = question.at / 1_000;
  const marked = hasCacheMarks(conversation);
  const none = { system: 0, messages: 0, turn: 0 };
  // The lane is that of the whole conversation, and the cache that of what was sent of it.
  const sentInput = handed?.input ?? input;
  return {
    question,
    answered: answer === null ? null : digest(`${sent}\n${answerText(knownAnswer(answer, digest))}`),
    last: answer === null ? null : { truncated: isTruncated, refused: isRefused },
    served: served ? { provider: served.candidate.provider, name: served.candidate.name } : null,
    isThought,
    floor,
    number: numberOf(found, conversation),
    tokens: input.total.text,
    output: served?.usage.output ?? 0,
    blocks: input.blocks,
    at,
    cache:
      served && model
        ? {
            key: keyOf(served.candidate),
            rules: cacheRulesOf(model),
            usage: served.estimated ? null : served.usage,
            prompt: {
              tokens: tokensOn(model, sentInput).total + thinking,
              ...written(conversation, sentInput.blocks),
              at,
              parts: handed?.parts ?? parts,
              // Our markers stand after the head; where the client's stand is not known.
              before: marked ? none : { ...levelStarts(model, sentInput), system: 0 },
            },
          }
        : null,
  };
}
