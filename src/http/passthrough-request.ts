import type { Context } from 'hono';
import { estimateText } from '../core/accounting/estimate.ts';
import type { StatelessEndpoint } from '../core/dialects/openai-stateless/endpoints.ts';
import { isObject, type JsonObject } from '../core/dialects/provider-json.ts';
import { invalidRequest } from '../core/errors.ts';
import { type Edits, spliceMembers } from '../core/json-splice.ts';
import { modelOrAssumed } from '../core/routing/catalog.ts';
import { storedObjectIn } from '../core/stored-objects.ts';
import type { PassthroughRequest } from '../pipeline/passthrough.ts';
import { sizeOfJson, sizeOfSound } from '../pipeline/passthrough-size.ts';
import { type PassthroughTarget, targetOf } from '../pipeline/passthrough-target.ts';
import { customerOf } from './auth.ts';
import { parseBody, readBody, readBytes } from './body.ts';
import type { AppEnv } from './context.ts';
import { readForm, withModel } from './form.ts';
import { admitTokens } from './rate-limit.ts';
import { readNoStore, readSession, readTags, refuseHistory } from './step-headers.ts';

type SentBody = Pick<
  PassthroughRequest,
  'body' | 'contentType' | 'size' | 'includeUsage' | 'requestedModel' | 'target'
>;

/**
 * Reads a request that is to be sent on: its body as it came but for `model`, less the provider's name before it, and
 * `store`.
 * @throws FluxError 400, 413, 429; 503 where no provider has the endpoint, or the isolate no room for the body
 */
export async function readPassthrough(
  c: Context<AppEnv>,
  endpoint: StatelessEndpoint,
): Promise<PassthroughRequest> {
  const { headers } = c.req.raw;
  const { secret } = c.get('settings');
  const key = c.get('key');
  const customer = customerOf(key, undefined);
  const requestId = c.get('requestId');
  const newName = () => `fc_${requestId.replaceAll('-', '').slice(0, 12)}`;
  const session = readSession(headers, undefined, customer, readNoStore(headers) ? null : secret, newName);
  const tags = readTags(headers);
  refuseHistory(headers);
  const sent = endpoint.takes === 'json' ? await readJson(c, endpoint) : await readFormBody(c);
  return {
    requestId,
    startedAt: c.get('startedAt'),
    customer,
    keyId: key.id,
    path: endpoint.path,
    session,
    tags,
    ...sent,
  };
}

async function readJson(c: Context<AppEnv>, { path }: StatelessEndpoint): Promise<SentBody> {
  const { text } = await readBody(c.req.raw, c.get('settings').maxBodyBytes, c.get('lease'));
  const body = parseBody(text);
  if (!isObject(body)) throw invalidRequest('The body must be a JSON object.', undefined, 'invalid_json');
  const { requestedModel, target } = aimed(c, body);
  admitTokens(c.get('charge'), () => countInput(body, target));
  const asked = isObject(body.stream_options) ? body.stream_options : {};
  const edits: Edits = {
    ...(target.model === null ? {} : { model: JSON.stringify(target.model) }),
    // Nothing is left at the provider.
    ...('store' in body ? { store: 'false' } : {}),
    // Without it a stream says nothing of its cost (T27).
    ...(path === '/completions' && body.stream === true
      ? { stream_options: JSON.stringify({ ...asked, include_usage: true }) }
      : {}),
  };
  return {
    body: spliceMembers(text, edits),
    contentType: 'application/json',
    size: sizeOfJson(path, text, body),
    includeUsage: asked.include_usage === true,
    requestedModel,
    target,
  };
}

async function readFormBody(c: Context<AppEnv>): Promise<SentBody> {
  const contentType = c.req.header('content-type') ?? '';
  const bytes = await readBytes(c.req.raw, c.get('settings').maxBodyBytes, c.get('lease'));
  const { fields, model } = readForm(bytes, contentType);
  // A field may be written as part of another: `container[id]`.
  const body = Object.fromEntries(Object.entries(fields).map(([name, text]) => [name.split('[')[0], text]));
  const { requestedModel, target } = aimed(c, body);
  const isOther = model !== null && target.model !== null && target.model !== requestedModel;
  return {
    body: isOther ? withModel(bytes, model, target.model ?? '') : bytes,
    contentType,
    size: sizeOfSound(bytes.length),
    includeUsage: false,
    requestedModel,
    target,
  };
}

function aimed(
  c: Context<AppEnv>,
  body: JsonObject,
): { requestedModel: string | null; target: PassthroughTarget } {
  const { model } = body;
  if (model != null && (typeof model !== 'string' || model === '')) {
    throw invalidRequest('`model` is the name of a model.', 'model');
  }
  const requestedModel = model ?? null;
  return { requestedModel, target: targetOf(requestedModel, storedObjectIn(body), c.get('access').step) };
}

/** Tokens of what goes in, as far as it is text or tokens already. */
function countInput({ input, prompt }: JsonObject, { provider, model }: PassthroughTarget): number {
  const known = modelOrAssumed(provider.kind, model ?? '');
  const count = (value: unknown): number => {
    if (typeof value === 'string') return estimateText(value, known);
    if (typeof value === 'number') return 1;
    if (Array.isArray(value)) return value.reduce<number>((sum, one) => sum + count(one), 0);
    return isObject(value) ? count(value.text) : 0;
  };
  return count(input) + count(prompt);
}
