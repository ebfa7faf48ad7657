import type { CatalogModel } from './catalog.ts';
import type { Tier } from './tier.ts';

/** A model a step may be sent to. `tier` is null for a pinned model outside every tier. */
export interface Candidate {
  /** The id of its provider in the settings. */
  provider: string;
  /** The model's name as configured: what is sent upstream and shown. */
  name: string;
  model: CatalogModel;
  tier: Tier | null;
}

/** What the client asked for in `model`. */
export type Wish = { kind: 'auto' } | { kind: 'tier'; tier: Tier } | { kind: 'pinned'; candidate: Candidate };

type Named = Pick<Candidate, 'provider' | 'name'>;

/** The same model at the same provider, in whichever tier. */
export function isSame(one: Named, other: Named): boolean {
  return one === other || (one.name === other.name && one.provider === other.provider);
}

/** One name for a model at a provider: prompt caches are kept under it. */
export function keyOf({ provider, name }: Named): string {
  return `${provider}/${name}`;
}
