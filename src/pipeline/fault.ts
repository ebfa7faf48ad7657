import { findFault, findFaultAtGate } from '../core/answer-check.ts';
import type { FailureKind } from '../core/routing/escalation.ts';
import type { Candidate } from '../core/routing/plan.ts';
import type { CallOutcome, Failure } from './ports.ts';
import type { PreparedCall } from './prepared-call.ts';
import type { StepRequest } from './step-request.ts';

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
export function isUnwelcome({ failure }: Fault, { thinking }: Pick<PreparedCall, 'thinking'>): boolean {
  return failure?.status === 400 && thinking > 0;
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
