import type { Context } from 'hono';
import type { AnswerHead, AnswerWriter, ClientDialect } from '../core/dialects/client-dialect.ts';
import { storedObjectIn } from '../core/stored-objects.ts';
import { requireOwnKey, underOwnKeys } from '../customers/own-keys.ts';
import type { StepSettings } from '../pipeline/settings.ts';
import type { StepRequest } from '../pipeline/step-request.ts';
import { customerOf } from './auth.ts';
import { readBody, type TextBody } from './body.ts';
import type { AppEnv } from './context.ts';
import { type CompleteBody, canKeep, completeBody } from './earlier-answers.ts';
import { type ContinuedBody, continueBody, type OpenHistory } from './history.ts';
import { readWish } from './models.ts';
import {
  digestOf,
  hashUser,
  readHistoryWish,
  readMaxTier,
  readNoStore,
  readSession,
  readTags,
  withMetadata,
} from './step-headers.ts';
import { WIRE_PATHS } from './wire-paths.ts';

/** A step as it was asked for, the customer's settings for it, and how its answer is written. */
export interface ReadStep {
  request: StepRequest;
  settings: StepSettings;
  answerWriter(head: AnswerHead): AnswerWriter;
  /** What the answer says of keeping. */
  head: Pick<AnswerHead, 'keeps' | 'continues'>;
  /** The history it goes on from, where its client sends only what is new. */
  history: OpenHistory | null;
}

/** A body and what is known of it. */
type Body = CompleteBody & Partial<ContinuedBody>;

/**
 * Reads the body and the headers of a step, whichever route they came to.
 * @param isStep it is made, and not only looked at
 * @throws FluxError 400, 404, 413; 503 where the isolate has no room for the body
 */
export async function readStep(
  c: Context<AppEnv>,
  dialect: ClientDialect,
  isStep: boolean,
): Promise<ReadStep> {
  const { maxBodyBytes } = c.get('settings');
  const sent = await readBody(c.req.raw, maxBodyBytes, c.get('lease'));
  const wish = readHistoryWish(c.req.raw.headers);
  const complete = () => completeBody(c, dialect, sent.text);
  if (wish === null) return toStep(c, dialect, await complete(), sent);
  const body = await continueBody(c, { dialect, wish, isStep }, sent.text, complete);
  try {
    return toStep(c, dialect, body, sent);
  } catch (error) {
    void body.history.end(null);
    throw error;
  }
}

function toStep(c: Context<AppEnv>, dialect: ClientDialect, complete: Body, sent: TextBody): ReadStep {
  const { secret } = c.get('settings');
  const { step } = c.get('access');
  const { headers } = c.req.raw;
  const { rawBody, body, continues, history = null } = complete;
  const stored = storedObjectIn(body);
  if (stored !== null) requireOwnKey(step, stored);
  const read = complete.read ?? dialect.read(body, rawBody);
  const key = c.get('key');
  const customer = customerOf(key, undefined);
  const maxTier = readMaxTier(headers);
  // Without content in any store there is no hash of the session's name either.
  const noStore = readNoStore(headers);
  const sessionSecret = noStore ? null : secret;
  const { hints } = read.conversation;
  const ownHeaders = dialect.ownHeaders?.((name) => headers.get(name), stored !== null) ?? {};
  const requestId = c.get('requestId');
  const request: StepRequest = {
    requestId,
    startedAt: c.get('startedAt'),
    customer,
    keyId: key.id,
    // A rule for this path holds for the plan of such a step too.
    path: WIRE_PATHS[dialect.wire],
    wire: dialect.wire,
    rawBody,
    ...(rawBody === sent.text ? { rawBytes: sent.bytes } : {}),
    body,
    requestedModel: read.model,
    wish: readWish(read.model, step),
    stream: read.stream,
    conversation: read.conversation,
    // An object of one provider's API means nothing to another's.
    ownFields: stored === null ? read.ownFields : [...read.ownFields, stored],
    unknownFields: [...read.unknownFields, ...Object.keys(ownHeaders)],
    ...(read.spareFields ? { spareFields: read.spareFields } : {}),
    ownHeaders,
    digest: noStore || secret === null ? null : digestOf(secret, customer),
    session: readSession(
      headers,
      read.sessionName,
      customer,
      sessionSecret,
      () => `fc_${requestId.replaceAll('-', '').slice(0, 12)}`,
    ),
    ...(history ? { historyMessages: history.messages } : {}),
    tags: withMetadata(readTags(headers), read.metadata, step.tagKeys ?? []),
    userHash: hashUser(hints.safetyIdentifier ?? hints.user ?? read.endUser, customer, secret),
    ...(maxTier ? { maxTier } : {}),
  };
  const settings = stored === null ? step : underOwnKeys(step, request.wish, stored);
  const keeps = !noStore && canKeep(c) && dialect.keeping?.wanted(body) === true;
  const head = { keeps, ...(continues === undefined ? {} : { continues }) };
  return { request, settings, answerWriter: read.answerWriter, head, history };
}
