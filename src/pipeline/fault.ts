import { findFault, findFaultAtGate } from '../core/answer-check.ts';
import type { Message } from '../core/conversation.ts';
import type { FailureKind } from '../core/routing/escalation.ts';
import type { Candidate } from '../core/routing/plan.ts';
import type { CallOutcome, Failure } from './ports.ts';
import type { PreparedCall } from './prepared-call.ts';
import type { StepRequest } from './step-request.ts';
import type { StepState } from './step-state.ts';

/** What was wrong with what came of a call. */
export interface Fault {
  kind: FailureKind;
  /** Absent where the model answered, but not with an answer. */
  failure?: Failure;
}

/**
 * Encrypted reasoning of another account, which nothing else tells from one's own (T18). Left out once, the step goes
 * through (openai/codex#8145).
 */
export function isForeignReasoning({ failure }: Fault): boolean {
  return failure?.code === 'invalid_encrypted_content';
}

/**
 * A request that was refused with thinking in it that no client can leave out: perhaps without it the step goes through.
 */
export function isUnwelcome(
  { failure }: Fault,
  { thinking, candidate, conversation }: Pick<PreparedCall, 'thinking' | 'candidate' | 'conversation'>,
  { found, told }: Pick<StepState, 'found' | 'told'>,
): boolean {
  if (failure?.status !== 400) return false;
  // Of a session that did not answer nobody knows what was thought behind a cut: that is bound to it (T16).
  const mayBeBound = found === null && told !== null && candidate.model.wire === 'anthropic-messages';
  return thinking > 0 || (mayBeBound && conversation.messages.some(isThoughtful));
}

function isThoughtful({ content }: Message): boolean {
  return content.some(({ type }) => type === 'thinking');
}

/** What is wrong with what came of a call; null: it is an answer. */
export function faultOf(
  outcome: CallOutcome,
  { conversation, wire, ownFields, spareFields = [] }: StepRequest,
  { model }: Candidate,
): Fault | null {
  if (outcome.kind === 'failed') return { kind: outcome.failure.kind, failure: outcome.failure };
  // Answers to what only one wire knows (audio, hosted tools) are not ours to judge.
  if (ownFields.length > 0 || (spareFields.length > 0 && model.wire === wire)) return null;
  const kind =
    outcome.kind === 'answer'
      ? findFault(outcome.answer, conversation)
      : findFaultAtGate(outcome.stream.head);
  return kind ? { kind } : null;
}
