import type { ConfiguredPrices } from '../core/accounting/prices.ts';
import type { Capabilities, ProviderKind } from '../core/routing/catalog.ts';
import type { Experience } from '../core/routing/experience.ts';
import type { Candidate } from '../core/routing/plan.ts';
import type { Rule } from '../core/routing/rules.ts';
import type { Tier } from '../core/routing/tier.ts';

/** A provider the deployment may call. Its URL comes from here and never from a request. */
export interface ProviderSettings {
  id: string;
  kind: ProviderKind;
  /** Anthropic's without `/v1`, an OpenAI-compatible one with it. */
  baseUrl: string;
  /** Absent until the variable is set: a step that needs it fails with its name. */
  apiKey?: string;
  /** The variable that holds the key. */
  keyVariable: string;
  /** The key is the customer's own and stands in its settings; `apiKey` is absent where it can't be opened. */
  ownKey?: true;
  prices?: ConfiguredPrices;
  capabilities?: Partial<Capabilities>;
}

/** Milliseconds. */
export interface Timeouts {
  /** Until the provider's answer begins (whole answers: until it is there). */
  firstByte: number;
  /** Silence inside a stream, from either side. */
  idle: number;
  /** Silence after which a stream gets a comment, so that nobody in between closes it. */
  keepAlive: number;
  /** For a session's object when a step begins: longer, and the step goes on without it (T46). */
  session: number;
  /** A step of which nothing was heard for so long is over. */
  abandoned: number;
  /** A lane that nobody went on with for so long has ended: what it has shown counts for its customer's next ones. */
  laneEnd: number;
  /** First pause before a retry; it doubles. */
  retryBase: number;
}

/**
 * What becomes of a long conversation whose cache is cold: a cheaper tier is handed its latest turns and what is pinned
 * where that costs less from here on (`auto`), with a summary of the rest (`summary`), or always all of it (`off`).
 */
export const HANDOVERS = ['auto', 'summary', 'off'] as const;
export type Handover = (typeof HANDOVERS)[number];

/** What the pipeline needs to know of the deployment and the customer. */
export interface StepSettings {
  mode: 'observe' | 'route' | 'certified';
  providers: ReadonlyMap<string, ProviderSettings>;
  tiers: Record<Tier, readonly Candidate[]>;
  /** What savings are measured against: the first of `hard` unless set. */
  baseline: Candidate;
  /** Output tokens where the client names no limit and the provider wants one. */
  defaultMaxTokens: number;
  timeouts: Timeouts;
  // What a customer may add (customers/step-settings.ts); absent: nothing.
  /** Models that may be pinned besides those of the tiers. */
  allowedModels?: readonly Candidate[];
  /** What a client's `model` stands for: `gpt-4o` → `auto`. */
  modelMap?: ReadonlyMap<string, string>;
  /** Whether cheaper tiers may be handed less than the whole of a long conversation; absent: `auto`. */
  handover?: Handover;
  /** In order: the first that holds decides. */
  rules?: readonly Rule[];
  /** What the customer's lanes that ended have shown. */
  experience?: Experience;
  /** Keys of OpenAI's `metadata` that count as tags. */
  tagKeys?: readonly string[];
  /** Days that anything of a step is kept. */
  retentionDays?: number;
}
