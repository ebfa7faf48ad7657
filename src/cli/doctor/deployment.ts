import { type Deployment, type Placement, regionOf } from '../deployment.ts';
import { missingSecrets, wantedSecrets } from '../deployment-secrets.ts';
import { listQueues, listSecrets, type Wrangler } from '../wrangler.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

const LOGIN = 'Log in with `npx wrangler login` (or set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID).';

/** Whether the Worker has its secrets. Gives their names too. */
export async function checkSecrets(
  deployment: Deployment,
  wrangler: Wrangler,
): Promise<{ findings: Finding[]; names: string[] }> {
  const listed = await listSecrets(wrangler);
  if ('problem' in listed) {
    const message = `Secrets can't be listed: ${listed.problem}`;
    return { findings: [fault('wrangler_failed', message, LOGIN)], names: [] };
  }
  const environment = deployment.environment === null ? '' : ` --env ${deployment.environment}`;
  if (!listed.exists) {
    const message = `There is no Worker '${deployment.worker}' in this account.`;
    return {
      findings: [fault('not_deployed', message, `Deploy it: \`flux init${environment}\`.`)],
      names: [],
    };
  }
  const present = new Set([...listed.names, ...Object.keys(deployment.vars)]);
  const wanted = wantedSecrets(deployment.vars);
  const missing = missingSecrets(wanted, present);
  const one = missing.filter(({ need }) => need === 'one').map(({ name }) => name);
  const findings = missing
    .filter(({ need }) => need !== 'one')
    .map(({ name, about, need }) =>
      (need === 'better' ? warning : fault)(
        'missing_secret',
        `The Worker has no ${name} (${about}).`,
        `Set it: \`wrangler secret put ${name}${environment}\`, or run \`flux init${environment}\` again.`,
      ),
    );
  if (one.length > 0) {
    findings.push(
      fault(
        'missing_secret',
        `The Worker has no key of any model provider: none of ${one.join(', ')}.`,
        `Set one: \`wrangler secret put ${one[0]}${environment}\`.`,
      ),
    );
  }
  if (findings.length === 0)
    findings.push(ok('secrets', `The Worker has its secrets (${listed.names.length}).`));
  return { findings, names: listed.names };
}

/** Whether the queues are bound, are there, and have somebody who takes from them. */
export async function checkQueues({ queues, worker }: Deployment, wrangler: Wrangler): Promise<Finding[]> {
  const { log, dead, consumed } = queues;
  if (log === null) {
    return [
      fault(
        'queue_not_bound',
        'wrangler.toml binds no queue to LOG_QUEUE: steps are logged past the queue, and lost where Postgres is down.',
        'Restore [[queues.producers]] with binding = "LOG_QUEUE" from the repository, and deploy.',
      ),
    ];
  }
  const findings: Finding[] = [];
  if (!consumed.includes(log)) {
    findings.push(
      fault(
        'queue_no_consumer',
        `wrangler.toml has no consumer for '${log}': no step becomes a row.`,
        RESTORE,
      ),
    );
  } else if (dead === null) {
    findings.push(
      fault(
        'dead_letter_queue_missing',
        `The consumer of '${log}' has no dead_letter_queue: what it gives up on is deleted.`,
        RESTORE,
      ),
    );
  } else if (!consumed.includes(dead) || !dead.endsWith('-dead')) {
    findings.push(deadLetterFault(dead));
  }
  const listed = await listQueues(wrangler);
  if ('problem' in listed) {
    return [...findings, fault('wrangler_failed', `Queues can't be listed: ${listed.problem}`, LOGIN)];
  }
  for (const name of [log, ...(dead === null ? [] : [dead])]) {
    const queue = listed.queues.find((one) => one.name === name);
    if (!queue) {
      const fix = `Make it: \`wrangler queues create ${name} --message-retention-period-secs 1209600\`, then deploy.`;
      findings.push(fault('queue_missing', `There is no queue '${name}' in this account.`, fix));
    } else if (queue.consumers === 0 && name === dead) {
      if (consumed.includes(name)) findings.push(deadLetterFault(name));
    } else if (queue.consumers === 0) {
      findings.push(fault('queue_no_consumer', `Nobody takes from the queue '${name}'.`, DEPLOY));
    } else if (queue.producers === 0 && name === log) {
      findings.push(
        fault(
          'queue_not_bound',
          `No Worker sends to the queue '${name}': '${worker}' is not bound to it.`,
          DEPLOY,
        ),
      );
    }
  }
  return findings.length > 0
    ? findings
    : [ok('queues', `The queues '${log}' and '${dead}' are there and are consumed.`)];
}

const RESTORE = 'Restore [[queues.consumers]] from the repository’s wrangler.toml, and deploy.';
const DEPLOY = 'Deploy: bindings and consumers are made with it.';

function deadLetterFault(name: string): Finding {
  return fault(
    'dead_letters_unread',
    `Nobody takes from the dead-letter queue '${name}': Cloudflare deletes its messages after four days.`,
    'wrangler.toml needs [[queues.consumers]] for it, and its name must end in -dead. Then deploy.',
  );
}

/** Whether the Worker runs beside its stores, and not beside each caller (T61). */
export function checkPlacement(
  { placement, environment }: Deployment,
  databaseUrl: string | undefined,
): Finding {
  const wanted = databaseUrl === undefined ? null : regionOf(databaseUrl);
  const table = environment === null ? '[placement]' : `[env.${environment}.placement]`;
  const fix = `In wrangler.toml: ${table} region = "${wanted ?? 'aws:…, the region of the database'}". Then deploy.`;
  const where = placement && placeOf(placement);
  if (where === null) {
    return fault(
      'wrong_placement',
      'The Worker runs near each caller: far from its stores, and where a provider may refuse the region.',
      fix,
    );
  }
  if (placement?.region !== undefined && wanted !== null && placement.region !== wanted) {
    return fault(
      'wrong_region',
      `The Worker is placed at ${placement.region}, the database is in ${wanted}.`,
      fix,
    );
  }
  if (placement?.region === undefined && placement?.mode === 'smart') {
    return warning(
      'placement_smart',
      'Cloudflare chooses where the Worker runs, after some traffic and not for good: a provider may refuse that region.',
      fix,
    );
  }
  return ok('placement', `The Worker is placed at ${where}.`);
}

function placeOf(placement: Placement): string | null {
  return (
    placement.region ?? placement.host ?? placement.hostname ?? (placement.mode === 'smart' ? 'smart' : null)
  );
}
