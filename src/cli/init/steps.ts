import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { migrate } from '../../log/migrate.ts';
import { CommandError } from '../command-error.ts';
import type { Deployment } from '../deployment.ts';
import type { Shell } from '../shell.ts';
import { storeProblem } from '../stores.ts';
import { listQueues, type Wrangler } from '../wrangler.ts';
import { wranglerFailed } from './config.ts';

/** 14 days, the most there is (T47); needs Workers Paid. */
const RETENTION_S = 1_209_600;

/** Makes the queues that are not there yet. */
export async function makeQueues({ queues, config }: Deployment, wrangler: Wrangler): Promise<string[]> {
  const { log, dead } = queues;
  if (log === null || dead === null) {
    throw new CommandError(
      `${config} binds no queue to LOG_QUEUE, or gives it no dead-letter queue: \`flux doctor\` says more.`,
    );
  }
  const listed = await listQueues(wrangler);
  if ('problem' in listed) {
    throw new CommandError(`Queues can't be listed: ${listed.problem}. Queues need the Workers Paid plan.`);
  }
  const there = new Set(listed.queues.map(({ name }) => name));
  const made = [log, dead].filter((name) => !there.has(name));
  for (const name of made) {
    const run = await wrangler([
      'queues',
      'create',
      name,
      '--message-retention-period-secs',
      String(RETENTION_S),
    ]);
    if (!run.ok) throw wranglerFailed(`queues create ${name}`, run);
  }
  return made;
}

/** One command for all, its values through standard input. */
export async function uploadSecrets(upload: ReadonlyMap<string, string>, wrangler: Wrangler): Promise<void> {
  if (upload.size === 0) return;
  const run = await wrangler(['secret', 'bulk'], {
    input: JSON.stringify(Object.fromEntries(upload)),
    about: `through standard input: ${[...upload.keys()].join(', ')}`,
  });
  if (!run.ok) throw wranglerFailed('secret bulk', run);
}

/** @throws CommandError in Postgres's words */
export async function migrateDatabase(databaseUrl: string, shell: Shell): Promise<string[]> {
  shell.note('Bringing the schema of Postgres up to date …');
  try {
    const { applied } = await migrate(databaseUrl);
    for (const name of applied) shell.note(`  applied ${name}`);
    return applied;
  } catch (error) {
    throw new CommandError(storeProblem(error));
  }
}

/** A line of the file that wrangler writes for programs (WRANGLER_OUTPUT_FILE_PATH). */
const deployed = z.object({ type: z.literal('deploy'), targets: z.array(z.string()).optional() });

/** Deploys, and says where the Worker then answers; null where it has no URL of its own. */
export async function deployWorker(wrangler: Wrangler): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'flux-deploy-'));
  try {
    const file = join(folder, 'output.ndjson');
    const run = await wrangler(['deploy'], { live: true, variables: { WRANGLER_OUTPUT_FILE_PATH: file } });
    if (!run.ok) throw wranglerFailed('deploy', run);
    const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
    const targets = lines.flatMap((line) => {
      const parsed = deployed.safeParse(parseJson(line));
      return parsed.success ? (parsed.data.targets ?? []) : [];
    });
    const url =
      targets.find((target) => /^https?:\/\//.test(target)) ?? targets.find((target) => HOST.test(target));
    if (url === undefined) return null;
    return new URL(/^https?:/.test(url) ? url : `https://${url.split(/[\s/*]/)[0]}`).origin;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A route or custom domain: `gateway.example.com (custom domain)`, `gateway.example.com/*`. */
const HOST = /^[a-z0-9-]+(\.[a-z0-9-]+)+([\s/]|$)/i;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
