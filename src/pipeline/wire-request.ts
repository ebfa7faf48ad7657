import type { MarkerWish } from '../core/context/cache-markers.ts';
import type { Conversation } from '../core/conversation.ts';
import { requestEdits as editMessages } from '../core/dialects/anthropic-messages/edits.ts';
import { writeRequest as writeMessages } from '../core/dialects/anthropic-messages/request.ts';
import { requestEdits as editChat, writeRequest as writeChat } from '../core/dialects/openai-chat/request.ts';
import { requestEdits as editResponses } from '../core/dialects/openai-responses/edits.ts';
import { writeRequest as writeResponses } from '../core/dialects/openai-responses/request.ts';
import { isObject } from '../core/dialects/provider-json.ts';
import type { OwnRequest, RequestOptions } from '../core/dialects/upstream.ts';
import { type Edits, splicePieces } from '../core/json-splice.ts';
import { reportInto } from '../core/routing/adaptation.ts';
import type { CatalogModel, Wire } from '../core/routing/catalog.ts';
import type { Candidate } from '../core/routing/plan.ts';
import type { WireBody } from './ports.ts';
import type { Prepared } from './prepare.ts';
import type { StepRequest } from './step-request.ts';

/** A request written anew, for clients of another wire. */
type Writer = (conversation: Conversation, model: CatalogModel, options: RequestOptions) => string;
/** What has to change in a client's own body where the model speaks its wire. */
type Editor = (request: OwnRequest, model: CatalogModel, options: RequestOptions) => Edits;

const WRITERS: Readonly<Record<Wire, Writer>> = {
  'anthropic-messages': writeMessages,
  'openai-responses': writeResponses,
  'openai-chat': writeChat,
};

const EDITORS: Readonly<Partial<Record<Wire, Editor>>> = {
  'anthropic-messages': editMessages,
  'openai-chat': editChat,
  'openai-responses': editResponses,
};

/** The body of a request that is the gateway's own. */
export function writeAnew(
  conversation: Conversation,
  { name, model }: Pick<Candidate, 'name' | 'model'>,
  options: Omit<RequestOptions, 'modelId'>,
): string {
  return WRITERS[model.wire](conversation, model, { ...options, modelId: name });
}

/**
 * The body for a candidate. Where it speaks the client's own wire, the client's body with only the
 * changes made in its text: numbers, key order and fields we have never heard of stay byte for byte. What an editor
 * changes of its own is told in `prepared.adapted`.
 */
export function writeWireRequest(
  request: Pick<
    StepRequest,
    'wire' | 'rawBody' | 'rawBytes' | 'body' | 'stream' | 'conversation' | 'userHash'
  >,
  candidate: Pick<Candidate, 'name' | 'model'>,
  prepared: Pick<Prepared, 'conversation' | 'adapted'>,
  { markers, keepsThinking = false }: { markers?: MarkerWish | undefined; keepsThinking?: boolean } = {},
): WireBody {
  const options = {
    stream: request.stream,
    modelId: candidate.name,
    keepsThinking,
    ...(request.userHash === null ? {} : { userHash: request.userHash }),
  };
  const { model } = candidate;
  const edit = model.wire === request.wire ? EDITORS[model.wire] : undefined;
  if (!edit) return WRITERS[model.wire](prepared.conversation, model, options);
  const own = {
    body: request.body,
    original: request.conversation,
    prepared: prepared.conversation,
    report: reportInto(prepared.adapted),
    ...(markers ? { markers } : {}),
  };
  const pieces = splicePieces(request.rawBody, withoutVain(edit(own, model, options), request.body));
  return encode(pieces, request) ?? pieces.join('');
}

/** From so many characters on it takes longer to join a text, and to have it encoded as a whole, than to encode its pieces. */
const LONG = 16 * 1024;
/** Bytes for what is longer than what it replaces. */
const ROOM = 1_024;
const encoder = new TextEncoder();

/** The pieces of a long body as UTF-8; undefined where it is short, or nobody knows how many bytes it may have. */
function encode(
  pieces: readonly string[],
  { rawBody, rawBytes }: Pick<StepRequest, 'rawBody' | 'rawBytes'>,
): WireBody | undefined {
  if (rawBytes === undefined || rawBody.length < LONG) return undefined;
  const bytes = new Uint8Array(rawBytes + ROOM);
  let at = 0;
  for (const piece of pieces) {
    const { read, written } = encoder.encodeInto(piece, bytes.subarray(at));
    if (read < piece.length) return undefined;
    at += written;
  }
  return bytes.subarray(0, at);
}

/** Edits without those that take out what is not there: the text need not be searched for it. */
function withoutVain(edits: Edits, body: unknown): Edits {
  if (!isObject(body)) return edits;
  const telling: Edits = {};
  for (const name in edits) if (edits[name] !== undefined || name in body) telling[name] = edits[name];
  return telling;
}
