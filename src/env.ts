import type { DurableObjectNamespace, Queue } from '@cloudflare/workers-types';
import * as z from 'zod';
import type { Candidate } from './core/routing/plan.ts';
import { type KnownKey, readKeys } from './env-keys.ts';
import { readProviders, readTiers, resolveModel } from './env-providers.ts';
import { HANDOVERS, type StepSettings } from './pipeline/settings.ts';
import { SettingsError } from './settings-error.ts';

/** What the Worker is bound to: a queue, and variables and secrets. Read once, by {@link readSettings}. */
export interface Env {
  LOG_QUEUE: Queue<unknown>;
  /** Sessions, by their HMACs. Absent in the SDK and in an older wrangler.toml: then no session is kept. */
  SESSIONS?: DurableObjectNamespace;
  /** The budgets of each customer, by its name. Absent where an older wrangler.toml binds none. */
  BUDGETS?: DurableObjectNamespace;
  /** Files of the folder `assets`, by their paths. Absent where the SDK or an older wrangler.toml binds none. */
  ASSETS?: { fetch(url: string): Promise<Response> };
}

/** Everything the deployment decides, checked. */
export interface Settings extends StepSettings {
  keys: readonly KnownKey[];
  maxBodyBytes: number;
  /** Bytes of bodies an isolate has in its hands at most (T63). */
  maxBytesInFlight: number;
  databaseUrl: string;
  redis: { url: string; token: string };
  /** Names of sessions and users are hashed under it; null: they are not kept at all. */
  secret: string | null;
  /** It, and the one before it during a rotation: what is kept is sealed under the first, and opens under either. */
  secrets: readonly string[];
  /** The clock runs between I/O, so that CPU time can be told: here, but not on a deployed Worker. */
  clockRuns: boolean;
}

const whole = (fallback: number, least = 1) => z.coerce.number().int().min(least).default(fallback);
const optional = z.string().trim().min(1).optional();

const variables = z.object({
  FLUX_API_KEYS: optional,
  FLUX_ADMIN_KEY: optional,
  FLUX_MODE: z.enum(['observe', 'route', 'certified']).default('route'),
  FLUX_HANDOVER: z.enum(HANDOVERS).default('auto'),
  FLUX_SECRET: optional,
  FLUX_PREVIOUS_SECRET: optional,
  FLUX_BASELINE_MODEL: optional,
  FLUX_MAX_BODY_BYTES: whole(10 * 1024 * 1024),
  // Measured: a 10 MB body takes some 35 MiB (text) to 90 MiB (an image) of an isolate's 128 MB.
  FLUX_MAX_BYTES_IN_FLIGHT: whole(16 * 1024 * 1024),
  FLUX_DEFAULT_MAX_TOKENS: whole(16_384),
  FLUX_FIRST_BYTE_TIMEOUT_MS: whole(600_000),
  FLUX_IDLE_TIMEOUT_MS: whole(300_000),
  FLUX_KEEP_ALIVE_MS: whole(60_000),
  FLUX_SESSION_TIMEOUT_MS: whole(1_000),
  // No stream of a provider is silent for longer (house.md).
  FLUX_ABANDONED_AFTER_MS: whole(15 * 60_000),
  // Anthropic's longest cache is cold by then; a lane that goes on all the same is counted anew.
  FLUX_LANE_END_MS: whole(60 * 60_000),
  FLUX_RETRY_BASE_MS: whole(500, 0),
  /** Bound by `npm start` alone. */
  FLUX_LOCAL_TOKEN: optional,
  DATABASE_URL: z
    .string({ error: "is not set: give the Neon database's postgresql:// URL" })
    .regex(/^postgres(ql)?:\/\/\S+$/, 'must look like postgresql://user:password@host/database'),
  UPSTASH_REDIS_REST_URL: z.url({
    protocol: /^https?$/,
    error: 'is not set or no URL: copy it from the Upstash console',
  }),
  UPSTASH_REDIS_REST_TOKEN: z.string({ error: 'is not set: copy it from the Upstash console' }),
});

let cached: { env: object; settings: Settings } | undefined;

/**
 * The settings of an isolate, read once.
 * @throws SettingsError that names the variable
 */
export function readSettings(env: Env): Settings {
  if (cached?.env !== env) cached = { env, settings: check(env) };
  return cached.settings;
}

function check(env: Env): Settings {
  const texts: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(env)) {
    if (typeof value === 'string' && value !== '') texts[name] = value;
  }
  const parsed = variables.safeParse(texts);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SettingsError(String(issue?.path[0] ?? 'environment'), issue?.message ?? 'not valid');
  }
  const values = parsed.data;
  if (values.FLUX_MAX_BYTES_IN_FLIGHT < values.FLUX_MAX_BODY_BYTES) {
    throw new SettingsError(
      'FLUX_MAX_BYTES_IN_FLIGHT',
      'must not be below FLUX_MAX_BODY_BYTES: the largest body would never be taken',
    );
  }
  const providers = readProviders(texts);
  const tiers = readTiers(texts, providers);
  return {
    mode: values.FLUX_MODE,
    handover: values.FLUX_HANDOVER,
    providers,
    tiers,
    baseline: readBaseline(values.FLUX_BASELINE_MODEL, providers, tiers.hard),
    defaultMaxTokens: values.FLUX_DEFAULT_MAX_TOKENS,
    timeouts: {
      firstByte: values.FLUX_FIRST_BYTE_TIMEOUT_MS,
      idle: values.FLUX_IDLE_TIMEOUT_MS,
      keepAlive: values.FLUX_KEEP_ALIVE_MS,
      session: values.FLUX_SESSION_TIMEOUT_MS,
      abandoned: values.FLUX_ABANDONED_AFTER_MS,
      laneEnd: values.FLUX_LANE_END_MS,
      retryBase: values.FLUX_RETRY_BASE_MS,
    },
    keys: readKeys(values.FLUX_API_KEYS, values.FLUX_ADMIN_KEY),
    maxBodyBytes: values.FLUX_MAX_BODY_BYTES,
    maxBytesInFlight: values.FLUX_MAX_BYTES_IN_FLIGHT,
    databaseUrl: values.DATABASE_URL,
    redis: { url: values.UPSTASH_REDIS_REST_URL, token: values.UPSTASH_REDIS_REST_TOKEN },
    secret: values.FLUX_SECRET ?? null,
    secrets: readSecrets(values.FLUX_SECRET, values.FLUX_PREVIOUS_SECRET),
    clockRuns: values.FLUX_LOCAL_TOKEN !== undefined,
  };
}

function readSecrets(secret: string | undefined, previous: string | undefined): string[] {
  if (secret !== undefined) return previous === undefined ? [secret] : [secret, previous];
  if (previous === undefined) return [];
  throw new SettingsError('FLUX_PREVIOUS_SECRET', 'is set without FLUX_SECRET: it is the one before it');
}

function readBaseline(
  name: string | undefined,
  providers: Settings['providers'],
  hard: readonly Candidate[],
): Candidate {
  const baseline = name === undefined ? hard[0] : resolveModel(name, providers, null);
  if (!baseline) throw new SettingsError('FLUX_BASELINE_MODEL', 'names a model that no provider has');
  return baseline;
}
