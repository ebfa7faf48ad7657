import { costOf, roundUsd } from '../core/accounting/cost.ts';
import { estimateTokens, tokensOfSize } from '../core/accounting/estimate.ts';
import { pricesOf } from '../core/accounting/price-book.ts';
import { serviceFactor } from '../core/accounting/service-tiers.ts';
import { inputTokens, type Usage, usageOf } from '../core/accounting/usage.ts';
import type { Conversation } from '../core/conversation.ts';
import type { Escalation } from '../core/metadata.ts';
import type { FailureKind } from '../core/routing/escalation.ts';
import type { Candidate } from '../core/routing/plan.ts';
import type { CallOutcome } from './ports.ts';
import type { AttemptRecord } from './record.ts';
import type { StepSettings } from './settings.ts';
import type { StepRequest } from './step-request.ts';

/** The answer that was served, priced. */
export interface Served {
  candidate: Candidate;
  /** As the provider named it in the response (T41). */
  model: string;
  usage: Usage;
  /** The provider reported no usage: tokens are estimated from the text. */
  estimated: boolean;
  cost: number | null;
}

/** What one step was sent, what came of it and what each attempt cost. */
export interface Ledger {
  attempts: AttemptRecord[];
  escalations: Escalation[];
  isSimulated: boolean;
  /** The cost of some attempt is estimated. */
  isEstimated: boolean;
  /** When the first request went to a provider; null before. */
  firstSentAt: number | null;
  /** When the provider's last answer was over; null before. */
  lastAnswerAt: number | null;
  /** @param conversation as it was sent: what is counted where its provider reports nothing */
  sent(at: number, conversation: Conversation): void;
  failed(candidate: Candidate, why: FailureKind, status: number, ms: number): void;
  /** @param why null for the answer that was served. */
  answered(candidate: Candidate, said: Said, why: string | null, ms: number, at: number): void;
  /** What a summary of what is left out did cost. */
  summarised(candidate: Candidate, outcome: CallOutcome): void;
  escalated(from: Candidate, to: Candidate, why: FailureKind, status: number): void;
  simulated(yes: boolean): void;
  /** The last attempt that answered, whether or not it was served. */
  served: Served | null;
}

/** Why such an attempt was not the answer. */
const SUMMARY = 'summary';

interface Said {
  /** Null where the stream broke before it named one. */
  model: string | null;
  usage: Usage | undefined;
  /** The usage counts the whole answer. Anthropic reports an early one, with hardly any output, at the start. */
  final: boolean;
  serviceTier?: string | undefined;
  /** What {@link textTokens} makes of all it said. */
  size: number;
}

/** A provider may call its models anything: only what looks like a name is kept (T48). */
export const MODEL_NAME = /^[\x21-\x7e]{1,128}$/;

export function createLedger(request: StepRequest, settings: StepSettings): Ledger {
  const at = new Date(request.startedAt).toISOString();
  let lastSent = request.conversation;

  const price = (candidate: Candidate, said: Said): Served => {
    const usage = said.usage && said.final ? said.usage : estimateUsage(lastSent, candidate, said);
    const provider = settings.providers.get(candidate.provider);
    const model = said.model !== null && MODEL_NAME.test(said.model) ? said.model : candidate.name;
    const prices = provider
      ? (pricesOf(provider, model, at, inputTokens(usage)) ??
        pricesOf(provider, candidate.name, at, inputTokens(usage)))
      : null;
    return {
      candidate,
      model,
      usage,
      estimated: !said.usage || !said.final,
      cost: scaled(costOf(usage, prices), serviceFactor(candidate.model.kind, said.serviceTier)),
    };
  };

  const ledger: Ledger = {
    attempts: [],
    escalations: [],
    isSimulated: false,
    isEstimated: false,
    firstSentAt: null,
    lastAnswerAt: null,
    served: null,
    sent(now, conversation) {
      lastSent = conversation;
      ledger.firstSentAt ??= now;
    },
    failed(candidate, why, status, ms) {
      // A request that was refused is not billed. One nobody waited for any longer may be, at least for its input.
      const billed = status === 0 && (why === 'timeout' || why === 'client_left');
      const lost = billed ? price(candidate, { model: null, usage: undefined, final: false, size: 0 }) : null;
      ledger.isEstimated ||= billed;
      ledger.attempts.push({
        provider: candidate.provider,
        model: candidate.name,
        tier: candidate.tier,
        status,
        why,
        cost_usd: lost ? lost.cost : 0,
        ms,
      });
    },
    answered(candidate, said, why, ms, at) {
      ledger.lastAnswerAt = at;
      const served = price(candidate, said);
      ledger.served = served;
      ledger.isEstimated ||= served.estimated;
      ledger.attempts.push({
        provider: candidate.provider,
        model: served.model,
        tier: candidate.tier,
        status: 200,
        why,
        cost_usd: served.cost,
        ms,
      });
    },
    summarised(candidate, outcome) {
      const { provider, name, tier } = candidate;
      const said = outcome.kind === 'answer' ? outcome.answer : null;
      const status = outcome.kind === 'failed' ? outcome.failure.status : 200;
      // As with any other call: what was refused is free, and what nobody waited for may not be.
      const made =
        said || status === 0
          ? price(candidate, {
              ...{ model: said?.model ?? null, usage: said?.usage, final: said !== null, size: 0 },
            })
          : null;
      ledger.isEstimated ||= made?.estimated ?? false;
      ledger.attempts.push({
        ...{ provider, model: made?.model ?? name, tier, status, why: SUMMARY },
        ...{ cost_usd: made ? made.cost : 0, ms: outcome.ms },
      });
    },
    escalated(from, to, why, status) {
      const cost = ledger.attempts
        .filter(
          ({ provider, tier, why: what }) =>
            provider === from.provider && tier === from.tier && what !== SUMMARY,
        )
        .reduce<number | null>(
          (sum, attempt) => (sum === null || attempt.cost_usd === null ? null : sum + attempt.cost_usd),
          0,
        );
      ledger.escalations.push({ from: from.name, to: to.name, why, status, cost_usd: cost });
    },
    simulated(yes) {
      ledger.isSimulated ||= yes;
    },
  };
  return ledger;
}

/** What the provider had reported by then, and at least the tokens of the text that came. */
function estimateUsage(sent: Conversation, { model }: Candidate, said: Said): Usage {
  const reported = said.usage ?? usageOf({ fresh: estimateTokens(sent, model).total });
  return { ...reported, output: Math.max(reported.output, tokensOfSize(said.size, model)) };
}

function scaled(cost: number | null, factor: number | null): number | null {
  return cost === null || factor === null ? null : roundUsd(cost * factor);
}
