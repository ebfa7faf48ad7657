import { leadingSystem } from '../core/accounting/estimate.ts';
import { type CacheParts, settingsParts, withMessages } from '../core/context/cache-parts.ts';
import { chainOf, type Digest, firstAnswer } from '../core/context/lane-chain.ts';
import type { FoundLane, LaneQuestion } from '../core/context/lanes.ts';
import { withProducers } from '../core/context/thinkers.ts';
import type { Thoughts } from '../core/context/thoughts.ts';
import type { Conversation } from '../core/conversation.ts';
import { markEnds } from '../core/dialects/cache-marks.ts';
import type { Needs } from '../core/routing/capability.ts';
import { NO_EXPERIENCE } from '../core/routing/experience.ts';
import { type LaneView, unknownLane } from '../core/routing/lane-view.ts';
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
export function unnamed(customer: string, chain: string): string {
  return `${customer}:chain:${chain}`;
}

/** What of a request, beside its words, decides whether a cache still holds it. */
export function partsOf({ conversation }: StepRequest, digest: Digest, input: Needs['input']): CacheParts {
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
export function numberOf({ lane: { steps } }: FoundLane, { messages }: Conversation): number {
  return steps > 0 ? steps + 1 : unknownLane(messages).number;
}
