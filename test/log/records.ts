import fc from 'fast-check';
import { usageOf } from '../../src/core/accounting/usage.ts';
import type { StepRecord } from '../../src/pipeline/record.ts';

let made = 0;

/** A step like any other; what a test speaks of is given. */
export function step(part: Partial<StepRecord> = {}): StepRecord {
  made++;
  return {
    request_id: `req_${String(made).padStart(6, '0')}`,
    started_at: '2026-11-20T12:00:00.123Z',
    customer: 'acme',
    key_id: 'key_1',
    path: '/v1/chat/completions',
    streamed: false,
    simulated: true,
    passthrough: false,
    session: null,
    lane: null,
    turn: null,
    tags: { team: 'search' },
    state: 'ok',
    status: 200,
    error_code: null,
    requested_model: 'auto',
    provider: 'anthropic',
    model: 'claude-haiku-5-5',
    model_attempted: 'claude-haiku-5-5',
    tier: 'easy',
    floor: 'easy',
    reason: 'floor',
    difficulty_score: 0.12,
    difficulty_label: 'easy',
    difficulty_unknown: false,
    signals: { length: -0.5 },
    tokens: usageOf({ fresh: 100, output: 20 }),
    tool_calls: 0,
    cost_usd: 0.00000064,
    baseline_model: 'claude-opus-5-5',
    baseline_cost_usd: 0.000012,
    infra_cost_usd: 0,
    attempts: [
      {
        provider: 'anthropic',
        model: 'claude-haiku-5-5',
        tier: 'easy',
        status: 200,
        why: null,
        cost_usd: 0.00000064,
        ms: 812.5,
      },
    ],
    escalations: 0,
    estimated: [],
    price_book: '2026-11-01',
    basis: 'prior',
    profile_version: 0,
    classification_ms: 0.08,
    overhead_ms: 1.5,
    latency_ms: 820,
    ...part,
  };
}

const tier = fc.constantFrom('easy' as const, 'medium' as const, 'hard' as const);
const count = fc.nat(2_000_000);
/** Dollars to 1e-9, so that sums in floating point have something to compare with. */
const usd = fc.nat(2_000_000_000).map((nano) => nano / 1e9);

/** Steps that differ in everything a summary looks at, over some three days of two customers. */
export const anyStep: fc.Arbitrary<StepRecord> = fc
  .record({
    started_at: fc
      .integer({ min: Date.UTC(2026, 10, 29), max: Date.UTC(2026, 11, 2) })
      .map((ms) => new Date(ms).toISOString()),
    customer: fc.constantFrom('acme', 'zeta'),
    state: fc.constantFrom('ok' as const, 'failed' as const, 'abandoned' as const),
    simulated: fc.boolean(),
    passthrough: fc.boolean(),
    provider: fc.option(fc.constantFrom('anthropic', 'openai')),
    model: fc.option(fc.constantFrom('m1', 'm2')),
    tier: fc.option(tier),
    tool_calls: fc.nat(9),
    escalations: fc.nat(2),
    cost_usd: fc.option(usd),
    baseline_cost_usd: fc.option(usd),
    estimated: fc.subarray(['cost' as const, 'baseline' as const, 'warm' as const]),
    tokens: fc
      .tuple(count, count, count, count, count, count, count)
      .map(([fresh, write_5m, write_1h, write_30m, write_12h, read, output]) =>
        usageOf({ fresh, write_5m, write_1h, write_30m, write_12h, read, output }),
      ),
  })
  .map((part) => step(part));
