import type { Context } from 'hono';
import { estimateTokens } from '../../core/accounting/estimate.ts';
import { ANTHROPIC_COUNT } from '../../core/dialects/anthropic-messages/dialect.ts';
import { current } from '../../core/routing/candidates.ts';
import type { Candidate, Wish } from '../../core/routing/plan.ts';
import { prepareCall } from '../../pipeline/prepared-call.ts';
import type { StepSettings } from '../../pipeline/settings.ts';
import { countProviderTokens } from '../../providers/token-count.ts';
import type { AppEnv } from '../context.ts';
import { toAscii } from '../errors.ts';
import { readStep } from '../step-request.ts';

/**
 * POST /v1/messages/count_tokens: input tokens on the model that is named, else on the top one. Anthropic counts for
 * its own models; for others it is our estimate. No step: no row, no charge.
 */
export async function countTokens(c: Context<AppEnv>): Promise<Response> {
  const { request, settings } = await readStep(c, ANTHROPIC_COUNT, false);
  const counter = counterOf(request.wish, settings, new Date(request.startedAt).toISOString().slice(0, 10));
  const headers = {
    'content-type': 'application/json',
    'x-fluxcompute-model': toAscii(counter.name),
  };
  if (counter.model.wire !== request.wire) {
    const input_tokens = estimateTokens(request.conversation, counter.model).total;
    return new Response(JSON.stringify({ input_tokens }), { headers });
  }
  const { provider, body, headers: own } = prepareCall({ request, settings }, counter);
  const { timeouts } = settings;
  const counted = await countProviderTokens({ provider, body, headers: own, timeouts }, c.req.raw.signal);
  return new Response(counted, { headers });
}

function counterOf(wish: Wish, { tiers, baseline }: StepSettings, today: string): Candidate {
  return wish.kind === 'pinned' ? wish.candidate : current(tiers.hard[0] ?? baseline, today);
}
