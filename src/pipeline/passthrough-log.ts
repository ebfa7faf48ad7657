import { totalCost } from '../core/accounting/cost.ts';
import { meteredCost } from '../core/accounting/metered-usage.ts';
import { PRICE_BOOK_VERSION, pricesOf } from '../core/accounting/price-book.ts';
import { usageOf } from '../core/accounting/usage.ts';
import type { AnswerFacts } from '../core/dialects/openai-stateless/answer-ends.ts';
import type { PassthroughMetadata } from '../core/metadata.ts';
import { infraUsd } from './infra.ts';
import { MODEL_NAME } from './ledger.ts';
import type { PassthroughPorts, PassthroughRequest } from './passthrough.ts';
import type { Failure, PassthroughOutcome } from './ports.ts';
import type { AttemptRecord, StepRecord } from './record.ts';
import { PROFILE, rowCode } from './settle.ts';

/** How a request that was sent on ended. */
export interface PassthroughEnd {
  status: number;
  errorCode: string | null;
  /** Of the last try; absent where it was the answer. */
  failure?: Pick<Failure, 'kind' | 'status'> | undefined;
  /** When the provider's last byte was there. */
  endedAt?: number;
}

/** Writes the row, once, and gives what the client is told. */
export type PassthroughLog = (
  state: StepRecord['state'],
  facts: AnswerFacts,
  end: PassthroughEnd,
) => PassthroughMetadata;

export function openPassthroughLog(
  request: PassthroughRequest,
  outcome: PassthroughOutcome,
  ports: PassthroughPorts,
  sentAt: number,
  reserved: Pick<PassthroughMetadata, 'reserved_usd'>,
): PassthroughLog {
  const { provider, model: asked } = request.target;
  const at = new Date(request.startedAt).toISOString();
  const isAnswered = outcome.kind !== 'failed';
  const tryOf = (
    model: string,
    { kind, status }: Pick<Failure, 'kind' | 'status'>,
    ms: number,
  ): AttemptRecord => ({
    provider: provider.id,
    model,
    tier: null,
    status,
    why: kind,
    // A request that was refused is not billed. What one cost that nobody waited for any longer is not known (T42).
    cost_usd: status === 0 && (kind === 'timeout' || kind === 'client_left') ? null : 0,
    ms,
  });

  return (state, facts, { status, errorCode, failure, endedAt }) => {
    const now = ports.clock.now();
    const named = facts.model !== null && MODEL_NAME.test(facts.model) ? facts.model : null;
    const model = named ?? nameInRow(asked, request, isAnswered);
    const attempts = outcome.failures.map((one) => tryOf(model, one, one.ms));
    if (isAnswered) {
      const cost_usd = costOf(request, named, at, facts);
      const why = failure?.kind ?? null;
      attempts.push({ provider: provider.id, model, tier: null, status: 200, why, cost_usd, ms: outcome.ms });
    } else attempts.push(tryOf(model, outcome.failure, outcome.failure.ms));

    const shared = {
      request_id: request.requestId,
      reason: 'pinned' as const,
      tier: null,
      cost_usd: totalCost(attempts.map((one) => one.cost_usd)),
      baseline_model: null,
      baseline_cost_usd: null,
      overhead_ms: Math.max(0, sentAt - request.startedAt + (now - (endedAt ?? now))),
      price_book: PRICE_BOOK_VERSION,
      simulated: outcome.simulated,
    };
    const { thinking: _inside, ...tokens } = facts.usage?.tokens ?? usageOf({});
    ports.logStep({
      ...shared,
      ...PROFILE,
      started_at: at,
      customer: request.customer,
      key_id: request.keyId,
      path: `/v1${request.path}`,
      streamed: outcome.kind === 'events',
      passthrough: true,
      session: request.session.hash,
      lane: null,
      turn: null,
      tags: request.tags,
      state,
      status,
      error_code: rowCode(errorCode),
      requested_model: nameInRow(request.requestedModel, request, isAnswered),
      provider: isAnswered ? provider.id : null,
      model: isAnswered ? model : null,
      model_attempted: nameInRow(asked, request, isAnswered),
      floor: null,
      difficulty_score: null,
      difficulty_label: null,
      difficulty_unknown: false,
      signals: {},
      tokens,
      tool_calls: 0,
      infra_cost_usd: infraUsd({ object: null, thoughts: null }, ports.budget),
      attempts,
      escalations: 0,
      estimated: [],
      classification_ms: null,
      latency_ms: Math.max(0, now - request.startedAt),
    });
    return {
      ...shared,
      ...reserved,
      passthrough: true,
      provider: provider.id,
      model_selected: named ?? asked,
      savings_usd: null,
      savings_pct: null,
      session_id: request.session.shown,
    };
  };
}

/** By the model that the answer names, else by the one that was asked for (T41). */
function costOf(
  { target: { provider, model } }: PassthroughRequest,
  named: string | null,
  at: string,
  { usage }: AnswerFacts,
): number | null {
  const byName = named === null ? null : meteredCost(provider, named, at, usage);
  return byName ?? (model === null ? null : meteredCost(provider, model, at, usage));
}

/** A client may call a model anything: only a name that somebody knows is kept (T48). */
function nameInRow(
  name: string | null,
  { startedAt, target: { provider, model } }: PassthroughRequest,
  isAnswered: boolean,
): string {
  if (name === null) return 'default';
  const at = new Date(startedAt).toISOString();
  const isKnown = isAnswered || (model !== null && pricesOf(provider, model, at, 0) !== null);
  return isKnown && MODEL_NAME.test(name) ? name : 'other';
}
