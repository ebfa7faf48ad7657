import type { Candidate, Wish } from '../core/routing/plan.ts';
import { TIERS } from '../core/routing/tier.ts';
import { sharedStoredObject } from '../core/stored-objects.ts';
import type { StepSettings } from '../pipeline/settings.ts';

/**
 * Refuses what names a stored object to a customer that has no provider key of its own at all.
 * @throws FluxError 400 that names the field
 */
export function requireOwnKey({ providers }: StepSettings, field: string): void {
  const all = [...providers.values()];
  if (!all.some(({ ownKey }) => ownKey)) {
    throw sharedStoredObject(field, all.map(({ id }) => `'${id}'`).join(', '));
  }
}

/**
 * The settings of a step whose body names an object stored at a provider: only what is called under the customer's
 * own key may be tried (T56).
 * @param field the path of what it names
 * @throws FluxError 400 that names the field, where the wished model or a whole tier is under a shared key
 */
export function underOwnKeys(step: StepSettings, wish: Wish, field: string): StepSettings {
  const isOwn = ({ provider }: Candidate) => step.providers.get(provider)?.ownKey === true;
  if (wish.kind === 'pinned') {
    if (!isOwn(wish.candidate)) throw sharedStoredObject(field, `'${wish.candidate.provider}'`);
    return step;
  }
  const tiers = { ...step.tiers };
  for (const tier of TIERS) {
    tiers[tier] = step.tiers[tier].filter(isOwn);
    // Any tier may turn out to be the floor.
    if (tiers[tier].length === 0) {
      const shared = [...new Set(step.tiers[tier].map(({ provider }) => `'${provider}'`))];
      throw sharedStoredObject(field, `${shared.join(', ')} (tier ${tier})`);
    }
  }
  const rules = step.rules?.filter(({ to }) => 'floor' in to || isOwn(to.candidate));
  return { ...step, tiers, ...(rules === undefined ? {} : { rules }) };
}
