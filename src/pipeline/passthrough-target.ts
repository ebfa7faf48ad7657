import { FluxError, invalidRequest } from '../core/errors.ts';
import { TIERS } from '../core/routing/tier.ts';
import { sharedStoredObject } from '../core/stored-objects.ts';
import type { ProviderSettings, StepSettings } from './settings.ts';

/** Where a request is sent on to. */
export interface PassthroughTarget {
  provider: ProviderSettings;
  /** As the provider knows it; null: the provider's default. */
  model: string | null;
}

/** Whose model it is stands in the name of a tuned one, and it lies at the provider (T56). */
const TUNED = /^ft:/;

/**
 * The provider of a request that is sent on: the one that `provider/model` names, else one that has a price for the
 * model, else OpenAI itself, else the first that speaks its API.
 * @param wanted the body's `model`
 * @param stored the field that names an object stored at a provider, where there is one
 * @throws FluxError 400; 503 where no such provider is configured
 */
export function targetOf(
  wanted: string | null,
  stored: string | null,
  { providers, modelMap }: Pick<StepSettings, 'providers' | 'modelMap'>,
): PassthroughTarget {
  const name = wanted === null ? null : (modelMap?.get(wanted) ?? wanted);
  if (name === 'auto' || TIERS.some((tier) => name === `auto:${tier}`)) {
    throw invalidRequest(
      'Only conversations are routed: name the model that this endpoint is to be called with.',
      'model',
    );
  }
  const slash = name?.indexOf('/') ?? -1;
  // A model's own name may hold a slash too.
  const named = name === null ? undefined : providers.get(name.slice(0, Math.max(0, slash)));
  const model = named && name !== null ? name.slice(slash + 1) : name;
  const provider = named ?? choose(model, providers);
  if (provider.kind !== 'openai') {
    throw invalidRequest(
      `Provider '${provider.id}' has no such endpoint: name a model of a provider with OpenAI's API.`,
      'model',
    );
  }
  const field = stored ?? (model !== null && TUNED.test(model) ? 'model' : null);
  if (field !== null && !provider.ownKey) throw sharedStoredObject(field, `'${provider.id}'`);
  return { provider, model };
}

function choose(model: string | null, providers: ReadonlyMap<string, ProviderSettings>): ProviderSettings {
  const able = [...providers.values()].filter(
    ({ kind, apiKey, ownKey, keyVariable }) =>
      kind === 'openai' && (apiKey !== undefined || ownKey || keyVariable === ''),
  );
  const priced = able.find(({ prices }) => model !== null && Object.hasOwn(prices ?? {}, model));
  const provider = priced ?? able[0];
  if (provider) return provider;
  throw new FluxError(
    "This endpoint is sent on to a provider with OpenAI's API, and none is set up here: set OPENAI_API_KEY where the gateway runs, or add a server with FLUX_PROVIDERS.",
    { status: 503, code: 'not_configured' },
  );
}
