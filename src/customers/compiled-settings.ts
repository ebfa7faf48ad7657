import type { ProviderSettings, StepSettings } from '../pipeline/settings.ts';
import type { AccessFacts } from './access.ts';
import { remember } from './bounded.ts';
import { unseal } from './sealed.ts';
import type { CustomerSettings } from './settings.ts';
import { settingsFor } from './step-settings.ts';

/** Customers whose settings an isolate keeps made up. */
const MOST = 1_000;

/**
 * Makes a customer's settings up for the pipeline, once a version: requests read objects, no JSON.
 * @param secrets FLUX_SECRET and the one before it, which open the customer's own provider keys; none: nothing does
 * @param tell how many of the settings this deployment can't follow (any more)
 */
export function settingsCompiler(
  deployment: StepSettings,
  secrets: readonly string[],
  tell: (problems: number) => void,
): (customer: string, facts: AccessFacts) => Promise<StepSettings> {
  const made = new Map<string, { version: number; step: StepSettings }>();
  return async (customer, { settings: stored }) => {
    if (stored === null) return deployment;
    const before = made.get(customer);
    if (before?.version === stored.version) return before.step;
    const { settings, sealed } = stored;
    const providers = await withOwnKeys(deployment.providers, settings, sealed, customer, secrets);
    const { step, problems } = settingsFor(deployment, settings, providers, today());
    if (problems.length > 0) tell(problems.length);
    remember(made, customer, { version: stored.version, step }, MOST);
    return step;
  };
}

/**
 * The deployment's providers, with the customer's own keys where it has set them. One that can't be opened leaves
 * its provider without a key: the deployment's would let the customer spend another's money.
 */
export async function withOwnKeys(
  providers: ReadonlyMap<string, ProviderSettings>,
  settings: CustomerSettings,
  sealed: Readonly<Record<string, string>>,
  customer: string,
  secrets: readonly string[],
): Promise<ReadonlyMap<string, ProviderSettings>> {
  const ids = new Set(Object.keys(settings.provider_keys ?? {}));
  if (ids.size === 0) return providers;
  const own = new Map<string, ProviderSettings>();
  for (const [id, provider] of providers) {
    own.set(id, ids.has(id) ? await withOwnKey(provider, sealed[id], customer, secrets) : provider);
  }
  return own;
}

async function withOwnKey(
  { apiKey: _shared, ...provider }: ProviderSettings,
  sealed: string | undefined,
  customer: string,
  secrets: readonly string[],
): Promise<ProviderSettings> {
  const key = sealed === undefined ? null : await unseal(sealed, secrets, customer, provider.id);
  return {
    ...provider,
    keyVariable: `provider_keys.${provider.id}`,
    ownKey: true,
    ...(key === null ? {} : { apiKey: key }),
  };
}

/** UTC, `YYYY-MM-DD`. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
