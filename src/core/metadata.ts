import type { Adaptation } from './routing/adaptation.ts';
import type { FailureSignal } from './routing/failure-signals.ts';
import type { Tier } from './routing/tier.ts';

/** The same step sent to a higher tier, or to another model of its tier. */
export interface Escalation {
  from: string;
  to: string;
  /** `rate_limited`, `overloaded`, `server_error`, `timeout`, `unreachable`, `refusal`, `empty_answer`, `invalid_answer`, `model_unavailable`. */
  why: string;
  /** HTTP status of the failed attempt; 0 where none came. */
  status: number;
  cost_usd: number | null;
}

/** Why the model was chosen. */
export type Reason =
  | 'pinned'
  | 'forced_tier'
  | 'floor'
  | 'cheapest_ahead'
  | 'stay_warm'
  | 'capped'
  | 'rule'
  | 'capability'
  | 'portability'
  | 'health'
  | 'housekeeping'
  | 'observe'
  | 'escalated';

/** What a model was not shown of a conversation (T25). */
export interface ContextMetadata {
  kept_messages: number;
  left_out_messages: number;
  /** Estimated, as the model counts them. */
  left_out_tokens: number;
  /** A summary stands in the place of what was left out. */
  summary: boolean;
}

/** What was put to the client's own context, and what was taken from it. */
export interface ContextChange extends Partial<ContextMetadata> {
  /** Messages of the session's history that were put before the client's own; absent: it asked for none. */
  history_messages?: number;
}

/** The `fluxcompute` object in every answer. Fields and units: docs/api.md. */
export interface FluxMetadata {
  request_id: string;
  difficulty_score: number;
  difficulty_label: Tier;
  floor: Tier;
  reason: Reason;
  tier: Tier | null;
  provider: string;
  model_selected: string;
  model_attempted: string;
  baseline_model: string;
  cost_usd: number | null;
  baseline_cost_usd: number | null;
  savings_usd: number | null;
  savings_pct: number | null;
  classification_ms: number | null;
  overhead_ms: number;
  session_id: string;
  context_compression: number;
  /** How what was sent on differs from what the client sent; absent where it is the same. */
  context?: ContextChange;
  cache: { cache_write_tokens: number; cache_read_tokens: number; cache_hit: boolean };
  escalations: Escalation[];
  adapted: Adaptation[];
  estimated: ('cost' | 'baseline' | 'warm')[];
  signals: Record<string, number>;
  /** What went wrong in the step before, where it did: it raised the floor of this one. */
  failure_signals?: FailureSignal[] | undefined;
  profile_version: number;
  basis: 'prior' | 'measured' | 'certified';
  price_book: string;
  simulated: boolean;
  /** What a budget holds back for it until its cost is known; absent where none applies. */
  reserved_usd?: number;
}

/** The `fluxcompute` object of a request that was sent on as it came: nothing was chosen, so nothing is compared. */
export interface PassthroughMetadata {
  request_id: string;
  passthrough: true;
  reason: 'pinned';
  tier: null;
  provider: string;
  /** As the provider names it; null where neither side named one. */
  model_selected: string | null;
  cost_usd: number | null;
  baseline_model: null;
  baseline_cost_usd: null;
  savings_usd: null;
  savings_pct: null;
  overhead_ms: number;
  session_id: string;
  price_book: string;
  simulated: boolean;
  reserved_usd?: number;
}
