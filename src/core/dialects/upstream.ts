import type { AnswerEvent } from '../answer.ts';
import type { MarkerWish } from '../context/cache-markers.ts';
import type { Conversation } from '../conversation.ts';
import { FluxError } from '../errors.ts';
import type { Report } from '../routing/adaptation.ts';
import { invalidAnswer, isObject, type JsonObject } from './provider-json.ts';

/** What a request to a provider needs besides the prepared conversation. */
export interface RequestOptions {
  stream: boolean;
  /** The model's name as this provider knows it. */
  modelId: string;
  /** An HMAC of the client's end user: what a provider of another dialect may be told (never the client's own id). */
  userHash?: string;
  /** The gateway keeps what the model thinks, and will send it back for the client. */
  keepsThinking?: boolean;
}

/** A client's request to a model of its own wire. */
export interface OwnRequest {
  /** The parsed body. */
  body: unknown;
  /** What was read of it, and what `pipeline/prepare` made of that for the model: what it left alone is the same object. */
  original: Conversation;
  prepared: Conversation;
  /** The gateway's own cache markers, where the client set none. */
  markers?: MarkerWish;
  /** Takes what an editor changes besides. */
  report: Report;
}

/** One frame of a provider's event stream. */
export interface Frame {
  event?: string | undefined;
  data: string;
}

/** Reads one stream: it remembers what came before, so each stream has its own. Never throws. */
export type EventReader = (frame: Frame) => AnswerEvent[];

/** A sign of life, with what a model thought in it. */
export function progress(thought: string | undefined): AnswerEvent {
  return thought?.trim() ? { type: 'progress', thinks: true } : { type: 'progress' };
}

/** An event reader around one that takes parsed frames, with their texts: whatever is malformed becomes an error event. */
export function frameReader(read: (data: JsonObject, raw: string) => AnswerEvent[]): EventReader {
  return (frame) => {
    try {
      const data: unknown = JSON.parse(frame.data);
      if (!isObject(data)) throw invalidAnswer('a frame that is no object');
      return read(data, frame.data);
    } catch (error) {
      // A parser's own message quotes the text, which may be content: it is not passed on.
      const known = error instanceof FluxError ? error : invalidAnswer('a frame that is no JSON');
      return [{ type: 'error', status: known.status, code: known.code, message: known.message }];
    }
  };
}
