import type { Context } from 'hono';
import type { ClientDialect, ClientRequest } from '../core/dialects/client-dialect.ts';
import {
  goOn,
  type HistoryEntry,
  NO_TEXTS,
  newIn,
  type Sent,
  type Story,
  type Texts,
  takeApart,
  tellStory,
  withoutMarkers,
} from '../core/dialects/history.ts';
import { FluxError } from '../core/errors.ts';
import { logLine } from '../log/line.ts';
import { keepEntry } from '../sessions/added-entry.ts';
import { dropBegun } from '../sessions/begun-notes.ts';
import type { HistoryPlace } from '../sessions/kept-entry.ts';
import { beginHistory, type KeptHistory, readHistory } from '../sessions/kept-history.ts';
import { parseBody } from './body.ts';
import type { AppEnv } from './context.ts';
import { type CompleteBody, takeRoom } from './earlier-answers.ts';
import { HISTORY_HEADER, otherWire, placeOf } from './history-place.ts';
import { backgroundOf } from './rate-limit.ts';
import type { HistoryWish } from './step-headers.ts';
import { requireWhole } from './whole-history.ts';

/** The history of a step's session, while the step is under way. */
export interface OpenHistory {
  /** Messages of it that stand before those of the request. */
  messages: number;
  /** The step has ended: with what its client was answered; null where that was nothing whole. Never rejects. */
  end(answer: Texts | null): Promise<void>;
}

export interface ContinuedBody extends CompleteBody {
  read: ClientRequest;
  history: OpenHistory;
}

interface Asked {
  dialect: ClientDialect;
  wish: HistoryWish;
  /** The step is made: what it says is kept. */
  isStep: boolean;
}

/**
 * Puts the session's history before what a client sends of a conversation. One wait.
 * @param complete what else the body names of earlier answers, put in its place
 * @throws FluxError 400, 413; 503 where it can't be read, or is not all there: it can't be guessed
 */
export async function continueBody(
  c: Context<AppEnv>,
  { dialect, wish, isStep }: Asked,
  asSent: string,
  complete: () => Promise<CompleteBody>,
): Promise<ContinuedBody> {
  const place = placeOf(c, dialect, parseBody(asSent));
  const { rawBody, body } = await complete();
  const id = c.get('requestId');
  const sent = takeApart(dialect.history, rawBody, body);
  const noted = isStep ? noteStep(c, place, id) : null;
  try {
    const step = isStep ? { id, background: backgroundOf(c) } : null;
    const lease = c.get('lease');
    let room = 0;
    const kept =
      wish === 'start'
        ? await beginHistory(place, step)
        : await readHistory(place, step, (characters) => {
            lease.take(Math.max(0, characters - room));
            room = Math.max(room, characters);
          });
    if (wish === 'append') await requireWhole(c, place, kept, id);
    const chosen = choose(c, { dialect, kept, sent, rawBody, room });
    const end = noted?.with(kept, (answer) => entryOf({ id, dialect, sent, answer }, kept, chosen));
    return { ...chosen.whole, history: { messages: chosen.story.said.count, end: end ?? (async () => {}) } };
  } catch (error) {
    void noted?.drop();
    throw error;
  }
}

interface Choosing {
  dialect: ClientDialect;
  kept: KeptHistory;
  sent: Sent;
  rawBody: string;
  /** Characters of the history that its lease has been charged with. */
  room: number;
}

interface Chosen {
  /** The entry it goes on from; null: none. */
  after: number | null;
  story: Story;
  whole: { rawBody: string; body: unknown; read: ClientRequest };
}

/**
 * What the request goes on from: all there is, unless it is the last step over again, whose answer its client never
 * saw. The same words alone don't tell: "continue" and "continue" are two (T64). They are one where they can't follow
 * what is there: results of calls that have been answered. That a client's library numbers its tries tells nothing: the
 * one before may have been refused where nobody notes it (429, 503), or never have come, and what is kept is then the
 * answer to the words before. Said twice is the lesser harm. (A try while the one before is under way takes its place:
 * sessions/added-entry.ts.)
 */
