import { chainOf, type Digest, firstAnswer } from '../core/context/lane-chain.ts';
import type { LaneQuestion } from '../core/context/lanes.ts';
import type { StepRequest } from './step.ts';

/** Whose state a step belongs to, and what its lane is searched by. */
export interface Identity {
  /** The name of its session's object: an HMAC, like all in it. */
  object: string;
  question: LaneQuestion;
  digest: Digest;
}

/**
 * The session a step belongs to (contract.md): the one its client named, else the one that its conversation tells by
 * all up to its first answer. Null for a first step without a name (T62), a harness's own call (T9), and where nothing
 * may be kept of it.
 */
export function identify(request: StepRequest, isHousekeeping: boolean): Identity | null {
  const { digest, session, customer, conversation, startedAt } = request;
  if (digest === null || isHousekeeping) return null;
  const answered = session.hash === null ? firstAnswer(conversation.messages) : undefined;
  if (session.hash === null && answered === undefined) return null;
  const chain = chainOf(conversation.messages, digest);
  const own = session.hash === null ? `chain:${chain[answered ?? 0]}` : `session:${session.hash}`;
  return { object: `${customer}:${own}`, question: { chain, at: startedAt }, digest };
}
