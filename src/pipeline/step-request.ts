import type { Digest } from '../core/context/lane-chain.ts';
import type { Conversation } from '../core/conversation.ts';
import type { Wire } from '../core/routing/catalog.ts';
import type { Wish } from '../core/routing/plan.ts';
import type { Tier } from '../core/routing/tier.ts';

/** One step as its dialect has read it. */
export interface StepRequest {
  requestId: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  customer: string;
  keyId: string;
  path: string;
  /** The client's wire, and the body as it came: as text, and parsed. */
  wire: Wire;
  rawBody: string;
  /** How many bytes of UTF-8 that is; absent: it is not as it came. */
  rawBytes?: number;
  body: unknown;
  requestedModel: string;
  wish: Wish;
  stream: boolean;
  conversation: Conversation;
  /** Fields that only an upstream of the client's own wire can take. */
  ownFields: readonly string[];
  unknownFields: readonly string[];
  /** As `ownFields`, but left out where nobody of that wire can take the step. */
  spareFields?: readonly string[];
  /** Headers of the client that an upstream of its own wire may see. */
  ownHeaders?: Readonly<Record<string, string>>;
  /** Hashes under the customer's secret; null where nothing may be kept of the step. */
  digest: Digest | null;
  /** `shown` is repeated in the answer, `hash` is what stores see. */
  session: { shown: string; hash: string | null };
  /** Messages that stand before those the client sent, from its session's history; absent: it asked for none. */
  historyMessages?: number;
  tags: Record<string, string>;
  /** HMAC of the client's end user: all that a provider of another dialect is told of them. */
  userHash: string | null;
  maxTier?: Tier;
  /** What is reserved for it; absent: no budget applies. */
  reservedUsd?: number;
}
