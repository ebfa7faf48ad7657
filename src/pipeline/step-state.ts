import { levelStarts, tokensOn } from '../core/accounting/estimate.ts';
import { type CacheParts, settingsParts, withMessages } from '../core/context/cache-parts.ts';
import { cacheRulesOf } from '../core/context/cache-rules.ts';
import type { HandedContext } from '../core/context/handed-context.ts';
import { canonicalText, chainOf, type Digest, firstAnswer } from '../core/context/lane-chain.ts';
import { advanceLane, type FoundLane, type LaneQuestion, type LaneStep } from '../core/context/lanes.ts';
import type { AssistantBlock } from '../core/conversation.ts';
import { hasCacheMarks } from '../core/dialects/cache-marks.ts';
import { keyOf } from '../core/routing/candidate.ts';
import type { Needs } from '../core/routing/capability.ts';
import { NO_EXPERIENCE } from '../core/routing/experience.ts';
import { type LaneView, unknownLane } from '../core/routing/lane-view.ts';
import type { Tier } from '../core/routing/tier.ts';
import type { Served } from './ledger.ts';
import type { Ports } from './ports.ts';
import type { StepRecord } from './record.ts';
import type { StepSettings, Timeouts } from './settings.ts';
import type { StepRequest } from './step-request.ts';

/** What a session knows of a step before it is planned, and what it is told once the step has ended. */
export interface StepState {
  /** The session's object; null: none is touched. */
  object: string | null;
  found: FoundLane | null;
  question: LaneQuestion | null;
  digest: Digest | null;
  parts: CacheParts;
}

/** A step nothing is kept of. */
export const STATELESS: StepState = { object: null, found: null, question: null, digest: null, parts: {} };

/**
 * The session a step belongs to (contract.md): the one its client named, else the one that its conversation tells by
 * all up to its first answer. None for a first step without a name (T62), a harness's own call (T9), and where nothing
 * may be kept of it.
 */
export function identify(request: StepRequest, needs: Needs, isHousekeeping: boolean): StepState {
  const { digest, session, customer, conversation, startedAt } = request;
  if (digest === null || isHousekeeping) return STATELESS;
  const answered = session.hash === null ? firstAnswer(conversation.messages) : undefined;
  if (session.hash === null && answered === undefined) return STATELESS;
  const chain = chainOf(conversation.messages, digest);
  const own = session.hash === null ? `chain:${chain[answered ?? 0]}` : `session:${session.hash}`;
  return {
    object: `${customer}:${own}`,
    found: null,
    question: { chain, at: startedAt },
    digest,
    parts: withMessages(settingsParts(conversation, digest), needs.input),
  };
}

/**
 * Tells the session that a step is sent and what it may cost, and asks it for the step's lane: one wait. Fails open: a
 * session that is slow or gone costs what the caches hold, and the step goes on as one that has none.
 */
export async function beginState(
  state: StepState,
  record: StepRecord,
  { sessions }: Pick<Ports, 'sessions'>,
  { session: patience, abandoned }: Timeouts,
): Promise<StepState> {
  const { object, question } = state;
  if (!sessions || object === null || !question) return STATELESS;
  const dueAt = question.at + abandoned;
  const found = await soon(
    sessions.begin(object, { requestId: record.request_id, record, dueAt }, question),
    patience,
  );
  if (found) return { ...state, found };
  sessions.missed();
  return STATELESS;
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

/** What the planner knows of the lane. */
export function laneView(
  { found, parts }: StepState,
  { conversation }: StepRequest,
  { experience }: StepSettings,
): LaneView {
  const unknown = unknownLane(conversation.messages);
  const customers = experience ?? NO_EXPERIENCE;
  if (!found) return { ...unknown, customers };
  const { steps, prefixes, served, experience: own } = found.lane;
  const number = steps > 0 ? steps + 1 : unknown.number;
  // Each of the lane's earlier ends has a marker, unless the client sets its own.
  const trailing = !hasCacheMarks(conversation);
  return { number, prefixes, parts, served, experience: own, customers, trailing };
}

/** How a step ended, for its lane. */
export interface StateEnd {
  /** The answer's blocks; null where there was none. */
  answer: readonly AssistantBlock[] | null;
  isTruncated: boolean;
  isRefused: boolean;
  served: Served | null;
  floor: Tier;
  input: Needs['input'];
  /** What the model was handed in place of the whole; null: the whole. */
  handed: HandedContext | null;
  costUsd: number | null;
}

/** Tells the session how a step ended. After the answer: nothing waits for it, and it never fails the request. */
export function settleState(
  state: StepState,
  request: StepRequest,
  end: StateEnd,
  { sessions }: Ports,
): void {
  const { object, found } = state;
  if (!sessions || object === null || !found) return;
  const next = advanceLane(found.lane, laneStep(state, request, end));
  sessions.settle(object, {
    requestId: request.requestId,
    costUsd: end.costUsd,
    lane: { next, base: found.base },
  });
}

function laneStep(
  { question, digest, parts }: StepState,
  { conversation }: StepRequest,
  { answer, isTruncated, isRefused, served, floor, input, handed }: StateEnd,
): LaneStep {
  if (!question || !digest) throw new RangeError('a step of a lane has a chain');
  const sent = question.chain.at(-1) ?? '';
  const { model } = served?.candidate ?? {};
  const at = question.at / 1_000;
  const marked = hasCacheMarks(conversation);
  const none = { system: 0, messages: 0, turn: 0 };
  // The lane is that of the whole conversation, and the cache that of what was sent of it.
  const sentInput = handed?.input ?? input;
  return {
    question,
    answered:
      answer === null
        ? null
        : digest(`${sent}\n${canonicalText({ role: 'assistant', content: [...answer] })}`),
    last: answer === null ? null : { truncated: isTruncated, refused: isRefused },
    served: served ? { provider: served.candidate.provider, name: served.candidate.name } : null,
    floor,
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
              tokens: tokensOn(model, sentInput).total,
              blocks: sentInput.blocks,
              at,
              parts: handed?.parts ?? parts,
              // Our markers stand after the head; where the client's stand is not known.
              before: marked ? none : { ...levelStarts(model, sentInput), system: 0 },
            },
          }
        : null,
  };
}
