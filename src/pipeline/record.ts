import * as z from 'zod';

const count = z.number().int().nonnegative();
const usd = z.number().nullable();

/** The `error_code` of a step that was begun and of which nothing more was heard: a late settle replaces its row. */
export const UNSETTLED = 'unsettled';

/** One call to a provider inside a step: a retry, an escalation or the one that answered. */
export const attemptRecord = z.object({
  provider: z.string(),
  model: z.string(),
  tier: z.enum(['easy', 'medium', 'hard']).nullable(),
  /** HTTP status, or 0 where none came (time-out, reset). */
  status: z.number().int(),
  /** Why it was not the answer; null for the one that was. */
  why: z.string().nullable(),
  cost_usd: usd,
  ms: z.number().nonnegative(),
});

/**
 * One step as it is logged: the queue's message and the row of `queries`. Numbers, names and enums only:
 * no content, no error message, no key (T48). A message stays far below the queue's 128 KB.
 */
export const stepRecord = z.object({
  request_id: z.string().min(1).max(64),
  /** ISO 8601, UTC. */
  started_at: z.iso.datetime(),
  customer: z.string(),
  key_id: z.string(),
  path: z.string(),
  streamed: z.boolean(),
  simulated: z.boolean(),
  passthrough: z.boolean(),
  /** HMAC of the session's name; null without one. */
  session: z.string().nullable(),
  lane: z.string().nullable(),
  turn: count.nullable(),
  tags: z.record(z.string(), z.string()),
  state: z.enum(['ok', 'failed', 'abandoned']),
  status: z.number().int(),
  error_code: z.string().nullable(),
  requested_model: z.string(),
  /** The model that answered; null where none did. */
  provider: z.string().nullable(),
  model: z.string().nullable(),
  model_attempted: z.string().nullable(),
  tier: z.enum(['easy', 'medium', 'hard']).nullable(),
  floor: z.enum(['easy', 'medium', 'hard']).nullable(),
  reason: z.string().nullable(),
  difficulty_score: z.number().nullable(),
  difficulty_label: z.enum(['easy', 'medium', 'hard']).nullable(),
  difficulty_unknown: z.boolean(),
  signals: z.record(z.string(), z.number()),
  tokens: z.object({
    fresh: count,
    write_5m: count,
    write_1h: count,
    write_30m: count,
    write_12h: count,
    read: count,
    output: count,
  }),
  tool_calls: count,
  cost_usd: usd,
  baseline_model: z.string().nullable(),
  baseline_cost_usd: usd,
  /** What running the step cost at list prices, without its models. A default: older messages may be in flight. */
  infra_cost_usd: z.number().nonnegative().default(0),
  attempts: z.array(attemptRecord),
  /** Times the step was sent to a higher tier. */
  escalations: count,
  estimated: z.array(z.enum(['cost', 'baseline', 'warm'])),
  price_book: z.string(),
  basis: z.enum(['prior', 'measured', 'certified']),
  profile_version: count,
  classification_ms: z.number().nullable(),
  overhead_ms: z.number().nonnegative(),
  latency_ms: z.number().nonnegative(),
});

/**
 * What is kept of a step that was sent, until its own row is there: what {@link abandonedRecord} can't tell by itself.
 * Small, for the queue holds one for minutes of most steps.
 */
export const begunRecord = stepRecord
  .omit({
    ...{ simulated: true, passthrough: true, lane: true, status: true, error_code: true },
    ...{ provider: true, model: true, model_attempted: true, tier: true, floor: true, reason: true },
    ...{ tokens: true, tool_calls: true, baseline_cost_usd: true, attempts: true, escalations: true },
    ...{ estimated: true, overhead_ms: true, latency_ms: true },
  })
  .extend({ state: z.literal('begun') });

/** An item of a queue's message. */
export const queuedRecord = z.discriminatedUnion('state', [stepRecord, begunRecord]);

export type AttemptRecord = z.infer<typeof attemptRecord>;
export type StepRecord = z.infer<typeof stepRecord>;
export type QueuedRecord = z.infer<typeof queuedRecord>;
export type BegunRecord = z.infer<typeof begunRecord>;

/** The row of a step of which nothing more was heard. */
export function abandonedRecord(begun: BegunRecord): StepRecord {
  return {
    ...begun,
    ...{ state: 'abandoned', status: 499, error_code: UNSETTLED },
    ...{ simulated: false, passthrough: false, lane: null },
    ...{ provider: null, model: null, model_attempted: null, tier: null, floor: null, reason: null },
    tokens: { fresh: 0, write_5m: 0, write_1h: 0, write_30m: 0, write_12h: 0, read: 0, output: 0 },
    ...{ tool_calls: 0, baseline_cost_usd: null, attempts: [], escalations: 0, estimated: ['cost'] },
    ...{ overhead_ms: 0, latency_ms: 0 },
  };
}
