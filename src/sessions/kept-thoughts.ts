import * as z from 'zod';
import type { KeptThought, Thoughts } from '../core/context/thoughts.ts';
import type { KeptThoughts, ThoughtOwner } from '../pipeline/ports.ts';
import { type ContentStore, keepContent, type Place, readContent } from './kept-content.ts';

/**
 * A day after their last use at least, as a session's object: those that are used are kept anew once they are twelve
 * hours old (pipeline/thoughts.ts).
 */
const KEPT_SECONDS = 36 * 60 * 60;

const keptThought = z.object({
  producer: z.object({ provider: z.string(), name: z.string() }),
  wire: z.enum(['anthropic-messages', 'openai-responses']),
  raw: z.array(z.record(z.string(), z.unknown())),
  tokens: z.number(),
  bound: z.string(),
  keptAt: z.number(),
});

/** Thoughts on their way to Redis: the next step of a quick client may be there before them. One map an isolate. */
const unwritten = new Map<string, KeptThought>();
const MOST_UNWRITTEN = 200;

interface Surroundings {
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
    async read(owner, answers) {
      const waiting = answers.flatMap((hash) => {
        const thought = unwritten.get(placeOf(owner, hash).id);
        return thought ? [[hash, thought] as const] : [];
      });
      const found = new Map(waiting);
      const missing = answers.filter((hash) => !found.has(hash));
      const texts = await readContent(
        store,
        missing.map((hash) => placeOf(owner, hash)),
      );
      around.takeRoom(texts.reduce((sum, text) => sum + (text?.length ?? 0), 0));
      for (const [index, hash] of missing.entries()) {
        const text = texts[index];
        if (text != null) found.set(hash, keptThought.parse(JSON.parse(text)));
      }
      return found;
    },
    keep: (owner, thoughts) =>
      around.background(write(store, owner, thoughts).catch(() => around.missed('keep'))),
    missed: () => around.missed('read'),
  };
}

async function write(store: ContentStore, owner: ThoughtOwner, thoughts: Thoughts): Promise<void> {
  const contents = [...thoughts].map(([hash, thought]) => ({ place: placeOf(owner, hash), thought }));
  for (const { place, thought } of contents) {
    if (unwritten.size < MOST_UNWRITTEN) unwritten.set(place.id, thought);
  }
  try {
    await keepContent(
      store,
      contents.map(({ place, thought }) => ({ place, text: JSON.stringify(thought) })),
      KEPT_SECONDS,
    );
  } finally {
    for (const { place } of contents) unwritten.delete(place.id);
  }
}

/** The session's name has its customer in it. */
function placeOf({ customer, session }: ThoughtOwner, hash: string): Place {
  return { kind: 'thoughts', customer, id: `${session} ${hash}` };
}
