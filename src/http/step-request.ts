import type { Context } from 'hono';
import { readChatRequest } from '../core/dialects/openai-chat/read.ts';
import { storedObjectIn } from '../core/stored-objects.ts';
import { requireOwnKey, underOwnKeys } from '../customers/own-keys.ts';
import type { StepSettings } from '../pipeline/settings.ts';
import type { StepRequest } from '../pipeline/step.ts';
import { customerOf } from './auth.ts';
import { parseBody, readBody } from './body.ts';
import type { AppEnv } from './context.ts';
import { readWish } from './models.ts';
import { hashUser, readMaxTier, readNoStore, readSession, readTags, withMetadata } from './step-headers.ts';

/** A chat completion as it was asked for, and the customer's settings for it. */
export interface ReadStep {
  request: StepRequest;
  settings: StepSettings;
  /** `stream_options.include_usage`. */
  includeUsage: boolean;
}

/**
 * Reads the body and the headers of a chat completion, whichever route they came to.
 * @throws FluxError 400, 404, 413; 503 where the isolate has no room for the body
 */
export async function readStep(c: Context<AppEnv>): Promise<ReadStep> {
  const { secret, maxBodyBytes } = c.get('settings');
  const { step } = c.get('access');
  const { headers } = c.req.raw;
  const rawBody = await readBody(c.req.raw, maxBodyBytes, c.get('lease'));
  const body = parseBody(rawBody);
  const stored = storedObjectIn(body);
  if (stored !== null) requireOwnKey(step, stored);
  const chat = readChatRequest(body);
  const key = c.get('key');
  const customer = customerOf(key, undefined);
  const maxTier = readMaxTier(headers);
  // Without content in any store there is no hash of the session's name either.
  const sessionSecret = readNoStore(headers) ? null : secret;
  const { hints } = chat.conversation;
  const requestId = c.get('requestId');
  const request: StepRequest = {
    requestId,
    startedAt: c.get('startedAt'),
    customer,
    keyId: key.id,
    // A rule for this path holds for the plan of such a step too.
    path: '/v1/chat/completions',
    wire: 'openai-chat',
    rawBody,
    requestedModel: chat.model,
    wish: readWish(chat.model, step),
    stream: chat.stream,
    conversation: chat.conversation,
    // An object of one provider's API means nothing to another's.
    chatOnly: stored === null ? chat.chatOnly : [...chat.chatOnly, stored],
    unknownFields: chat.unknownFields,
    session: readSession(
      headers,
      customer,
      sessionSecret,
      () => `fc_${requestId.replaceAll('-', '').slice(0, 12)}`,
    ),
    tags: withMetadata(readTags(headers), chat.metadata, step.tagKeys ?? []),
    userHash: hashUser(hints.safetyIdentifier ?? hints.user, customer, secret),
    ...(maxTier ? { maxTier } : {}),
  };
  const settings = stored === null ? step : underOwnKeys(step, request.wish, stored);
  return { request, settings, includeUsage: chat.includeUsage };
}
