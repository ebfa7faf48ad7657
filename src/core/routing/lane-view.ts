import type { CacheParts } from '../context/cache-parts.ts';
import { COLD as NOTHING_WARM, type PrefixState } from '../context/prefix-state.ts';
import type { Message } from '../conversation.ts';
import type { Candidate } from './candidate.ts';
import { type Experience, NO_EXPERIENCE } from './experience.ts';

/** What is known of the lane a step continues, before the step is planned. */
export interface LaneView {
  /** Which step of it this is, from 1. */
  number: number;
  /** What the models' caches hold of it. */
  prefixes: PrefixState;
  /** What of the step's request may lose them. */
  parts: CacheParts;
  /** The model that answered last; null: not known. */
  served: Pick<Candidate, 'provider' | 'name'> | null;
  /** Of the lane itself, and of all the customer's lanes that ended. */
  experience: Experience;
  customers: Experience;
  /** The last prefix of each model gets a marker of its own in the request. */
  trailing: boolean;
  /** Tokens of what each model is given back of its thinking, by `provider/model`: the request's own size has none of them. */
  thinking?: Readonly<Record<string, number>>;
  /** Blocks up to each marker that the client has set itself; absent: it has set none. */
  marks?: readonly number[];
}

/**
 * A lane nothing is known of but its conversation: every cache is cold, and the shipped prior is all there is to
 * expect.
 */
export function unknownLane(messages: readonly Message[]): LaneView {
  return {
    number: 1 + messages.filter(({ role }) => role === 'assistant').length,
    prefixes: NOTHING_WARM,
    parts: {},
    served: null,
    experience: NO_EXPERIENCE,
    customers: NO_EXPERIENCE,
    trailing: false,
  };
}
