import { StartError } from './start-error.ts';

export type Variables = Record<string, string | undefined>;

/** Where and on which port the stack runs. */
export interface LocalSettings {
  /** 0 takes a free port. */
  port: number;
  folder: string;
}

/** @throws StartError that names the variable */
export function readLocalSettings(variables: Variables): LocalSettings {
  const port = variables.PORT || '8787';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new StartError(`PORT is '${port}': give a number from 1 to 65535, or 0 for any free port.`);
  }
  return { port: Number(port), folder: variables.FLUX_DATA_DIR || '.flux' };
}

/** Variables that are the local stack's own and no business of the Worker. */
const OURS = new Set(['FLUX_DATA_DIR']);
const WORKER_VARIABLES =
  /^(FLUX_\w+|(ANTHROPIC|OPENAI)_(API_KEY|BASE_URL)|DATABASE_URL|UPSTASH_REDIS_REST_(URL|TOKEN))$/;

/** What the Worker is given of the environment: the names of contract.md, and the keys that FLUX_PROVIDERS names. */
export function workerVariables(variables: Variables): Record<string, string> {
  const secrets = keySecrets(variables.FLUX_PROVIDERS);
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    const wanted = (WORKER_VARIABLES.test(name) && !OURS.has(name)) || secrets.has(name);
    if (wanted && value !== undefined && value !== '') given[name] = value;
  }
  return given;
}

/** The variables that hold keys of FLUX_PROVIDERS. What is wrong with its JSON, the Worker's own reading says. */
function keySecrets(text: string | undefined): Set<string> {
  let providers: unknown;
  try {
    providers = JSON.parse(text ?? '[]');
  } catch {
    return new Set();
  }
  if (!Array.isArray(providers)) return new Set();
  const names = providers.map((provider: { key_secret?: unknown } | null) => provider?.key_secret);
  return new Set(names.filter((name) => typeof name === 'string'));
}
