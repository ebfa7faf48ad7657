import { FluxError, invalidRequest } from '../core/errors.ts';
import type { StepSettings } from '../pipeline/settings.ts';
import { today } from './compiled-settings.ts';
import { seal } from './sealed.ts';
import type { CustomerSettings, WrittenSettings } from './settings.ts';
import type { SettingsVersion } from './settings-history.ts';
import { settingsFor } from './step-settings.ts';

/**
 * Settings as they are kept: checked against what the deployment has, the customer's own provider keys sealed.
 * @param before the sealed keys there are, for those that are to stay
 * @throws FluxError 400 that names the setting and what there is; 503 where keys can't be kept
 */
export async function toKept(
  { provider_keys: keys = {}, ...others }: WrittenSettings,
  before: Readonly<Record<string, string>>,
  customer: string,
  deployment: StepSettings & { secret: string | null },
): Promise<Pick<SettingsVersion, 'settings' | 'sealed'>> {
  const set = Object.keys(keys).map((id) => [id, { set: true }] as const);
  const settings: CustomerSettings = {
    ...others,
    ...(set.length === 0 ? {} : { provider_keys: Object.fromEntries(set) }),
  };
  const [problem] = settingsFor(deployment, settings, deployment.providers, today()).problems;
  if (problem) throw invalidRequest(problem.message, problem.param);

  const sealed: Record<string, string> = {};
  for (const [id, key] of Object.entries(keys)) {
    const kept = before[id];
    if (typeof key === 'string') sealed[id] = await seal(key, secretOf(deployment), customer, id);
    else if (kept !== undefined) sealed[id] = kept;
    else throw invalidRequest(`There is no key for '${id}' to keep: send the key.`, `provider_keys.${id}`);
  }
  return { settings, sealed };
}

function secretOf({ secret }: { secret: string | null }): string {
  if (secret !== null) return secret;
  throw new FluxError(
    'FLUX_SECRET is not set where the gateway runs, and without it no provider key can be kept. Set it first.',
    { status: 503, code: 'not_configured', param: 'provider_keys' },
  );
}
