import { costOf } from '../core/accounting/cost.ts';
import { tokensOn } from '../core/accounting/estimate.ts';
import { PRICE_BOOK_VERSION, pricesOf } from '../core/accounting/price-book.ts';
import { usageOf } from '../core/accounting/usage.ts';
import { cacheRulesOf } from '../core/context/cache-rules.ts';
import { turnsOf } from '../core/context/turns.ts';
import { infraUsd } from './infra.ts';
import type { AssessedRequest } from './planned-step.ts';
import type { Ports } from './ports.ts';
import type { BegunRecord } from './record.ts';
import { PROFILE } from './settle.ts';

/** Tokens of an answer nobody saw: the prior of the forecast (core/routing/forecast.ts). */
const OUTPUT = 100;

/**
 * What closes a step of which nothing more is heard: at what it would have cost on the first model of its own
 * difficulty with a cold cache. Known before it is planned, and replaced if it settles after all.
 */
export function unsettledRecord(assessed: AssessedRequest, { budget }: Pick<Ports, 'budget'>): BegunRecord {
  const { request, settings, difficulty, classificationMs, state } = assessed;
  return {
    request_id: request.requestId,
    started_at: new Date(request.startedAt).toISOString(),
    customer: request.customer,
    key_id: request.keyId,
    path: request.path,
    streamed: request.stream,
    session: request.session.hash,
    turn: turnsOf(request.conversation.messages).length,
    tags: request.tags,
    state: 'begun',
    requested_model: request.requestedModel,
    difficulty_score: difficulty.score,
    difficulty_label: difficulty.label,
    difficulty_unknown: difficulty.unknown,
    signals: difficulty.signals,
    cost_usd: estimatedCost(assessed),
    baseline_model: settings.baseline.name,
    infra_cost_usd: infraUsd(state, budget),
    price_book: PRICE_BOOK_VERSION,
    ...PROFILE,
    classification_ms: classificationMs,
  };
}

function estimatedCost({ request, settings, difficulty, needs }: AssessedRequest): number | null {
  const { wish } = request;
  const candidate = wish.kind === 'pinned' ? wish.candidate : settings.tiers[difficulty.label][0];
  const provider = candidate && settings.providers.get(candidate.provider);
  if (!candidate || !provider) return null;
  const { total } = tokensOn(candidate.model, needs.input);
  const prices = pricesOf(provider, candidate.name, new Date(request.startedAt).toISOString(), total);
  const { minimum, default: lifetime } = cacheRulesOf(candidate.model);
  const write = total >= minimum && prices?.[lifetime.write] != null ? lifetime.write : 'fresh';
  return costOf(usageOf({ [write]: total, output: OUTPUT }), prices);
}