function choose(c: Context<AppEnv>, { dialect, kept, sent, rawBody, room }: Choosing): Chosen {
  const { entries } = kept;
  const goOnFrom = (from: HistoryEntry[], after: number | null): Chosen => {
    const story = tellStory(from);
    return { after, story, whole: readWhole(c, dialect, { rawBody, story, sent, room }) };
  };
  const last = entries.at(-1);
  if (last && last.wire !== dialect.wire) throw otherWire(last.wire);
  const all = () => goOnFrom(entries, last ? (kept.numbers.at(-1) ?? null) : null);
  if (!last || last.sent.text !== withoutMarkers(sent.messages).text) return all();
  const earlier = () =>
    goOnFrom(
      last.before ? [{ ...last, sent: NO_TEXTS, answer: NO_TEXTS }] : entries.slice(0, -1),
      last.after,
    );
  try {
    return all();
  } catch (error) {
    if (error instanceof FluxError && error.status === 400) return earlier();
    throw error;
  }
}

/** @throws FluxError as the whole conversation deserves */
function readWhole(
  c: Context<AppEnv>,
  dialect: ClientDialect,
  { rawBody, story, sent, room }: Pick<Choosing, 'rawBody' | 'sent' | 'room'> & { story: Story },
): Chosen['whole'] {
  const whole = goOn(dialect.history, rawBody, story, sent);
  takeRoom(c, whole, rawBody.length + room, {
    param: HISTORY_HEADER,
    advice: `Shorten it and send it whole, with ${HISTORY_HEADER}: start.`,
  });
  const body = parseBody(whole);
  try {
    return { rawBody: whole, body, read: dialect.read(body, whole) };
  } catch (error) {
    if (!(error instanceof FluxError) || story.said.count === 0) throw error;
    const { status, code, param } = error;
    const note = `(Counted are also the ${story.said.count} messages of the session's history, which stand before yours.)`;
    throw new FluxError(`${error.message} ${note}`, { status, code, ...(param ? { param } : {}) });
  }
}

interface Ended {
  id: string;
  dialect: ClientDialect;
  sent: Sent;
  answer: Texts;
}

/** What is new, and nothing else; where the history moves to the name of another secret, all of it once more. */
function entryOf({ id, dialect, sent, answer }: Ended, kept: KeptHistory, chosen: Chosen): HistoryEntry {
  const { story } = chosen;
  const after = kept.moves ? null : chosen.after;
  return {
    ...{ id, wire: dialect.wire, after, answer },
    ...(after === null && story.said.count > 0 ? { before: story.said } : {}),
    head: after === null ? wholeHead(sent, story) : newIn(sent.head, story),
    sent: withoutMarkers(sent.messages),
  };
}

function wholeHead({ head }: Sent, story: Story): Sent['head'] {
  const lead = head.lead ?? story.head.lead;
  return {
    ...(lead === undefined ? {} : { lead }),
    settings: { ...story.head.settings, ...head.settings },
  };
}

/** Sees to it that the note of a step goes, whatever becomes of the step: also where its client leaves. */
function noteStep(c: Context<AppEnv>, place: HistoryPlace, id: string) {
  const { promise, resolve } = Promise.withResolvers<void>();
  c.executionCtx.waitUntil(promise);
  let hasEnded = false;
  const once = async (work: () => Promise<void>): Promise<void> => {
    if (hasEnded) return;
    hasEnded = true;
    try {
      await work();
    } catch {
      logLine('warn', 'history_not_kept', { why: 'store' });
    }
    resolve();
  };
  return {
    drop: () => once(() => dropBegun(place, id)),
    with: (kept: KeptHistory, entryFor: (answer: Texts) => HistoryEntry) => (answer: Texts | null) =>
      once(async () => {
        if (answer === null) return dropBegun(place, id);
        const isKept = await keepEntry(place, kept, entryFor(answer));
        if (!isKept) logLine('warn', 'history_not_kept', { why: 'another_step' });
      }),
  };
}
