import * as z from 'zod';
import { ASK_KINDS } from '../core/difficulty/ask-kind.ts';
import { TIERS } from '../core/routing/tier.ts';
import { HANDOVERS } from '../pipeline/settings.ts';

const model = z.string().min(1).max(128);
const tier = z.enum(TIERS);
const tagName = z.string().regex(/^[a-z0-9_.-]{1,32}$/, 'must be 1–32 of a–z 0–9 _ . -');
const models = z.array(model).min(1).max(32);

/** A provider key as it is given (the key), or as it is shown (`{set: true}`: the one there is stays). */
const providerKey = z.union(
  [z.string().regex(/^[\x21-\x7e]{8,512}$/), z.strictObject({ set: z.literal(true) })],
  'must be the key, or {"set": true} for the one there is, or null for none',
);

const rule = z
  .strictObject({
    when: z
      .strictObject({
        kind: z.enum([...ASK_KINDS, 'housekeeping']).optional(),
        tag: z
          .string()
          .regex(/^[a-z0-9_.-]{1,32}=[A-Za-z0-9_.:@-]{1,64}$/, 'must look like team=search')
          .optional(),
        path: z
          .string()
          .regex(/^\/[\x21-\x7e]{0,127}$/, 'must be a path such as /v1/chat/completions')
          .optional(),
      })
      .refine((when) => Object.keys(when).length > 0, 'must name a kind, a tag or a path'),
    floor: tier.optional(),
    model: model.optional(),
  })
  .refine(
    (rule) => (rule.floor === undefined) !== (rule.model === undefined),
    'must have either a floor or a model',
  );

/**
 * What a customer may set, as it is written and shown; each absent one is the deployment's. `promise` and
 * `sampling_share` are kept for the oracle, which reads them once it is there.
 */
export const customerSettings = z.strictObject({
  /** In order of preference; a tier left out is the deployment's. */
  tiers: z.strictObject({ easy: models, medium: models, hard: models }).partial().optional(),
  /** May be pinned, besides the models of the tiers. */
  allowed_models: z.array(model).max(64).optional(),
  /** What a client's `model` stands for: `{"gpt-4o": "auto"}`. */
  model_map: z
    .record(model, model)
    .refine((map) => Object.keys(map).length <= 64, 'at most 64 names')
    .refine((map) => !Object.keys(map).some((name) => /^auto(:|$)/.test(name)), 'auto means what it means')
    .optional(),
  mode: z.enum(['observe', 'route', 'certified']).optional(),
  /** Most net harm of routing, as a share of all steps. */
  promise: z.number().gt(0).max(0.2).optional(),
  /** Share of sessions that may be sampled. */
  sampling_share: z.number().min(0).max(1).optional(),
  /** Steps that are older are deleted for good (log/retention.ts). */
  retention_days: z.number().int().min(1).max(3650).optional(),
  /** Keys of OpenAI's `metadata` that count as tags. */
  tags: z.array(tagName).max(8).optional(),
  /** In order: the first that holds decides. */
  rules: z.array(rule).max(64).optional(),
  /** Whether cheaper tiers may be handed less than the whole of a long, cold conversation. */
  handover: z.enum(HANDOVERS).optional(),
  baseline_model: model.optional(),
  default_max_tokens: z.number().int().min(1).max(1_000_000).optional(),
  /** The customer's own keys, by the id of the provider. */
  provider_keys: z
    .record(z.string().max(32), providerKey)
    .refine((keys) => Object.keys(keys).length <= 16, 'at most 16 providers')
    .optional(),
});

/** As a client writes them: provider keys in the clear. Never kept, never logged. */
export type WrittenSettings = z.infer<typeof customerSettings>;

/** As they are kept and shown: of provider keys only that they are set. */
export type CustomerSettings = Omit<WrittenSettings, 'provider_keys'> & {
  provider_keys?: Record<string, { set: true }>;
};

export type RuleCondition = NonNullable<WrittenSettings['rules']>[number]['when'];

const setKeys = z.record(z.string(), z.strictObject({ set: z.literal(true) }));

/**
 * Settings out of a store. What this version does not know or can't read (a newer one wrote it, and was rolled
 * back) is as if not set: a customer must not be locked out by it.
 */
export function readKept(value: unknown): CustomerSettings {
  const fields = isObject(value) ? value : {};
  const read = Object.entries({ ...customerSettings.shape, provider_keys: setKeys.optional() }).flatMap(
    ([name, schema]) => {
      const field = schema.safeParse(fields[name]);
      return field.success && field.data !== undefined ? [[name, field.data]] : [];
    },
  );
  // Each field was read by its own schema, just above.
  return Object.fromEntries(read) as CustomerSettings;
}

/** The settings there are. */
export const SETTING_NAMES = Object.keys(customerSettings.shape);

/**
 * A patch applied as RFC 7396 says: objects are merged, `null` takes out, everything else replaces.
 * @example mergePatch({ mode: 'route', tags: ['team'] }, { mode: null }) // { tags: ['team'] }
 */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
