import { readProviders } from '../env-providers.ts';
import { SettingsError } from '../settings-error.ts';
import { type Command, command, type Outcome } from './command.ts';
import { DEFAULT_CONFIG, DEFAULT_ENVIRONMENT, type Deployment, readDeployment } from './deployment.ts';
import { judgeClocks } from './doctor/clock.ts';
import { checkSchema, checkSharing } from './doctor/database.ts';
import { checkPlacement, checkQueues, checkSecrets } from './doctor/deployment.ts';
import { type Finding, fault, skipped } from './doctor/finding.ts';
import { checkGateway } from './doctor/gateway.ts';
import { checkStep } from './doctor/probe.ts';
import { checkProviders } from './doctor/providers.ts';
import { checkLetters } from './doctor/redis.ts';
import { findGateway, GATEWAY_FLAGS, GATEWAY_HELP } from './gateway-client.ts';
import { type Shell, setting } from './shell.ts';
import { findStores, storesOfEnvironment } from './stores.ts';
import { openWrangler } from './wrangler.ts';

const HELP = `Usage: flux doctor [--url URL] [--env NAME] [--probe] [options]

Looks for what is wrong with a gateway, and says what to do about each: secrets, placement and region, schema, queues
and their consumers, slow stores, provider keys, refused regions, clocks, shared provider keys, models that retire, dead
letters. It changes nothing. Exit code 1 if anything is an error.

Without --env and with a local URL it looks at the running npm start. Else at a deployment: wrangler.toml, the account
(\`wrangler secret list\`, \`wrangler queues list\`) and the URL. What only your environment knows (DATABASE_URL,
UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN, provider keys) is looked at if it is set there, or in .env.

  --env NAME     environment of wrangler.toml (default for a URL elsewhere: ${DEFAULT_ENVIRONMENT}; '' is the top level)
  --config FILE  in place of this package's wrangler.toml
  --probe        also send one small step, to see what providers say to the gateway itself. It COSTS MONEY (a small
                 fraction of a cent) unless providers are simulated
${GATEWAY_HELP}
  --json         {"ok", "target", "findings": [{code, level, message, fix}]}
`;

/** `flux doctor` */
export const doctorCommand: Command = command({
  name: 'doctor',
  help: HELP,
  options: {
    ...GATEWAY_FLAGS,
    env: { type: 'string' },
    config: { type: 'string' },
    probe: { type: 'boolean' },
  },
  async run({ url, key, env, config = DEFAULT_CONFIG, probe = false }, shell) {
    const gateway = await findGateway({ url, key }, shell);
    const urlKnown = url !== undefined || setting(shell, 'FLUX_URL') !== undefined || env === undefined;
    const environment = env ?? (gateway.local ? undefined : DEFAULT_ENVIRONMENT);
    const deployment = environment === undefined ? null : await readDeployment(config, environment || null);

    // The embedded stores are npm start's: they say nothing about a deployment.
    const stores = deployment ? storesOfEnvironment(shell) : await findStores(shell);
    const account = deployment && checkAccount(deployment, stores.DATABASE_URL, shell);
    shell.note('Asking the gateway, its stores and providers …');
    const [running, schema, letters, { findings: accountFindings, secrets }] = await Promise.all([
      urlKnown ? checkGateway(gateway) : notAsked(),
      checkSchema(stores.DATABASE_URL),
      checkLetters(stores.UPSTASH_REDIS_REST_URL, stores.UPSTASH_REDIS_REST_TOKEN),
      account ?? { findings: [], secrets: [] },
    ]);
    const providers = await askProviders(shell, deployment, secrets);
    const sharing = checkSharing(stores.DATABASE_URL, setting(shell, 'FLUX_API_KEYS'), providers.keyed);
    const clocks = [running.clock, schema.clock, letters.clock, ...providers.clocks];
    const findings: Finding[] = [
      ...running.findings,
      ...accountFindings,
      ...schema.findings,
      ...(await sharing),
      ...providers.findings,
      ...judgeClocks(clocks.filter((clock) => clock !== null)),
      ...letters.findings,
    ];
    if (probe && urlKnown) findings.push(await checkStep(gateway, providers.accepted));
    return report(findings, {
      url: urlKnown ? gateway.url : null,
      environment: deployment?.environment ?? null,
      worker: deployment?.worker ?? null,
    });
  },
});

/** What Cloudflare knows of the deployment. */
async function checkAccount(
  deployment: Deployment,
  databaseUrl: string | undefined,
  shell: Shell,
): Promise<{ findings: Finding[]; secrets: string[] }> {
  const wrangler = openWrangler(shell, deployment.config, deployment.environment);
  const secrets = await checkSecrets(deployment, wrangler);
  const loggedOut = secrets.findings.some(({ code }) => code === 'wrangler_failed');
  const queues = loggedOut ? [] : await checkQueues(deployment, wrangler);
  return {
    findings: [...secrets.findings, ...queues, checkPlacement(deployment, databaseUrl)],
    secrets: secrets.names,
  };
}

/**
 * Tries the providers that the gateway has, with the keys that this machine has. `keyed`: those the deployment has a
 * key for, which its customers share.
 */
async function askProviders(
  shell: Shell,
  deployment: Deployment | null,
  secrets: readonly string[],
): Promise<Awaited<ReturnType<typeof checkProviders>> & { keyed: string[] }> {
  try {
    const providers = [...readProviders({ ...deployment?.vars, ...shell.variables }).values()];
    const keyed = providers.filter(
      ({ apiKey, keyVariable }) => apiKey !== undefined || secrets.includes(keyVariable),
    );
    return { ...(await checkProviders(providers, secrets)), keyed: keyed.map(({ id }) => id) };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const wrong = fault('wrong_setting', `${error.message}.`, 'Mend it, and deploy or start again.');
    return { findings: [wrong], clocks: [], accepted: [], keyed: [] };
  }
}

async function notAsked(): ReturnType<typeof checkGateway> {
  const fix = 'Say where it runs with --url or FLUX_URL.';
  return { findings: [skipped('gateway', 'The gateway itself was not asked.', fix)], clock: null };
}

const MARKS = { ok: '✓', warning: '!', error: '✗', skipped: '-' } as const;

function report(findings: readonly Finding[], target: Record<string, string | null>): Outcome {
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length;
  const errors = count('error');
  const lines = findings.map(({ code, level, message, fix }) => {
    const name = level === 'ok' ? '' : ` [${code}]`;
    return `${MARKS[level]} ${message}${name}\n${fix === undefined ? '' : `    ${fix}\n`}`;
  });
  const sum = `${errors} errors, ${count('warning')} warnings, ${count('skipped')} not looked at.`;
  return {
    json: { ok: errors === 0, target, findings },
    text: `${lines.join('')}\n${sum}\n`,
    failed: errors > 0,
  };
}
