import { Buffer } from 'node:buffer';
import { meteredBound } from '../core/accounting/metered-bound.ts';
import { type CostBound, costBound, unboundedIn } from '../core/accounting/reservation.ts';
import { SUMMARY_TOKENS } from '../core/context/summary.ts';
import { THINKING_SHARE } from '../core/context/thoughts.ts';
import { LEAST_OUTPUT } from '../core/dialects/openai-responses/adapt.ts';
import { FluxError } from '../core/errors.ts';
import type { Candidate } from '../core/routing/candidate.ts';
import { current } from '../core/routing/candidates.ts';
import { rankOf } from '../core/routing/floor.ts';
import { TIERS } from '../core/routing/tier.ts';
import type { PassthroughRequest } from './passthrough.ts';
import type { Ports } from './ports.ts';
import type { StepSettings } from './settings.ts';
import type { StepRequest } from './step-request.ts';
import { summariser } from './summary.ts';

/**
 * Reserves what a step may cost at most in the budgets it counts against, before anything is sent (T43): from its
 * bytes and its `max_tokens`, without a plan, so that it can be asked for beside whatever else a plan waits for.
 * Without a budget nothing is done, and nothing waits.
 * @param thinksBack what a model thought may be put back into it, which no byte of it tells
 * @returns the step with what is reserved, perhaps capped
 * @throws FluxError 400 where a model that may answer has no price; 429 without room; 503 where nobody can tell
 */
export async function admitBudget(
  request: StepRequest,
  settings: StepSettings,
  { budget }: Pick<Ports, 'budget'>,
  thinksBack = false,
): Promise<StepRequest> {
  if (budget === null) return request;
  const models = modelsFor(request, settings);
  const low = modelsFor({ ...request, maxTier: 'easy' }, settings).filter(({ tier }) => tier === 'easy');
  const { reservedUsd, isCapped } = await budget.reserve({
    requestId: request.requestId,
    at: request.startedAt,
    bound: boundOf(models, request, settings, thinksBack),
    easy: low.length === 0 ? null : boundOf(low, request, settings, thinksBack),
  });
  return { ...request, reservedUsd, ...(isCapped ? { maxTier: 'easy' } : {}) };
}

/**
 * The same for a request that is sent on.
 * @returns what is reserved, as its answer tells it
 */
export async function admitPassthrough(
  { requestId, startedAt, target: { provider, model }, size }: PassthroughRequest,
  { budget }: Pick<Ports, 'budget'>,
): Promise<{ reserved_usd?: number }> {
  if (budget === null) return {};
  const at = new Date(startedAt).toISOString();
  const bound = model === null ? null : meteredBound(provider, model, at, size);
  if (!bound) throw unpriced(model ?? 'the default model', provider.id);
  const { reservedUsd } = await budget.reserve({ requestId, at: startedAt, bound, easy: null });
  return { reserved_usd: reservedUsd };
}

/** What is told of a model without a price (T42). */
function unpriced(name: string, provider: string): FluxError {
  return new FluxError(
    `A budget applies to this key, and ${name} has no price, so nothing could keep the budget: give it one under \`prices\` of provider '${provider}' in FLUX_PROVIDERS (0 is a price), or name another model.`,
    { status: 400, code: 'unpriced_model', param: 'model' },
  );
}

/** All that a plan could choose from, and successors of those that are retired. */
export function modelsFor(
  { wish, maxTier = 'hard', startedAt }: StepRequest,
  settings: StepSettings,
): Candidate[] {
  const today = new Date(startedAt).toISOString().slice(0, 10);
  if (wish.kind === 'pinned') return [current(wish.candidate, today)];
  const lowest = wish.kind === 'tier' ? wish.tier : 'easy';
  const inRange = TIERS.filter((tier) => rankOf(tier) <= rankOf(maxTier)).filter(
    // A cap below the floor is the floor.
    (tier) => rankOf(tier) >= Math.min(rankOf(lowest), rankOf(maxTier)),
  );
  const ruled = wish.kind === 'auto' ? (settings.rules ?? []) : [];
  return [
    ...inRange.flatMap((tier) => settings.tiers[tier]),
    ...ruled.flatMap(({ to }) => ('candidate' in to ? [to.candidate] : [])),
  ].map((candidate) => current(candidate, today));
}

function boundOf(
  models: readonly Candidate[],
  request: StepRequest,
  settings: StepSettings,
  thinksBack: boolean,
): CostBound {
  const { output, hints } = request.conversation;
  const { images, isOpen } = unboundedIn(request.conversation);
  const summed = summariserOf(request, settings);
  const shared = { serviceTier: hints.serviceTier, at: new Date(request.startedAt).toISOString() };
  const inputBytes = Buffer.byteLength(request.rawBody) * (1 + (thinksBack ? THINKING_SHARE : 0));
  const bound = priced(
    costBound(models, settings.providers, {
      ...shared,
      // No token is shorter than a byte.
      inputBytes: inputBytes + (summed ? SUMMARY_TOKENS.most : 0),
      images,
      // Fields of one wire alone: tools of the provider's, what is stored there, sound.
      isOpen: isOpen || request.ownFields.length > 0,
      maxTokens: Math.max(output.maxTokens ?? settings.defaultMaxTokens, LEAST_OUTPUT),
      answers: output.n,
    }),
  );
  if (!summed) return bound;
  const summary = priced(
    costBound([summed], settings.providers, {
      ...{ ...shared, inputBytes, images: 0, isOpen: false, maxTokens: SUMMARY_TOKENS.most, answers: 1 },
    }),
  );
  return { most: bound.most + summary.most, likely: bound.likely + summary.likely };
}

/** Who may be asked for a summary of what a cut leaves out; undefined: nobody. */
function summariserOf({ wish, startedAt }: StepRequest, settings: StepSettings): Candidate | undefined {
  const mayBeCut = settings.handover === 'summary' && wish.kind !== 'pinned';
  return mayBeCut ? summariser(settings, startedAt) : undefined;
}

/** @throws FluxError 400 where a model has no price */
function priced(bound: ReturnType<typeof costBound>): CostBound {
  if ('unpriced' in bound) throw unpriced(bound.unpriced.name, bound.unpriced.provider);
  return bound;
}
