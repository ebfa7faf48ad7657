import type { HistoryEntry } from '../core/dialects/history.ts';
import { FluxError } from '../core/errors.ts';
import { within } from '../stores/time-limit.ts';
import { BEGUN, type BegunNote, begunIn, dropBegun, secondsOf } from './begun-notes.ts';
import {
  entriesIn,
  entryFields,
  type Fields,
  type HistoryPlace,
  keyOf,
  newestOf,
  openEntry,
  roomOf,
  toFields,
  toNames,
} from './kept-entry.ts';

/** A store that takes longer than this to read counts as one that failed (T46). */
const READ_LIMIT_MS = 2_000;
/** Before another look, while what another step was answered may still be on its way here. */
const LOOK_AGAIN_MS = [100, 300, 600];

/** A step that notes in the history that it has begun. */
export interface BeginningStep {
  id: string;
  /** Is given what goes on after the answer. */
  background(work: Promise<unknown>): void;
}

export interface KeptHistory {
  /** Oldest first. */
  entries: HistoryEntry[];
  /** Their numbers. */
  numbers: number[];
  /** Number of the next. */
  next: number;
  /** Steps that were begun by others, and have neither been kept nor come to nothing. */
  begun: BegunNote[];
  /** What is there of it under names of secrets before today's: it goes with the next entry. */
  formerNames: string[];
  /** It was found under one of them. */
  moves: boolean;
  /** The fields that hold entries. */
  fields: string[];
  /** The step begins anew: what there was is forgotten with it. */
  isAnew: boolean;
}

/**
 * Reads a session's history, and notes in the same breath that a step of it has begun: one wait. Where another step
 * has begun it is looked at again: its client may be quicker than the write of what it was answered.
 * @param step the one that begins; null: none does
 * @param takeRoom is told how many characters it has in all, before they are opened
 * @throws FluxError 503 where the store does not answer, or an entry does not open: the conversation can't be guessed
 */
export async function readHistory(
  place: HistoryPlace,
  step: BeginningStep | null,
  takeRoom: (characters: number) => void,
): Promise<KeptHistory> {
  const until = Date.now() + READ_LIMIT_MS;
  let found = await look(place, step, 'hgetall');
  takeRoom(roomOf(found));
  for (const pause of LOOK_AGAIN_MS) {
    const others = begunIn(found).filter(({ id }) => id !== step?.id);
    if (others.length === 0 || Date.now() + pause >= until) break;
    await sleep(pause);
    // Where there is no time for it, what was found holds: the session's object knows whether it is whole.
    const newer = await within(until - Date.now(), lookAgain(place, others)).catch(() => null);
    if (newer) found = newer;
    if (newer) takeRoom(roomOf(found));
  }
  // A secret that was changed changes the name; what is found under the old one moves with the next step.
  const at = Math.max(
    0,
    found.findIndex((fields) => newestOf(fields) >= 0),
  );
  const chain = await openChain(place, place.names[at] ?? place.names[0], found[at] ?? new Map());
  return { ...beginningOf(place, found), ...chain, moves: at > 0 };
}

/**
 * As {@link readHistory}, for a step that begins anew: of what there was nothing is opened, and with it all goes.
 * @throws FluxError 503 where the store does not answer
 */
export async function beginHistory(place: HistoryPlace, step: BeginningStep | null): Promise<KeptHistory> {
  return { ...beginningOf(place, await look(place, step, 'hkeys')), isAnew: true };
}

function beginningOf({ names }: HistoryPlace, found: readonly Fields[]): KeptHistory {
  const [own = new Map()] = found;
  return {
    ...{ entries: [], numbers: [], next: newestOf(own) + 1, begun: begunIn(found) },
    ...{ moves: false, isAnew: false },
    formerNames: names.filter((_name, index) => index > 0 && (found[index]?.size ?? 0) > 0),
    fields: entryFields(own),
  };
}

/** All of it once more, where one of these steps has ended. Until then no more than names: it may be megabytes. */
async function lookAgain(place: HistoryPlace, steps: readonly BegunNote[]): Promise<Fields[] | null> {
  const still = new Set(begunIn(await fetchAll(place, null, 'hkeys')).map(({ id }) => id));
  return steps.every(({ id }) => still.has(id)) ? null : fetchAll(place, null, 'hgetall');
}

async function look(place: HistoryPlace, step: BeginningStep | null, command: Command): Promise<Fields[]> {
  const asked = fetchAll(place, step?.id ?? null, command);
  return within(READ_LIMIT_MS, asked).catch(() => {
    // A store that is slow may do it all the same: then the note of a step that was refused goes after it.
    step?.background(asked.catch(() => {}).then(() => dropBegun(place, step.id).catch(() => {})));
    throw new FluxError(
      "What was said before can't be read just now. Try again in a moment, or send the whole conversation, without X-FluxCompute-History.",
      { status: 503, code: 'history_unavailable', param: 'X-FluxCompute-History', retryAfter: 5 },
    );
  });
}

/** All of it, or names only. */
type Command = 'hgetall' | 'hkeys';

/** The history under each name it may have; a step's note goes with it. */
export async function fetchAll(
  { store, names, days }: HistoryPlace,
  requestId: string | null,
  command: Command,
): Promise<Fields[]> {
  const pipeline = store.redis.pipeline();
  for (const name of names) pipeline[command](keyOf(name));
  if (requestId !== null) {
    pipeline.hset(keyOf(names[0]), { [BEGUN + requestId]: String(Date.now()) });
    pipeline.expire(keyOf(names[0]), secondsOf(days));
  }
  const answers = await pipeline.exec();
  return names.map((_name, index) => (command === 'hkeys' ? toNames : toFields)(answers[index]));
}

/** The entries from the newest back to the first. */
async function openChain(
  place: HistoryPlace,
  name: string,
  fields: Fields,
): Promise<Pick<KeptHistory, 'entries' | 'numbers'>> {
  const all = entriesIn(fields);
  const opened = new Map(
    await Promise.all(all.map(async (at) => [at, await openEntry(place, name, at, fields)] as const)),
  );
  const entries: HistoryEntry[] = [];
  const numbers: number[] = [];
  for (let at = all.length > 0 ? Math.max(...all) : null; at !== null; ) {
    const entry = opened.get(at);
    if (!entry || (entry.after !== null && entry.after >= at)) throw incompleteHistory();
    entries.unshift(entry);
    numbers.unshift(at);
    at = entry.after;
  }
  return { entries, numbers };
}

/** What was answered in it is not all there. */
export function incompleteHistory(): FluxError {
  return new FluxError(
    "Of this session's history something is missing: an answer could not be kept, or is being kept still. Try again in a moment; if it stays so, send the whole conversation with X-FluxCompute-History: start.",
    { status: 503, code: 'history_incomplete', param: 'X-FluxCompute-History', retryAfter: 1 },
  );
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
