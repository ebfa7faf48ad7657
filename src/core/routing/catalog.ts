import { ANTHROPIC_MODELS, ASSUMED_CLAUDE } from './catalog-anthropic.ts';
import type { Capabilities, CatalogModel, ProviderKind } from './catalog-model.ts';
import { ASSUMED_COMPATIBLE, ASSUMED_GPT, gptGeneration, OPENAI_MODELS } from './catalog-openai.ts';

export type { Capabilities, CatalogModel, ProviderKind, Wire } from './catalog-model.ts';

/** The models a deployment starts with, cheapest tier first (stack.md, "Prices and default tiers"; 2026-11). */
export const DEFAULT_TIERS: Readonly<
  Record<ProviderKind, Readonly<Record<'easy' | 'medium' | 'hard', readonly string[]>>>
> = {
  anthropic: { easy: ['claude-haiku-5-5'], medium: ['claude-sonnet-5-5'], hard: ['claude-opus-5-5'] },
  openai: { easy: ['gpt-6-luna'], medium: ['gpt-6.1-terra'], hard: ['gpt-6.2-sol'] },
};

/** What a provider's configuration says of its models, over what the catalogue knows or assumes. */
export interface ModelOverrides
  extends Partial<Pick<CatalogModel, 'wire' | 'contextWindow' | 'maxInput' | 'maxOutput'>> {
  capabilities?: Partial<Capabilities> | undefined;
}

const INDEX: Readonly<Record<ProviderKind, ReadonlyMap<string, CatalogModel>>> = {
  anthropic: indexed(ANTHROPIC_MODELS),
  openai: indexed(OPENAI_MODELS),
};

/** `-20261007` (Anthropic), `-2026-04-23` (OpenAI) or `-latest`: a snapshot of the model before it. */
const SNAPSHOT = /-(?:20\d{6}|20\d{2}-\d{2}-\d{2}|latest)$/;

/** Every model we know of this kind of provider, retired ones too. */
export function catalogModels(kind: ProviderKind): readonly CatalogModel[] {
  return kind === 'anthropic' ? ANTHROPIC_MODELS : OPENAI_MODELS;
}

/**
 * The catalogue's entry for an id, an alias or a dated snapshot.
 * @example findModel('anthropic', 'claude-haiku-5-5-20261007')?.id // 'claude-haiku-5-5'
 */
export function findModel(kind: ProviderKind, id: string): CatalogModel | undefined {
  return INDEX[kind].get(id) ?? INDEX[kind].get(id.replace(SNAPSHOT, ''));
}

/** {@link findModel}, or an entry marked `assumed` for a model the catalogue does not know. */
export function modelOrAssumed(kind: ProviderKind, id: string, overrides: ModelOverrides = {}): CatalogModel {
  const model = findModel(kind, id) ?? { ...assumedFor(kind, id), id };
  const { capabilities, ...facts } = overrides;
  return { ...model, ...facts, capabilities: { ...model.capabilities, ...capabilities } };
}

/** Whether the provider answers 404 for it on this UTC day (`YYYY-MM-DD`). */
export function isRetired(model: CatalogModel, todayUtc: string): boolean {
  return model.retires !== undefined && model.retires <= todayUtc.slice(0, 10);
}

/** Whether it is offered today and gone `days` days from now, or sooner. */
export function retiresWithin(model: CatalogModel, todayUtc: string, days: number): boolean {
  if (model.retires === undefined || isRetired(model, todayUtc)) return false;
  const daysLeft = (Date.parse(model.retires) - Date.parse(todayUtc.slice(0, 10))) / 86_400_000;
  return daysLeft <= days;
}

function assumedFor(kind: ProviderKind, id: string): CatalogModel {
  if (kind === 'anthropic') return ASSUMED_CLAUDE;
  return (gptGeneration(id) ?? 0) >= 504 ? ASSUMED_GPT : ASSUMED_COMPATIBLE;
}

function indexed(models: readonly CatalogModel[]): Map<string, CatalogModel> {
  return new Map(models.flatMap((model) => [model.id, ...(model.aliases ?? [])].map((id) => [id, model])));
}
