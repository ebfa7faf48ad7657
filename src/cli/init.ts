import { type Command, command, type Outcome } from './command.ts';
import { CommandError, wrongUsage } from './command-error.ts';
import type { ConfigChange } from './config-edit.ts';
import {
  DEFAULT_CONFIG,
  DEFAULT_ENVIRONMENT,
  type Deployment,
  readDeployment,
  regionOf,
} from './deployment.ts';
import { chooseAccount, writeConfig } from './init/config.ts';
import { type GatheredSecrets, gatherSecrets, tryOut } from './init/secrets.ts';
import { smokeTest } from './init/smoke-test.ts';
import { deployWorker, makeQueues, migrateDatabase, uploadSecrets } from './init/steps.ts';
import type { RoutedStep } from './routed-step.ts';
import { confirm, type Shell } from './shell.ts';
import { listSecrets, openWrangler, type Wrangler } from './wrangler.ts';

const HELP = `Usage: flux init [--env NAME] [--name WORKER] [options]

Sets up a deployment in your Cloudflare account: writes wrangler.toml (name, account, region), makes queues and secrets,
brings the schema of Neon up to date, deploys, and tries the URL. It asks once for each value that is missing, shows each
wrangler command before it runs, and can be run again: what exists is left alone. Values are taken from the environment
(or .env) where they are there: DATABASE_URL, UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN, ANTHROPIC_API_KEY,
OPENAI_API_KEY, FLUX_API_KEYS and FLUX_SECRET (else both are made, and kept in FLUX_DATA_DIR), FLUX_ADMIN_KEY.

  --env NAME      environment of wrangler.toml: ${DEFAULT_ENVIRONMENT} (default), staging; '' is the top level
  --name WORKER   what the Worker is called; its queues are called after it
  --account ID    Cloudflare account, where you have several
  --region PLACE  where it runs, e.g. aws:us-east-2 (default: beside the Neon database)
  --config FILE   in place of this package's wrangler.toml; made if it isn't there
  --url URL       where it will answer, for a domain of your own
  --probe         send one small routed step at the end. It COSTS MONEY, a small fraction of a cent; without this you
                  are asked, and with --yes it isn't sent
  --yes           ask nothing; whatever is needed and missing is an error
  --json          {"worker", "environment", "url", "queues", "secrets", "migrations", "step"}; names only, no values
`;

/** `flux init` */
export const initCommand: Command = command({
  name: 'init',
  help: HELP,
  options: {
    env: { type: 'string' },
    name: { type: 'string' },
    account: { type: 'string' },
    region: { type: 'string' },
    config: { type: 'string' },
    url: { type: 'string' },
    probe: { type: 'boolean' },
    yes: { type: 'boolean' },
  },
  async run(flags, given) {
    const { env = DEFAULT_ENVIRONMENT, name, config = DEFAULT_CONFIG } = flags;
    if (!given.interactive && !flags.yes) {
      throw wrongUsage('nobody is here to be asked: say --yes, and set what is needed in the environment');
    }
    checkNames(name, flags.region);
    const shell = flags.yes ? { ...given, interactive: false } : given;
    const plan = await prepare({ ...flags, config, environment: env || null }, shell);
    if (shell.interactive && !(await confirm(shell, describePlan(plan), true))) {
      throw new CommandError('Stopped; only wrangler.toml was written.');
    }
    return install(plan, flags, shell);
  },
});

/** What is going to be there, and what it takes. */
interface Plan {
  deployment: Deployment;
  wrangler: Wrangler;
  secrets: GatheredSecrets;
}

interface Wish {
  config: string;
  environment: string | null;
  name?: string | undefined;
  account?: string | undefined;
  region?: string | undefined;
}

