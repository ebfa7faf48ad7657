import { isRetired, retiresWithin } from '../core/routing/catalog.ts';
import { TIERS } from '../core/routing/tier.ts';
import type { StepSettings } from '../pipeline/settings.ts';

/** Long enough to try a successor on one's own traffic first. */
const NOTICE_DAYS = 60;

/** What whoever runs the gateway should see to, in words: models of its tiers that retire (T71). */
export function settingWarnings(settings: Pick<StepSettings, 'tiers'>, now: Date): string[] {
  const today = now.toISOString().slice(0, 10);
  return TIERS.flatMap((tier) =>
    settings.tiers[tier].flatMap(({ name, model }) => {
      const advice = `Choose another in FLUX_TIERS${model.successor ? `, e.g. ${model.successor}` : ''}.`;
      if (isRetired(model, today)) {
        const stand = model.successor ? `${model.successor} answers in its place` : 'it is passed over';
        return [`${name} (${tier}) was retired by its provider on ${model.retires}; ${stand}. ${advice}`];
      }
      return retiresWithin(model, today, NOTICE_DAYS)
        ? [`${name} (${tier}) is retired by its provider on ${model.retires}. ${advice}`]
        : [];
    }),
  );
}
