import * as z from 'zod';
import { catalogModels, DEFAULT_TIERS, findModel, modelOrAssumed } from './core/routing/catalog.ts';
import type { Candidate } from './core/routing/plan.ts';
import { TIERS, type Tier } from './core/routing/tier.ts';
import type { ProviderSettings } from './pipeline/settings.ts';
import { SettingsError } from './settings-error.ts';

type Variables = Record<string, string | undefined>;

const usd = z.number().nonnegative();
const configuredProvider = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'must be 1–32 lower-case letters, digits, dashes or underscores'),
  kind: z.enum(['anthropic', 'openai']),
  base_url: z.url({ protocol: /^https?$/ }),
  key_secret: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,63}$/, 'must be the NAME of a variable that holds the key, never the key')
    .optional(),
  prices: z
    .record(
      z.string(),
      z.strictObject({
        input: usd,
        output: usd,
        cache_read: usd.optional(),
        cache_write: usd.optional(),
        cache_write_long: usd.optional(),
      }),
    )
    .optional(),
  capabilities: z
    .strictObject({
      vision: z.boolean(),
      documents: z.boolean(),
      documentUrls: z.boolean(),
      otherDocuments: z.boolean(),
      audio: z.boolean(),
      tools: z.boolean(),
      customTools: z.boolean(),
      forcedToolChoice: z.boolean(),
      jsonSchema: z.boolean(),
      jsonObject: z.boolean(),
      strictTools: z.boolean(),
      sampling: z.enum(['never', 'always', 'effort_none']),
      seed: z.boolean(),
      penalties: z.boolean(),
      logitBias: z.boolean(),
      logprobs: z.boolean(),
      multipleAnswers: z.boolean(),
      stop: z.boolean(),
      verbosity: z.boolean(),
    })
    .partial()
    .optional(),
});

/** The two built-in providers and those of FLUX_PROVIDERS, by id. */
export function readProviders(variables: Variables): Map<string, ProviderSettings> {
  const providers = new Map<string, ProviderSettings>();
  const add = (provider: ProviderSettings) => providers.set(provider.id, provider);
  add(builtIn('anthropic', variables, 'https://api.anthropic.com'));
  add(builtIn('openai', variables, 'https://api.openai.com/v1'));
  for (const entry of parseJson('FLUX_PROVIDERS', variables.FLUX_PROVIDERS, z.array(configuredProvider)) ??
    []) {
    if (providers.has(entry.id)) {
      throw new SettingsError(
        'FLUX_PROVIDERS',
        `has the id '${entry.id}' twice, or it is built in: choose another (ANTHROPIC_BASE_URL and OPENAI_BASE_URL move the built-in ones)`,
      );
    }
    const key = entry.key_secret === undefined ? undefined : variables[entry.key_secret];
    add({
      id: entry.id,
      kind: entry.kind,
      baseUrl: entry.base_url.replace(/\/+$/, ''),
      keyVariable: entry.key_secret ?? '',
      ...(key ? { apiKey: key } : {}),
      ...(entry.prices ? { prices: entry.prices } : {}),
      ...(entry.capabilities ? { capabilities: dropUndefined(entry.capabilities) } : {}),
    });
  }
  return providers;
}

function builtIn(kind: 'anthropic' | 'openai', variables: Variables, defaultUrl: string): ProviderSettings {
  const name = kind.toUpperCase();
  const key = variables[`${name}_API_KEY`];
  const url = variables[`${name}_BASE_URL`] || defaultUrl;
  if (!/^https?:\/\/\S+$/.test(url)) throw new SettingsError(`${name}_BASE_URL`, 'must be an http(s) URL');
  return {
    id: kind,
    kind,
    baseUrl: url.replace(/\/+$/, ''),
    keyVariable: `${name}_API_KEY`,
    ...(key ? { apiKey: key } : {}),
  };
}

const tierLists = z.strictObject({
  easy: z.array(z.string().min(1)).min(1),
  medium: z.array(z.string().min(1)).min(1),
  hard: z.array(z.string().min(1)).min(1),
});

/** FLUX_TIERS, or the default tiers of the provider that has a key (Anthropic's where both or none has). */
export function readTiers(
  variables: Variables,
  providers: ReadonlyMap<string, ProviderSettings>,
): Record<Tier, Candidate[]> {
  const configured = parseJson('FLUX_TIERS', variables.FLUX_TIERS, tierLists);
  const kind = !variables.ANTHROPIC_API_KEY && variables.OPENAI_API_KEY ? 'openai' : 'anthropic';
  const lists = configured ?? DEFAULT_TIERS[kind];
  const tiers: Record<Tier, Candidate[]> = { easy: [], medium: [], hard: [] };
  for (const tier of TIERS) {
    tiers[tier] = lists[tier].map((name) => {
      const candidate = resolveModel(name, providers, tier, configured ? null : kind);
      if (!candidate) throw unknownModel(name, providers);
      return candidate;
    });
  }
  return tiers;
}

/**
 * The model of a name, `provider/model` or bare.
 * @returns undefined where no provider has it
 */
export function resolveModel(
  name: string,
  providers: ReadonlyMap<string, ProviderSettings>,
  tier: Tier | null,
  preferred: string | null = null,
): Candidate | undefined {
  const slash = name.indexOf('/');
  const named = slash > 0 ? providers.get(name.slice(0, slash)) : undefined;
  const model = named ? name.slice(slash + 1) : name;
  const owners = named ? [named] : [...providers.values()].filter((provider) => offers(provider, name));
  const provider = owners.find((owner) => owner.id === preferred) ?? owners[0];
  if (!provider || (owners.length > 1 && preferred === null && !named)) return undefined;
  const builtInUnknown =
    (provider.id === 'anthropic' || provider.id === 'openai') && !findModel(provider.kind, model);
  if (builtInUnknown) return undefined;
  const overrides = provider.capabilities ? { capabilities: provider.capabilities } : {};
  const own = provider.id === 'anthropic' || provider.id === 'openai';
  // A compatible server speaks Chat Completions, whatever its models are called.
  const wire = provider.kind === 'openai' && !own ? { wire: 'openai-chat' as const } : {};
  return {
    provider: provider.id,
    name: model,
    model: modelOrAssumed(provider.kind, model, { ...overrides, ...wire }),
    tier,
  };
}

function offers(provider: ProviderSettings, model: string): boolean {
  if (provider.prices && Object.hasOwn(provider.prices, model)) return true;
  return (
    (provider.id === 'anthropic' || provider.id === 'openai') && findModel(provider.kind, model) !== undefined
  );
}

function unknownModel(name: string, providers: ReadonlyMap<string, ProviderSettings>): SettingsError {
  const known = [...catalogModels('anthropic'), ...catalogModels('openai')]
    .slice(0, 6)
    .map((model) => model.id)
    .join(', ');
  return new SettingsError(
    'FLUX_TIERS',
    `no provider (${[...providers.keys()].join(', ')}) has exactly one model '${name}': write provider/model, e.g. anthropic/claude-haiku-5-5 (known: ${known}, …), and add a server of your own with FLUX_PROVIDERS`,
  );
}

/** @throws SettingsError that names the variable and the path, never the value */
function parseJson<T>(variable: string, text: string | undefined, schema: z.ZodType<T>): T | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new SettingsError(variable, 'is not valid JSON');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue?.path.length ? ` at '${issue.path.join('.')}'` : '';
  throw new SettingsError(variable, `is wrong${place}: ${issue?.message ?? 'not valid'}`);
}

function dropUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // The filter removes what the type can't say it removes.
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
