import { levelStarts, tokensOn } from '../core/accounting/estimate.ts';
import { cacheWrites } from '../core/accounting/usage.ts';
import { cacheRulesOf } from '../core/context/cache-rules.ts';
import type { HandedContext } from '../core/context/handed-context.ts';
import { answerText, chainOf } from '../core/context/lane-chain.ts';
import { advanceLane, type LaneStep, openLane } from '../core/context/lanes.ts';
import { MARKED, type SentPrompt } from '../core/context/prefix-state.ts';
import { knownAnswer, type RunningAnswer } from '../core/context/running-answer.ts';
import type { AssistantBlock, Conversation } from '../core/conversation.ts';
import { hasCacheMarks, markEnds } from '../core/dialects/cache-marks.ts';
import { keyOf } from '../core/routing/candidate.ts';
import type { Needs } from '../core/routing/capability.ts';
import type { Tier } from '../core/routing/tier.ts';
import type { Served } from './ledger.ts';
import type { Ports } from './ports.ts';
import type { StepSettings } from './settings.ts';
import type { StepRequest } from './step-request.ts';
import { numberOf, partsOf, STATELESS, type StepState, unnamed } from './step-state.ts';

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
