import type { Message, ThinkingBlock } from '../conversation.ts';
import type { Candidate } from './candidate.ts';
import type { Wire } from './catalog.ts';

/** What a turn carries that belongs to the model, the account or the wire that made it. */
export interface Carried {
  kind: 'thinking' | 'encrypted_reasoning' | 'open_loop' | 'stored_object';
  wire: Wire;
  /** Who made it, where that is known: the provider's id in the settings and the model's configured name. */
  producer?: { provider: string; name: string };
}

/** What becomes of it: it goes along, it is left out (and reported), or nobody there could go on without it. */
export type Fate = 'kept' | 'stripped' | 'lost';

/** How far a switch goes: the same model, another of the account, another account of the wire, another wire. */
type Distance = 'model' | 'account' | 'wire' | 'elsewhere';

/** The table (from, to, what the turn carries), T15–T18 (providers.md, sections 3 to 5). */
const FATES: Readonly<Record<Carried['kind'], Readonly<Record<Distance, Fate>>>> = {
  // Signed by its model; another one may be sent the turn without it.
  thinking: { model: 'kept', account: 'stripped', wire: 'stripped', elsewhere: 'stripped' },
  // Sealed for the organisation: its other models read it, another one's answer 400 (T18).
  encrypted_reasoning: { model: 'kept', account: 'kept', wire: 'stripped', elsewhere: 'stripped' },
  // Calls whose results have just come. The ids are mapped from themselves (T19), so the loop goes on anywhere.
  open_loop: { model: 'kept', account: 'kept', wire: 'kept', elsewhere: 'kept' },
  // It exists at its own provider only, under the reference of its own wire.
  stored_object: { model: 'kept', account: 'kept', wire: 'lost', elsewhere: 'lost' },
};

/** Where a turn may go. */
export type Destination = Pick<Candidate, 'provider' | 'name'> & { model: Pick<Candidate['model'], 'wire'> };

/** What happens to something a turn carries when the turn goes to this model. */
export function fateOf(carried: Carried, to: Destination): Fate {
  return FATES[carried.kind][distance(carried, to)];
}

/** Whether a turn can go to this model without losing what no other can make again. */
export function isPortable(carries: readonly Carried[], to: Destination): boolean {
  return carries.every((carried) => fateOf(carried, to) !== 'lost');
}

/**
 * Of a thing whose producer is unknown only the wire is: the client had it from a step of that wire. Its provider
 * then leaves out what the model can't read (Anthropic), or says so in a 400 that can be mended (OpenAI).
 */
function distance({ wire, producer }: Carried, to: Destination): Distance {
  if (wire !== to.model.wire) return 'elsewhere';
  if (producer === undefined) return 'model';
  if (producer.provider !== to.provider) return 'wire';
  return producer.name === to.name ? 'model' : 'account';
}

/** A thinking block as something a turn carries. */
export function carriedThinking({ wire, producer }: ThinkingBlock): Carried {
  const kind = wire === 'openai-responses' ? 'encrypted_reasoning' : 'thinking';
  return { kind, wire, ...(producer === undefined ? {} : { producer }) };
}

/** All that the messages of a step carry, each thing once. */
export function carriedBy(messages: readonly Message[], wire: Wire): Carried[] {
  const carried = new Map<string, Carried>();
  for (const message of messages) {
    if (message.role !== 'assistant') continue;
    for (const block of message.content) {
      if (block.type !== 'thinking') continue;
      const one = carriedThinking(block);
      carried.set(`${one.kind} ${one.wire} ${one.producer?.provider}/${one.producer?.name}`, one);
    }
  }
  const open: Carried[] = messages.at(-1)?.role === 'tool' ? [{ kind: 'open_loop', wire }] : [];
  return [...carried.values(), ...open];
}
