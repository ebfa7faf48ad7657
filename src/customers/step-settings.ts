import { catalogModels, isRetired } from '../core/routing/catalog.ts';
import type { Candidate } from '../core/routing/plan.ts';
import type { Rule } from '../core/routing/rules.ts';
import { TIERS, type Tier } from '../core/routing/tier.ts';
import { resolveModel } from '../env-providers.ts';
import type { ProviderSettings, StepSettings } from '../pipeline/settings.ts';
import type { CustomerSettings, RuleCondition } from './settings.ts';

/** A setting that names what this deployment has not, and what it has. */
export interface SettingProblem {
  /** The setting, as a path: `tiers.easy[0]`. */
  param: string;
  message: string;
}

/**
 * A customer's settings laid over the deployment's. Pure: made once a version, never on the way of a request.
 *
 * What the deployment no longer has is left out and told in `problems`: whoever writes settings gets it as a 400,
 * and a customer whose model went away later keeps the rest (an empty tier is the deployment's again).
 *
 * @param providers the deployment's, those with the customer's own key among them
 * @param today UTC, `YYYY-MM-DD`
 */
export function settingsFor(
  deployment: StepSettings,
  settings: CustomerSettings,
  providers: ReadonlyMap<string, ProviderSettings>,
  today: string,
): { step: StepSettings; problems: SettingProblem[] } {
  const problems: SettingProblem[] = [];
  const resolve = (name: string, param: string, tier: Tier | null): Candidate[] => {
    const candidate = resolveModel(name, providers, tier);
    if (!candidate || isRetired(candidate.model, today)) {
      problems.push({ param, message: unknownModel(name, candidate, providers, today) });
    }
    // One that retires after it was set stays: the plan puts its successor in its place (T71).
    return candidate ? [candidate] : [];
  };

  const tiers = { ...deployment.tiers };
  for (const tier of TIERS) {
    const names = settings.tiers?.[tier] ?? [];
    const candidates = names.flatMap((name, index) => resolve(name, `tiers.${tier}[${index}]`, tier));
    if (candidates.length > 0) tiers[tier] = candidates;
  }
  const allowed = (settings.allowed_models ?? []).flatMap((name, index) =>
    resolve(name, `allowed_models[${index}]`, null),
  );
  const usable = [...TIERS.flatMap((tier) => tiers[tier]), ...allowed];

  const modelMap = new Map<string, string>();
  for (const [from, to] of Object.entries(settings.model_map ?? {})) {
    const routed = to === 'auto' || TIERS.some((tier) => to === `auto:${tier}`);
    if (routed || usable.some(({ name, provider }) => to === name || to === `${provider}/${name}`)) {
      modelMap.set(from, to);
    } else {
      problems.push({
        param: `model_map.${from}`,
        message: `'${to}' is in no tier and not in allowed_models. Use auto, ${TIERS.map((tier) => `auto:${tier}`).join(', ')}, or one of: ${namesOf(usable)}.`,
      });
    }
  }

  const rules = (settings.rules ?? []).flatMap(({ when, floor, model }, index): Rule[] => {
    if (floor !== undefined) return [{ when: conditionOf(when), to: { floor } }];
    // The schema has either; a model of a tier keeps its tier, so that escalation knows where it stands.
    return resolve(model ?? '', `rules[${index}].model`, null).map((candidate) => ({
      when: conditionOf(when),
      to: { candidate: usable.find((known) => isSame(known, candidate)) ?? candidate },
    }));
  });

  const [baseline] =
    settings.baseline_model === undefined ? [] : resolve(settings.baseline_model, 'baseline_model', null);
  for (const id of Object.keys(settings.provider_keys ?? {})) {
    if (!providers.has(id)) {
      problems.push({
        param: `provider_keys.${id}`,
        message: `There is no provider '${id}' here. Providers: ${[...providers.keys()].join(', ')}.`,
      });
    }
  }

  // The deployment's baseline is its top model unless set: then so is the customer's.
  const isTop = deployment.baseline === deployment.tiers.hard[0];
  const step: StepSettings = {
    providers,
    tiers,
    timeouts: deployment.timeouts,
    mode: settings.mode ?? deployment.mode,
    handover: settings.handover ?? deployment.handover ?? 'auto',
    baseline: baseline ?? (isTop ? tiers.hard[0] : undefined) ?? deployment.baseline,
    defaultMaxTokens: settings.default_max_tokens ?? deployment.defaultMaxTokens,
    allowedModels: allowed,
    modelMap,
    rules,
    tagKeys: settings.tags ?? [],
    ...(settings.retention_days === undefined ? {} : { retentionDays: settings.retention_days }),
  };
  return { step, problems };
}

function conditionOf({ kind, tag, path }: RuleCondition): Rule['when'] {
  const [name = '', value = ''] = tag?.split('=') ?? [];
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(tag === undefined ? {} : { tag: { name, value } }),
    ...(path === undefined ? {} : { path }),
  };
}

function isSame(a: Candidate, b: Candidate): boolean {
  return a.provider === b.provider && a.name === b.name;
}

function unknownModel(
  name: string,
  retired: Candidate | undefined,
  providers: ReadonlyMap<string, ProviderSettings>,
  today: string,
): string {
  if (retired) {
    const { model } = retired;
    return `${model.id} was retired by its provider on ${model.retires}: use ${model.successor ?? 'another'}.`;
  }
  return `No provider here has exactly one model '${name}'. Write provider/model; there are: ${offered(providers, today).join(', ')}. A server of FLUX_PROVIDERS takes any name behind its own.`;
}

/** What a setting may name: every current model of the catalogue, and those a server of one's own has a price for. */
function offered(providers: ReadonlyMap<string, ProviderSettings>, today: string): string[] {
  return [...providers.values()].flatMap((provider) => {
    const ours = provider.id === provider.kind;
    const names = ours
      ? catalogModels(provider.kind)
          .filter((model) => !isRetired(model, today))
          .map((model) => model.id)
      : Object.keys(provider.prices ?? {});
    return names.map((name) => `${provider.id}/${name}`);
  });
}

function namesOf(candidates: readonly Candidate[]): string {
  return [...new Set(candidates.map(({ provider, name }) => `${provider}/${name}`))].join(', ');
}
