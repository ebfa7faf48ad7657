import type { Usage } from '../accounting/usage.ts';
import type { Answer, AnswerEvent } from '../answer.ts';
import type { Conversation } from '../conversation.ts';
import type { FluxError } from '../errors.ts';
import type { FluxMetadata } from '../metadata.ts';
import type { Wire } from '../routing/catalog.ts';

/** How clients of one wire format are understood and answered: one for each way in. */
export interface ClientDialect {
  wire: Wire;
  /**
   * Reads a parsed body.
   * @throws FluxError 400 that names the field
   */
  read(body: unknown): ClientRequest;
  /** An error as a body of this wire. */
  writeError(error: FluxError): Record<string, unknown>;
  /** What this wire calls fields that the pipeline knows by another name. */
  fieldNames?: Readonly<Record<string, string>>;
  /**
   * Headers of the client that an upstream of the same wire may see; none unless said (T39).
   * @param namesStored the request names a stored object, which only a key of the customer's own lets through
   */
  ownHeaders?(read: (name: string) => string | null, namesStored: boolean): Record<string, string>;
}

/** A request as its wire says it: the conversation, and what concerns the wire alone. */
export interface ClientRequest {
  model: string;
  stream: boolean;
  conversation: Conversation;
  /** Fields that only an upstream of the same wire can take: a step that has one goes nowhere else. */
  ownFields: string[];
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
}

/** Writes one answer in the client's wire. */
export interface AnswerWriter {
  /** A whole answer of a model of any wire. */
  whole(answer: Answer, metadata: FluxMetadata): Record<string, unknown>;
  /** A streamed answer of a model of another wire. */
  stream(): StreamWriter;
  /** A streamed answer that already is in the client's wire. */
  relay(): StreamWriter;
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
  /** The wire's own error (T30): nothing follows, so nobody takes a cut answer for a whole one. */
  fail(error: FluxError): string;
}
