import type { Context } from 'hono';
import { namedObject } from '../pipeline/step-state.ts';
import { type BegunNote, forgetBegun } from '../sessions/begun-notes.ts';
import type { HistoryPlace } from '../sessions/kept-entry.ts';
import { incompleteHistory, type KeptHistory } from '../sessions/kept-history.ts';
import { unsettledSteps } from '../sessions/session-port.ts';
import { within } from '../stores/time-limit.ts';
import type { AppEnv } from './context.ts';
import { backgroundOf } from './rate-limit.ts';

/** A session's object knows its steps for as long after its last use (sessions/session-object.ts). */
const KNOWN_MS = 24 * 60 * 60 * 1_000;

/**
 * An answer that was given and is not kept would be a hole that nobody sees. So a step notes in the history that it has
 * begun, and takes the note away with the entry. A note that stays is of a step that is under way beside this one, or
 * of one that has ended: its session's object knows. Where that has gone with the day, whoever made the note is dead.
 * @throws FluxError 503
 */
export async function requireWhole(
  c: Context<AppEnv>,
  place: HistoryPlace,
  { begun }: KeptHistory,
  id: string,
): Promise<void> {
  const others = begun.filter((one) => one.id !== id);
  // Another secret is another name, and another object.
  await Promise.all(
    place.names.map((_name, under) =>
      requireEnds(
        c,
        place,
        under,
        others.filter((one) => one.under === under),
      ),
    ),
  );
}

async function requireEnds(
  c: Context<AppEnv>,
  place: HistoryPlace,
  under: number,
  notes: readonly BegunNote[],
): Promise<void> {
  const { SESSIONS } = c.env;
  const name = place.names[under];
  if (notes.length === 0 || !SESSIONS || name === undefined) return;
  const asked = unsettledSteps(
    SESSIONS,
    namedObject(place.customer, name),
    notes.map((note) => note.id),
  );
  const answer = await within(c.get('settings').timeouts.session, asked).then(
    (unsettled) => ({ unsettled }),
    () => null,
  );
  // Fails open: most likely they are under way.
  if (!answer) return;
  const known = new Map(answer.unsettled?.map((step) => [step.id, step.isAbandoned]));
  const isOld = ({ at }: BegunNote) => answer.unsettled === null && Date.now() - at > KNOWN_MS;
  if (notes.some((note) => !known.has(note.id) && !isOld(note))) throw incompleteHistory();
  const dead = notes.filter((note) => known.get(note.id) ?? isOld(note));
  backgroundOf(c)(
    forgetBegun(
      place,
      under,
      dead.map((note) => note.id),
    ).catch(() => {}),
  );
}
