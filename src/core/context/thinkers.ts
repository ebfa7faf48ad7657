import type { Message } from '../conversation.ts';
import { producedBy } from '../dialects/thinking.ts';
import { keyOf } from '../routing/candidate.ts';

/** Answers in a row that one model gave and thought for, by the hashes of a lane up to each (`lane-chain.ts`). */
export interface ThinkerRun {
  /** `provider/model`. */
  by: string;
  at: readonly string[];
}

/** Who thought for which answers, the oldest first. Plain data: a store can keep it as JSON. */
export type Thinkers = readonly ThinkerRun[];

/** Some 25 bytes each; of older answers nobody knows. */
const MOST_ANSWERS = 512;

/** With one more answer. */
export function withThinker(
  thinkers: Thinkers,
  model: { provider: string; name: string },
  hash: string,
): Thinkers {
  const by = keyOf(model);
  const others = thinkers.map((run) => ({ ...run, at: run.at.filter((one) => one !== hash) }));
  const last = others.at(-1);
  const grown =
    last?.by === by
      ? [...others.slice(0, -1), { by, at: [...last.at, hash] }]
      : [...others, { by, at: [hash] }];
  let surplus = grown.reduce((sum, { at }) => sum + at.length, 0) - MOST_ANSWERS;
  return grown.flatMap((run) => {
    const at = surplus > 0 ? run.at.slice(surplus) : run.at;
    surplus -= run.at.length - at.length;
    return at.length > 0 ? [{ ...run, at }] : [];
  });
}

/**
 * Those of several lanes whose answers a conversation has, whoever begins a lane with them: a hash tells all that came
 * before it.
 */
export function thinkersOf(lanes: readonly Thinkers[], chain: ReadonlyMap<string, number>): Thinkers {
  const known = new Map<string, { by: string; place: number }>();
  for (const { by, at } of lanes.flat()) {
    for (const hash of at) {
      const place = chain.get(hash);
      if (place !== undefined) known.set(hash, { by, place });
    }
  }
  const runs: { by: string; at: string[] }[] = [];
  for (const [hash, { by }] of [...known].sort(([, a], [, b]) => a.place - b.place)) {
    const last = runs.at(-1);
    if (last?.by === by) last.at.push(hash);
    else runs.push({ by, at: [hash] });
  }
  return runs;
}

/**
 * The messages with who thought what stands in them, as far as it is known (T16); the same list where it is not.
 *
 * @param lead messages of the system before the first that has a hash
 * @param chain a hash for each message after them
 */
export function withProducers(
  messages: readonly Message[],
  { lead, chain, thinkers }: { lead: number; chain: readonly string[]; thinkers: Thinkers },
): Message[] | null {
  if (thinkers.length === 0) return null;
  const makers = new Map(thinkers.flatMap(({ by, at }) => at.map((hash) => [hash, by] as const)));
  let changed = false;
  const told = messages.map((message, index) => {
    const by = makers.get(chain[index - lead] ?? '');
    if (message.role !== 'assistant' || by === undefined) return message;
    const content = message.content.map((block) => {
      if (block.type !== 'thinking' || block.producer !== undefined) return block;
      changed = true;
      return producedBy(block, modelOf(by));
    });
    return { ...message, content };
  });
  return changed ? told : null;
}

/** A provider's id has no slash; a model's name may. */
function modelOf(key: string): { provider: string; name: string } {
  const slash = key.indexOf('/');
  return { provider: key.slice(0, slash), name: key.slice(slash + 1) };
}
