import * as z from 'zod';
import type { KeptThought, Thoughts } from '../core/context/thoughts.ts';
import type { KeptThoughts, ThoughtOwner } from '../pipeline/ports.ts';
import { type ContentStore, keepContent, type Place, readSealed } from './kept-content.ts';

/**
 * A day after their last use at least, as a session's object: those that are used are kept anew once they are twelve
 * hours old (pipeline/thoughts.ts). Never beyond the customer's retention.
 */
const KEPT_SECONDS = 36 * 60 * 60;

const keptThought = z
  .object({
    producer: z.object({ provider: z.string(), name: z.string() }),
    wire: z.enum(['anthropic-messages', 'openai-responses']),
    raw: z.array(z.record(z.string(), z.unknown())),
    tokens: z.number(),
    bound: z.string(),
    keptAt: z.number(),
    // An earlier version did not keep it.
    madeAt: z.number().optional(),
  })
  .transform(({ madeAt, ...thought }) => ({ ...thought, madeAt: madeAt ?? thought.keptAt }));

/** Characters of thoughts that one step is given: more than any request has room for (THINKING_SHARE). */
const MOST_READ = 2_000_000;
/** Answers that one command reads: few lanes have more, and of those that have the newest may be enough. */
const READ_TOGETHER = 64;

/**
 * Thoughts on their way to Redis: the next step of a quick client may be there before them. One map an isolate, of so
 * many characters at most (T63).
 */
const unwritten = new Map<string, { thought: KeptThought; characters: number }>();
const MOST_UNWRITTEN = 2_000_000;

interface Surroundings {
  /** Days of the customer's own retention: nothing is kept for longer after it was thought. */
  days: number | undefined;
  /** Is given what goes on after the answer. */
  background(work: Promise<unknown>): void;
  /** Counts thoughts that were not there when they were asked for, or could not be kept. */
  missed(what: 'read' | 'keep'): void;
  /** @throws where the isolate has no memory for so many characters */
  takeRoom(characters: number): void;
}

/** What models thought, in Redis: each answer's gzipped, and sealed for its customer, session and place in the lane. */
export function thoughtsIn(store: ContentStore, around: Surroundings): KeptThoughts {
  return {
    async read(owner, answers, given) {
      const waiting = answers.flatMap((hash) => {
        const one = unwritten.get(placeOf(owner, hash).id);
        return one ? [[hash, one.thought] as const] : [];
      });
      const found = new Map(waiting);
      const missing = answers.filter((hash) => !found.has(hash)).reverse();
      let room = MOST_READ;
      while (missing.length > 0 && room > 0) {
        const some = missing.splice(0, READ_TOGETHER);
        const places = some.map((hash) => placeOf(owner, hash));
        for (const [index, sealed] of (await readSealed(store, places)).entries()) {
          if (given.aborted || room <= 0) return found;
          if (!sealed) continue;
          // What is sealed and what comes out of it, which may be a thousand times as large.
          around.takeRoom(sealed.characters);
          const text = await sealed.open();
          if (text === null) continue;
          around.takeRoom(text.length);
          room -= Math.max(sealed.characters, text.length);
          found.set(some[index] ?? '', keptThought.parse(JSON.parse(text)));
        }
      }
      return found;
    },
    keep: (owner, thoughts) =>
      around.background(write(store, owner, thoughts, around.days).catch(() => around.missed('keep'))),
    missed: () => around.missed('read'),
  };
}

async function write(
  store: ContentStore,
  owner: ThoughtOwner,
  thoughts: Thoughts,
  days = Number.POSITIVE_INFINITY,
): Promise<void> {
  const contents = [...thoughts].flatMap(([hash, thought]) => {
    const left = days * 86_400 - Math.ceil((thought.keptAt - thought.madeAt) / 1_000);
    const seconds = Math.min(KEPT_SECONDS, left);
    const text = JSON.stringify(thought);
    return seconds > 0 ? [{ place: placeOf(owner, hash), thought, text, seconds }] : [];
  });
  let characters = 0;
  for (const one of unwritten.values()) characters += one.characters;
  for (const { place, thought, text } of contents) {
    if (characters + text.length > MOST_UNWRITTEN) break;
    characters += text.length;
    unwritten.set(place.id, { thought, characters: text.length });
  }
  try {
    await keepContent(store, contents);
  } finally {
    for (const { place } of contents) unwritten.delete(place.id);
  }
}

/** The session's name has its customer in it. */
function placeOf({ customer, session }: ThoughtOwner, hash: string): Place {
  return { kind: 'thoughts', customer, id: `${session} ${hash}` };
}
