import type { Usage } from '../accounting/usage.ts';
import type { Answer, AnswerEvent } from '../answer.ts';
import type { Conversation } from '../conversation.ts';
import type { FluxError } from '../errors.ts';
import type { FluxMetadata } from '../metadata.ts';
import type { Wire } from '../routing/catalog.ts';
import type { HistoryForm } from './history.ts';

/** How clients of one wire format are understood and answered: one for each way in. */
export interface ClientDialect {
  wire: Wire;
  /**
   * Reads a parsed body.
   * @param rawBody its text, from which the arguments of calls are taken as they stand there
   * @throws FluxError 400 that names the field
   */
  read(body: unknown, rawBody?: string): ClientRequest;
  /** An error as a body of this wire. */
  writeError(error: FluxError): Record<string, unknown>;
  /**
   * Headers of the client that an upstream of the same wire may see; none unless said (T39).
   * @param namesStored the request names a stored object, which only a key of the customer's own lets through
   */
  ownHeaders?(read: (name: string) => string | null, namesStored: boolean): Record<string, string>;
  /** Where clients may name what was kept of earlier answers (Responses). */
  keeping?: Keeping;
  /** Where its bodies hold what a session's history is made of. */
  history: HistoryForm;
}

/** How a wire names earlier answers in place of sending them again. */
export interface Keeping {
  /** What a body names; null where that is nothing. */
  named(body: unknown): Named | null;
  /**
   * The body with what was kept in the places where it is named.
   * @param kept the input and the answer of {@link Named.response}, and the items by their ids, as JSON texts
   */
  resolve(
    rawBody: string,
    body: unknown,
    kept: { response?: string; items: ReadonlyMap<string, string> },
  ): string;
  /** What to keep of a request and its answer for those who go on from it. */
  keepable(rawBody: string, answer: KeptAnswer): { response: string; items: Map<string, string> };
  /** Whether the client lets its answers be kept. */
  wanted(body: unknown): boolean;
}

/** Ids of earlier answers and of their items. */
export interface Named {
  response?: string;
  items: readonly string[];
}

/** An answer as clients may name it. */
export interface KeptAnswer {
  id: string;
  items: readonly Record<string, unknown>[];
}

/** A request as its wire says it: the conversation, and what concerns the wire alone. */
export interface ClientRequest {
  model: string;
  stream: boolean;
  conversation: Conversation;
  /** Fields that only an upstream of the same wire can take: a step that has one goes nowhere else. */
  ownFields: string[];
  /**
   * Of those, the ones a step can do without: it goes to an upstream of the same wire where one can take it, else they
   * are reported as dropped. In the words of `adapted`.
   */
  spareFields?: string[];
  /** Fields we have never heard of, or that say nothing elsewhere: kept on the same wire, reported as dropped on any other. */
  unknownFields: string[];
  /** The client's labels, of which some may count as tags. */
  metadata: Record<string, string>;
  /** The session the body itself names, where the wire has a place for it. */
  sessionName?: string;
  /** Who the body says is asking, where no hint of the conversation does. Other providers see an HMAC. */
  endUser?: string;
  /** How the answer is written. */
  answerWriter(head: AnswerHead): AnswerWriter;
}

/** What identifies an answer to the client. */
export interface AnswerHead {
  /** Our request id: answers of other wires get their id from it. */
  requestId: string;
  /** Unix seconds. */
  created: number;
  /** The gateway keeps the answer, so that the client may go on from it by its id. */
  keeps?: boolean;
  /** The earlier answer that the request went on from. */
  continues?: string;
}

/** Writes one answer in the client's wire. */
export interface AnswerWriter {
  /** A whole answer of a model of any wire, which may hold `RawJson`. */
  whole(answer: Answer, metadata: FluxMetadata): Record<string, unknown>;
  /** A whole answer that already is in the client's wire. Absent: its text with one member more. */
  relayWhole?(raw: string, metadata: FluxMetadata): string;
  /** A streamed answer of a model of another wire. */
  stream(): StreamWriter;
  /** A streamed answer that already is in the client's wire. */
  relay(): StreamWriter;
  /** After the last byte: the answer as clients may name it; null where none was finished. */
  kept?(): KeptAnswer | null;
  /** What a silent stream is kept alive with: no client shows it (T69). */
  keepAlive: string;
}

/** One SSE frame of a provider and what it meant. */
export interface AnswerFrame {
  /** The frame's data as it came. */
  raw: string;
  /** The frame's `event:`, where it had one. */
  event?: string;
  events: AnswerEvent[];
}

/** Writes a streamed answer; each method gives the SSE text to send next, which may be empty. */
export interface StreamWriter {
  write(frame: AnswerFrame): string;
  /** The proper ending, with metadata: once, after the last frame. */
  finish(usage: Usage, metadata: FluxMetadata): string;
  /**
   * The wire's own error (T30): nothing follows, so nobody takes a cut answer for a whole one.
   * @param metadata what the broken answer cost, where a model had begun one
   */
  fail(error: FluxError, metadata?: FluxMetadata): string;
}
