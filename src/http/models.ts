import { FluxError } from '../core/errors.ts';
import { catalogModels, findModel, isRetired, type ProviderKind } from '../core/routing/catalog.ts';
import type { Candidate, Wish } from '../core/routing/plan.ts';
import { TIERS } from '../core/routing/tier.ts';
import type { StepSettings } from '../pipeline/settings.ts';

/** What a customer may ask for. */
type Offering = Pick<StepSettings, 'tiers' | 'allowedModels' | 'modelMap'>;

/** A model this deployment offers: a routed one (`auto…`) or one of its tiers. */
export interface OfferedModel {
  id: string;
  ownedBy: string;
  displayName: string;
}

/** `auto`, the floors, every model that may be pinned, once, and the names that are mapped to one of these. */
export function offeredModels(settings: Offering): OfferedModel[] {
  const routed = [
    {
      id: 'auto',
      ownedBy: 'fluxcompute',
      displayName: 'FluxCompute: the cheapest model that can do the step',
    },
    ...TIERS.map((tier) => ({
      id: `auto:${tier}`,
      ownedBy: 'fluxcompute',
      displayName: `FluxCompute: ${tier} or better`,
    })),
  ];
  const models = new Map(allCandidates(settings).map((candidate) => [candidate.name, candidate]));
  const mapped = [...(settings.modelMap ?? [])].filter(([from]) => !models.has(from));
  return [
    ...routed,
    ...[...models.values()].map(({ name, provider }) => ({ id: name, ownedBy: provider, displayName: name })),
    ...mapped.map(([from, to]) => ({
      id: from,
      ownedBy: 'fluxcompute',
      displayName: `${from} (here: ${to})`,
    })),
  ];
}

/**
 * What the `model` of a request asks for.
 * @throws FluxError 404 that names what there is, and a retired model's successor
 */
export function readWish(model: string, settings: Offering): Wish {
  const wanted = settings.modelMap?.get(model) ?? model;
  if (wanted === 'auto') return { kind: 'auto' };
  const tier = TIERS.find((tier) => wanted === `auto:${tier}`);
  if (tier) return { kind: 'tier', tier };
  const candidate = allCandidates(settings).find(
    ({ name, provider }) => wanted === name || wanted === `${provider}/${name}`,
  );
  if (candidate && !isRetired(candidate.model, today())) return { kind: 'pinned', candidate };
  throw unknownModel(wanted, settings);
}

/** Whatever may be pinned: the models of the tiers, and those the customer allows besides. */
function allCandidates(settings: Offering): Candidate[] {
  return [...TIERS.flatMap((tier) => settings.tiers[tier]), ...(settings.allowedModels ?? [])];
}

/** The client's name is not repeated: it could be anything. */
export function unknownModel(model: string, settings: Offering): FluxError {
  const names = offeredModels(settings)
    .map((offered) => offered.id)
    .join(', ');
  const known = findAnywhere(model.slice(model.indexOf('/') + 1));
  const retired = known && isRetired(known, today());
  const message = retired
    ? `The model ${known.id} was retired by its provider on ${known.retires}. Use ${known.successor ?? 'auto'}, or auto. Available here: ${names}.`
    : known
      ? `The model ${known.id} is in no tier of this gateway. Available here: ${names}.`
      : `There is no such model here. Available: ${names}.`;
  return new FluxError(message, { status: 404, code: 'model_not_found', param: 'model' });
}

/** UTC, `YYYY-MM-DD`. */
function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function findAnywhere(id: string) {
  const kinds: ProviderKind[] = ['anthropic', 'openai'];
  const exact = kinds.flatMap((kind) => catalogModels(kind)).find((model) => model.id === id);
  return exact ?? findModel('anthropic', id) ?? findModel('openai', id);
}
