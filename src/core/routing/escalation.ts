import type { Candidate } from './candidate.ts';
import { TIERS } from './tier.ts';

/** Why an attempt was not the answer. */
export type FailureKind =
  | 'rate_limited'
  | 'overloaded'
  | 'server_error'
  | 'timeout'
  | 'unreachable'
  /** The provider no longer has the model (T71). */
  | 'model_unavailable'
  /** Our key there: refused, or out of money. */
  | 'auth'
  | 'quota'
  /** The provider does not serve the place the Worker runs in (T61). */
  | 'egress_blocked'
  /** Nobody waits for the answer any more. */
  | 'client_left'
  /** The request itself: no other model would take it either. */
  | 'rejected'
  /** The model answered, and the answer is none. */
  | 'refusal'
  | 'empty_answer'
  | 'invalid_answer';

/** Worth another try on the same model after a pause. */
export const RETRYABLE: ReadonlySet<FailureKind> = new Set([
  'rate_limited',
  'overloaded',
  'server_error',
  'unreachable',
]);

/** The model's own failures: only a better model helps. */
const OF_THE_MODEL: ReadonlySet<FailureKind> = new Set(['refusal', 'empty_answer', 'invalid_answer']);

/**
 * Where a failed step goes next, before a byte has reached the client: up a tier for what the model did wrong,
 * to the next candidate for what its provider did wrong, to another provider where the key is at fault.
 * @returns the candidate's index in the plan, or undefined: the failure is the client's to know.
 */
export function nextCandidate(
  candidates: readonly Candidate[],
  failed: number,
  kind: FailureKind,
): number | undefined {
  const from = candidates[failed];
  if (!from || kind === 'rejected' || kind === 'client_left') return undefined;
  const fits = (candidate: Candidate): boolean => {
    if (kind === 'auth' || kind === 'quota' || kind === 'egress_blocked')
      return candidate.provider !== from.provider;
    if (OF_THE_MODEL.has(kind)) return rank(candidate) > rank(from);
    return true;
  };
  const next = candidates.findIndex((candidate, index) => index > failed && fits(candidate));
  return next === -1 ? undefined : next;
}

function rank(candidate: Candidate): number {
  return candidate.tier ? TIERS.indexOf(candidate.tier) : -1;
}
