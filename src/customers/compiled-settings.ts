import { fromCounts } from '../core/routing/experience-counts.ts';
import type { ProviderSettings, StepSettings } from '../pipeline/settings.ts';
import type { AccessFacts } from './access.ts';
import { remember } from './bounded.ts';
import { unseal } from './sealed.ts';
import type { CustomerSettings } from './settings.ts';
import { settingsFor } from './step-settings.ts';

type Stored = NonNullable<AccessFacts['settings']>;

/** Customers whose settings an isolate keeps made up. */
const MOST = 1_000;

/**
 * Makes a customer's settings up for the pipeline, with what its lanes have shown, once a version of both: requests
 * read objects, no JSON. Without experience, or where no store tells it, the shipped prior is all there is to expect.
 * @param secrets FLUX_SECRET and the one before it, which open the customer's own provider keys; none: nothing does
 * @param tell how many of the settings this deployment can't follow (any more)
 */
export function settingsCompiler(
  deployment: StepSettings,
  secrets: readonly string[],
  tell: (problems: number) => void,
): (customer: string, facts: AccessFacts) => Promise<StepSettings> {
  const made = new Map<string, { version: string; step: StepSettings }>();
  return async (customer, { settings: stored, experience: counts }) => {
    if (stored === null && counts === null) return deployment;
    const version = JSON.stringify([stored?.version, counts]);
    const before = made.get(customer);
    if (before?.version === version) return before.step;
    const experience = counts && fromCounts(counts);
    const step = {
      ...(stored === null ? deployment : await settled(stored, customer)),
      ...(experience === null ? {} : { experience }),
    };
    remember(made, customer, { version, step }, MOST);
    return step;
  };

  async function settled({ settings, sealed }: Stored, customer: string): Promise<StepSettings> {
    const providers = await withOwnKeys(deployment.providers, settings, sealed, customer, secrets);
    const { step, problems } = settingsFor(deployment, settings, providers, today());
    if (problems.length > 0) tell(problems.length);
    return step;
  }
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
