import type { Context } from 'hono';
import type { ClientDialect } from '../core/dialects/client-dialect.ts';
import { isObject } from '../core/dialects/provider-json.ts';
import { type FluxError, invalidRequest } from '../core/errors.ts';
import type { Wire } from '../core/routing/catalog.ts';
import type { HistoryPlace } from '../sessions/kept-entry.ts';
import { customerOf } from './auth.ts';
import type { AppEnv } from './context.ts';
import { contentStoreOf } from './earlier-answers.ts';
import { hashSession, readNoStore, readSession } from './step-headers.ts';
import { WIRE_PATHS } from './wire-paths.ts';

export const HISTORY_HEADER = 'X-FluxCompute-History';

/** @throws FluxError 400 where a history can't be kept of the request */
export function placeOf(c: Context<AppEnv>, { history }: ClientDialect, body: unknown): HistoryPlace {
  const { headers } = c.req.raw;
  if (readNoStore(headers)) {
    throw invalidRequest(
      `${HISTORY_HEADER} keeps the conversation, and X-FluxCompute-No-Store forbids it: send one of them.`,
      HISTORY_HEADER,
    );
  }
  const store = contentStoreOf(c);
  if (!store) {
    throw invalidRequest(
      `This gateway keeps no history (FLUX_SECRET is not set): send the whole conversation, without ${HISTORY_HEADER}.`,
      HISTORY_HEADER,
    );
  }
  for (const rival of history.rivals) {
    if (isObject(body) && body[rival] != null)
      throw invalidRequest(
        `'${rival}' and ${HISTORY_HEADER} each name what came before: send one of them.`,
        rival,
      );
  }
  if (isObject(body) && typeof body.n === 'number' && body.n > 1)
    throw invalidRequest(`With ${HISTORY_HEADER} an answer is one: 'n' must be 1.`, 'n');
  const customer = customerOf(c.get('key'), undefined);
  const [secret, ...before] = store.secrets;
  const inBody = history.sessionIn?.(body);
  const { shown, hash } = readSession(headers, inBody, customer, secret, () => '');
  if (hash === null) {
    throw invalidRequest(
      `${HISTORY_HEADER} needs a session whose history it is: name it in X-FluxCompute-Session.`,
      'X-FluxCompute-Session',
    );
  }
  const former = before.flatMap((one) => hashSession(shown, customer, one) ?? []);
  return { store, customer, names: [hash, ...former], days: c.get('access').step.retentionDays };
}

/** A history of one API means nothing to another's. */
export function otherWire(wire: Wire): FluxError {
  return invalidRequest(
    `The history of this session is of ${WIRE_PATHS[wire]}: go on there, or name another session.`,
    HISTORY_HEADER,
  );
}
