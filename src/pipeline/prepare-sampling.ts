import type { Hints, Sampling } from '../core/conversation.ts';
import type { Report } from '../core/routing/adaptation.ts';
import type { CatalogModel, Wire } from '../core/routing/catalog.ts';

const PENALTIES = [
  ['presencePenalty', 'presence_penalty'],
  ['frequencyPenalty', 'frequency_penalty'],
] as const;

/** Sampling as the model takes it (T37, T68). @param effort the one it is sent, where it is sent one */
export function adaptSampling(
  sampling: Sampling,
  effort: string | undefined,
  { capabilities }: CatalogModel,
  report: Report,
): Sampling {
  const adapted = { ...sampling };
  const reasons = (effort ?? capabilities.defaultEffort ?? 'none') !== 'none';
  const taken = capabilities.sampling === 'always' || (capabilities.sampling === 'effort_none' && !reasons);
  const { temperature, topP, topK } = sampling;
  if (temperature !== undefined && !taken) {
    report({ field: 'temperature', action: 'dropped', from: temperature });
    delete adapted.temperature;
  } else if (temperature !== undefined && temperature > capabilities.maxTemperature) {
    const to = capabilities.maxTemperature;
    report({ field: 'temperature', action: 'clamped', from: temperature, to });
    adapted.temperature = to;
  }
  if (topP !== undefined && !taken) {
    report({ field: 'top_p', action: 'dropped', from: topP });
    delete adapted.topP;
  }
  // Anthropic's, which refuses it from API version 2026-10-21 on; OpenAI never had it.
  if (topK !== undefined) {
    report({ field: 'top_k', action: 'dropped', from: topK });
    delete adapted.topK;
  }
  if (sampling.seed !== undefined && !capabilities.seed) {
    report({ field: 'seed', action: 'dropped' });
    delete adapted.seed;
  }
  for (const [name, field] of PENALTIES) {
    const penalty = sampling[name];
    if (penalty === undefined || capabilities.penalties) continue;
    report({ field, action: 'dropped', from: penalty });
    delete adapted[name];
  }
  if (sampling.logitBias !== undefined && !capabilities.logitBias) {
    // An empty one says nothing, but is refused all the same.
    if (Object.keys(sampling.logitBias).length > 0) report({ field: 'logit_bias', action: 'dropped' });
    delete adapted.logitBias;
  }
  return adapted;
}

/** A tier of service in each wire's words (providers.md §3 and §4); what has none there is dropped. */
const SERVICE_TIERS: Readonly<Record<Wire, Readonly<Record<string, string>>>> = {
  'anthropic-messages': { auto: 'auto', default: 'standard_only', standard_only: 'standard_only' },
  'openai-responses': { standard_only: 'default' },
  'openai-chat': { standard_only: 'default' },
};

/** The tier of service the client asked for, where the provider has one like it and the model is offered at it. */
export function adaptServiceTier(hints: Hints, { wire, capabilities }: CatalogModel, report: Report): Hints {
  const { serviceTier: tier, ...rest } = hints;
  if (tier === undefined) return hints;
  const isOffered = tier === 'ultrafast' ? capabilities.ultrafast === true : wire !== 'anthropic-messages';
  const to = SERVICE_TIERS[wire][tier] ?? (isOffered ? tier : undefined);
  if (to === tier) return hints;
  if (to === undefined) {
    report({ field: 'service_tier', action: 'dropped' });
    return rest;
  }
  return { ...rest, serviceTier: to };
}
