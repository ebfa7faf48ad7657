import type { Candidate } from '../core/routing/plan.ts';
import { TIERS } from '../core/routing/tier.ts';
import type { StepSettings } from '../pipeline/settings.ts';
import { DEFAULT_RETENTION_DAYS } from '../stores/retention.ts';
import type { CustomerSettings } from './settings.ts';

/** What holds where neither customer nor deployment says anything, of settings that nothing reads yet. */
const UNREAD = { promise: 0.01, sampling_share: 0.1 };

/**
 * Every setting with the value in force, by the names it is set by (T10).
 * @param step as {@link settingsFor} made it of `settings`, or the deployment's with none
 */
export function effectiveSettings(step: StepSettings, settings: CustomerSettings) {
  return {
    tiers: Object.fromEntries(TIERS.map((tier) => [tier, step.tiers[tier].map(nameOf)])),
    allowed_models: (step.allowedModels ?? []).map(nameOf),
    model_map: Object.fromEntries(step.modelMap ?? []),
    mode: step.mode,
    promise: settings.promise ?? UNREAD.promise,
    sampling_share: settings.sampling_share ?? UNREAD.sampling_share,
    retention_days: settings.retention_days ?? DEFAULT_RETENTION_DAYS,
    tags: step.tagKeys ?? [],
    rules: (step.rules ?? []).map(({ when, to }) => ({
      when: {
        ...(when.kind === undefined ? {} : { kind: when.kind }),
        ...(when.tag === undefined ? {} : { tag: `${when.tag.name}=${when.tag.value}` }),
        ...(when.path === undefined ? {} : { path: when.path }),
      },
      ...('floor' in to ? { floor: to.floor } : { model: nameOf(to.candidate) }),
    })),
    handover: step.handover ?? 'auto',
    baseline_model: nameOf(step.baseline),
    default_max_tokens: step.defaultMaxTokens,
    provider_keys: settings.provider_keys ?? {},
  };
}

function nameOf({ provider, name }: Candidate): string {
  return `${provider}/${name}`;
}
