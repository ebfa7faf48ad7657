import type { Summaries, SummaryPlace } from '../pipeline/ports.ts';
import { type ContentStore, keepContent, type Place, readContent } from './kept-content.ts';

/** A day, as a session's object: a cut that lives longer has moved. */
const KEPT_SECONDS = 86_400;

/**
 * Summaries in Redis, sealed for their customer.
 * @param background is given what goes on beside the answer
 */
export function summariesIn(
  store: ContentStore,
  background: (work: Promise<unknown>) => void,
  missed: () => void,
): Summaries {
  return {
    read: async (place) => {
      const [text = null] = await readContent(store, [placeIn(place)]);
      return { text };
    },
    keep: (place, text) =>
      background(keepContent(store, [{ place: placeIn(place), text, seconds: KEPT_SECONDS }]).catch(missed)),
  };
}

function placeIn({ customer, id }: SummaryPlace): Place {
  return { kind: 'summary', customer, id };
}
