import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../command-error.ts';
import { errorIn, type Gateway, readHealth } from '../gateway-client.ts';
import { describeStep, type RoutedStep, sendRoutedStep } from '../routed-step.ts';
import { confirm, type Shell } from '../shell.ts';
import { keyOf } from './made-secrets.ts';
import type { GatheredSecrets } from './secrets.ts';

/** A new workers.dev address takes up to a minute or two to be known everywhere. */
const PATIENCE_MS = 120_000;
const BETWEEN_MS = 2_000;

export interface Known {
  secrets: GatheredSecrets;
  worker: string;
  /** Whether to send a step; undefined: ask. */
  probe: boolean | undefined;
}

/**
 * Waits until the new gateway is healthy, then sends one routed step if there is a provider to answer it and the user
 * agrees: it costs money.
 * @returns null where none was sent
 * @throws CommandError that says what /health answers instead
 */
export async function smokeTest(url: string, known: Known, shell: Shell): Promise<RoutedStep | null> {
  const gateway: Gateway = { url: new URL(url).origin, local: false, key: await firstKey(known, shell) };
  await awaitHealthy(gateway, shell);
  if (!known.secrets.hasProvider || gateway.key === undefined) return null;
  const question = 'Send one small routed step? It costs a small fraction of a cent.';
  const wanted = known.probe ?? (shell.interactive && (await confirm(shell, question, false)));
  if (!wanted) return null;
  const step = await sendRoutedStep(gateway);
  shell.note(describeStep(step));
  return step;
}

/** A key of the new gateway, if one is known here. */
async function firstKey({ secrets, worker }: Known, shell: Shell): Promise<string | undefined> {
  const uploaded = secrets.upload.get('FLUX_API_KEYS')?.split(/[:,]/)[0]?.trim();
  return uploaded ?? (await keyOf(worker, shell));
}

async function awaitHealthy(gateway: Gateway, shell: Shell): Promise<void> {
  shell.note(`Waiting for ${gateway.url}/health …`);
  const end = Date.now() + PATIENCE_MS;
  let problem = '';
  do {
    try {
      const answer = await readHealth(gateway);
      const error = errorIn(answer);
      if (!error && isUp(answer.body)) return;
      problem = error?.message ?? 'a store is down: see `flux doctor`';
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      problem = error.message;
    }
    await sleep(BETWEEN_MS);
  } while (Date.now() < end);
  throw new CommandError(`The gateway is deployed and not healthy: ${problem}`);
}

function isUp(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'status' in body && body.status === 'ok';
}