/** Writes wrangler.toml, asks for what is missing and tries it out; changes nothing in the account yet. */
async function prepare({ config, environment, name, account, region }: Wish, shell: Shell): Promise<Plan> {
  const write = async (change: ConfigChange) => {
    if (await writeConfig(config, environment, change)) shell.note(`Wrote ${config}.`);
    return readDeployment(config, environment);
  };
  const wrangler = openWrangler(shell, config, environment);
  const named = await write({ name });
  const accountId = await chooseAccount(wrangler, { flag: account, config: named.accountId }, shell);
  const { worker, vars, placement } = await write({ accountId });

  const listed = await listSecrets(wrangler);
  if ('problem' in listed) throw new CommandError(`Secrets can't be listed: ${listed.problem}.`);
  const present = new Set(listed.names);
  const secrets = await gatherSecrets(vars, present, worker, shell);
  shell.note('Trying out what was given …');
  await tryOut(secrets, vars);
  // A place of the user's own choice stays.
  const open = placement === null || placement.mode === 'smart';
  const beside = open && secrets.databaseUrl !== undefined ? regionOf(secrets.databaseUrl) : null;
  const deployment = await write({ region: region ?? beside ?? undefined });
  return { deployment, wrangler, secrets };
}

/** Makes everything that is not there yet. The schema before the code that needs it; secrets before they are read. */
async function install(
  plan: Plan,
  { url: ownUrl, probe }: { url?: string | undefined; probe?: boolean | undefined },
  shell: Shell,
): Promise<Outcome> {
  const { deployment, wrangler, secrets } = plan;
  const queues = await makeQueues(deployment, wrangler);
  let migrations: string[] = [];
  if (secrets.databaseUrl === undefined) {
    shell.note(
      'The schema was not looked at: DATABASE_URL is on the Worker and not here; `flux migrate` needs it.',
    );
  } else {
    migrations = await migrateDatabase(secrets.databaseUrl, shell);
  }
  await uploadSecrets(secrets.upload, wrangler);
  const deployed = await deployWorker(wrangler);
  const url = ownUrl ?? deployed;
  const step =
    url === null ? null : await smokeTest(url, { secrets, worker: deployment.worker, probe }, shell);
  return describe({ deployment, url, queues, migrations, step, secrets });
}

function checkNames(name: string | undefined, region: string | undefined): void {
  // Cloudflare's rule for Workers, less the nine characters that the longest queue's name adds (63 in all).
  if (name !== undefined && !/^[a-z0-9]([a-z0-9-]{0,52}[a-z0-9])?$/.test(name)) {
    throw wrongUsage(`--name ${name}: use at most 54 lower-case letters, digits and dashes`);
  }
  if (region !== undefined && !/^(aws|gcp|azure):[a-z0-9-]+$/.test(region)) {
    throw wrongUsage(
      `--region ${region}: write cloud:region, e.g. aws:us-east-2, gcp:europe-west1, azure:westeurope`,
    );
  }
}

function describePlan({ deployment, secrets: { upload, databaseUrl } }: Plan): string {
  const { worker, queues, placement } = deployment;
  const names = [...upload.keys()].join(', ') || 'none (they are there)';
  return [
    '',
    `Worker    ${worker}${placement?.region ? `, beside ${placement.region}` : ''}`,
    `Queues    ${queues.log}, ${queues.dead}`,
    `Secrets   ${names}`,
    `Schema    ${databaseUrl === undefined ? 'left as it is' : new URL(databaseUrl).hostname}`,
    'Set this up?',
  ].join('\n');
}

interface Done {
  deployment: Deployment;
  url: string | null;
  queues: string[];
  secrets: GatheredSecrets;
  migrations: string[];
  step: RoutedStep | null;
}

function describe({ deployment, url, queues, migrations, step, secrets }: Done): Outcome {
  const { worker, environment } = deployment;
  const { upload, made } = secrets;
  const lines = [
    `${worker} answers at ${url ?? 'no URL yet: wrangler.toml has neither workers_dev nor a route'}.`,
  ];
  for (const [name, file] of made) lines.push(`${name} was made; it is kept in ${file}: keep a copy.`);
  if (url !== null) {
    const file = made.get('FLUX_API_KEYS');
    const key = file ? ` FLUX_KEY="$(cat ${file})"` : '';
    lines.push('', `  export FLUX_URL=${url}${key}`, `  flux doctor --env ${environment ?? "''"}`);
  }
  return {
    json: { worker, environment, url, queues, secrets: [...upload.keys()], migrations, step },
    text: `${lines.join('\n')}\n`,
    failed: step !== null && !step.ok,
  };
}
