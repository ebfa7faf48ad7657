import type { Candidate } from './candidate.ts';

/** What a turn carries that belongs to the model or the account that made it. */
export interface Carried {
  kind: 'thinking' | 'encrypted_reasoning' | 'stored_object';
  provider: string;
  /** The model's configured name. */
  name: string;
}

type Fate = 'kept' | 'stripped' | 'lost';

/**
 * What becomes of it on another model of the same account, and on another account (T15–T18; providers.md, section 3:
 * another model's thinking may be left out; encrypted reasoning is bound to the organisation and can be dropped;
 * a stored object exists at its own provider only).
 */
const FATE: Readonly<Record<Carried['kind'], { account: Fate; elsewhere: Fate }>> = {
  thinking: { account: 'stripped', elsewhere: 'stripped' },
  encrypted_reasoning: { account: 'kept', elsewhere: 'stripped' },
  stored_object: { account: 'kept', elsewhere: 'lost' },
};

/** What happens to something a turn carries when the turn goes to this model. */
export function fateOf(carried: Carried, to: Pick<Candidate, 'provider' | 'name'>): Fate {
  if (carried.provider !== to.provider) return FATE[carried.kind].elsewhere;
  return carried.name === to.name ? 'kept' : FATE[carried.kind].account;
}

/** Whether a turn can go to this model without losing what no other can make again. */
export function isPortable(carries: readonly Carried[], to: Pick<Candidate, 'provider' | 'name'>): boolean {
  return carries.every((carried) => fateOf(carried, to) !== 'lost');
}
