import { FluxError } from '../core/errors.ts';
import { within } from '../stores/time-limit.ts';
import { type ContentStore, keepContent, type Place, readContent } from './kept-content.ts';

/** As long as OpenAI keeps a response at least. */
const DAYS = 30;
/** A store that takes longer than this to read counts as one that failed (T46). */
const READ_LIMIT_MS = 2_000;
/** Before another look for what is not there: it is written beside the answer, and a quick client may be before it. */
const LOOK_AGAIN_MS = [150, 450];

/** Earlier answers that a customer names, by their ids. */
export interface NamedAnswers {
  response?: string;
  items: readonly string[];
}

/** The same, as JSON texts: the items of an answer and all that came before it, and single items. */
export interface FoundAnswers {
  response?: string;
  items: Map<string, string>;
}

/**
 * Keeps an answer for its customer alone.
 * @param daysAtMost of the customer's own retention
 * @throws where Redis does not take it
 */
export function keepAnswer(
  store: ContentStore,
  customer: string,
  id: string,
  { response, items }: { response: string; items: ReadonlyMap<string, string> },
  daysAtMost = DAYS,
): Promise<void> {
  const seconds = Math.min(DAYS, daysAtMost) * 86_400;
  const contents = [...items].map(([itemId, text]) => ({
    place: placeOf('item', customer, itemId),
    text,
    seconds,
  }));
  contents.push({ place: placeOf('response', customer, id), text: response, seconds });
  return keepContent(store, contents);
}

/**
 * What was kept of the answers a customer names. What is not found was never kept, has expired, or is another's:
 * nobody can tell which.
 * @throws FluxError 503 where the store does not answer: the conversation can't be guessed
 */
export async function readAnswers(
  store: ContentStore,
  customer: string,
  { response, items }: NamedAnswers,
): Promise<FoundAnswers> {
  const wanted = [...new Set(items)].map((id) => placeOf('item', customer, id));
  if (response !== undefined) wanted.push(placeOf('response', customer, response));
  const found: FoundAnswers = { items: new Map() };
  let missing = wanted;
  for (const pause of [0, ...LOOK_AGAIN_MS]) {
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    const texts = await within(READ_LIMIT_MS, readContent(store, missing)).catch(() => {
      throw unavailable(response === undefined ? 'input' : 'previous_response_id');
    });
    for (const [index, { kind, id }] of missing.entries()) {
      const text = texts[index];
      if (text == null) continue;
      if (kind === 'item') found.items.set(id, text);
      else found.response = text;
    }
    missing = missing.filter((_place, index) => texts[index] == null);
    if (missing.length === 0) break;
  }
  return found;
}

function placeOf(kind: Place['kind'], customer: string, id: string): Place {
  return { kind, customer, id };
}

function unavailable(param: string): FluxError {
  return new FluxError(
    "What was said before can't be read just now. Try again in a moment, or send the whole conversation as 'input', without previous_response_id and item references.",
    { status: 503, code: 'kept_answers_unavailable', param, retryAfter: 5 },
  );
}
