import type { Ask } from './ask.ts';
import type { Refusal } from './refusal.ts';
import type { Content, Reply } from './reply.ts';
import type { TokenUsage } from './usage.ts';
import type { Frame } from './wire.ts';

/** An answer put on its wire. `frames` are what a stream sends in place of `body`. */
export interface WireAnswer {
  /** JSON, or a text or bytes that go out as they are. */
  body: unknown;
  frames: Iterable<Frame>;
  /** Of a body that is no JSON. */
  contentType?: string;
  /** The answer that failed on its way, where the wire has one; `count` events went before its frame. */
  failed?(refusal: Refusal, count: number): { body: unknown; frame: Frame };
}

/** How a provider says no on its wire. */
export interface ErrorWire {
  /** The body of an error, whole. */
  body(refusal: Refusal): unknown;
  /** The same inside a stream that began with a 200; `count` events went before it. */
  frame(refusal: Refusal, count: number): Frame;
  /** What it says by default with this status. */
  usual(status: number): Refusal;
}

/** A request that passed every rule, with what only its provider knows. */
export interface Exchange {
  ask: Ask;
  /** Input classes as the prompt cache had them when the request came. */
  input: TokenUsage;
  /** The key as it was sent, for faults that quote it. */
  key: string;
  /** What is said without a script, where that is no chat. */
  improvise?(): Content;
  /** Writes to the prompt cache: readable from the first byte of the answer on. */
  begun(): void;
  /** `usage` null: none is reported. */
  answer(reply: Reply, usage: TokenUsage | null): WireAnswer;
}
