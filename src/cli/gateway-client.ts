import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, wrongUsage } from './command-error.ts';
import { type Shell, setting } from './shell.ts';

/** Flags of every command that talks to a running gateway. */
export const GATEWAY_FLAGS = { url: { type: 'string' }, key: { type: 'string' } } as const;
export const GATEWAY_HELP = `  --url URL   the gateway; else FLUX_URL, else the local one, http://127.0.0.1:8787 (or at PORT)
  --key KEY   its API key; else FLUX_KEY, FLUX_ADMIN_KEY, or for the local one the key that npm start has made.
              Others on this machine can see arguments: prefer the variables`;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const LIMIT_MS = 60_000;

/** A running gateway, over HTTP. */
export interface Gateway {
  /** Its origin, without `/v1`. */
  url: string;
  /** On this machine. */
  local: boolean;
  key: string | undefined;
}

/** What a gateway answered, whatever the status. */
export interface GatewayAnswer {
  status: number;
  body: unknown;
  headers: Headers;
}

/** The gateway that flags and environment name. A key kept on this machine is for a gateway on this machine only. */
export async function findGateway(
  flags: { url?: string | undefined; key?: string | undefined },
  shell: Shell,
): Promise<Gateway> {
  const given =
    flags.url ?? setting(shell, 'FLUX_URL') ?? `http://127.0.0.1:${setting(shell, 'PORT') ?? 8787}`;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw wrongUsage(
      `'${given}' is no URL: give the gateway's, e.g. --url https://fluxcompute.example.workers.dev`,
    );
  }
  const local = LOOPBACK.test(url.hostname);
  const key = flags.key ?? setting(shell, 'FLUX_KEY') ?? setting(shell, 'FLUX_ADMIN_KEY');
  return { url: url.origin, local, key: key ?? (local ? await readLocalKey(shell) : undefined) };
}

/** The folder of `npm start`. */
export function dataFolder(shell: Shell): string {
  return setting(shell, 'FLUX_DATA_DIR') ?? '.flux';
}

async function readLocalKey(shell: Shell): Promise<string | undefined> {
  try {
    return (await readFile(join(dataFolder(shell), 'api-key'), 'utf8')).trim() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * One request to the gateway.
 * @throws CommandError where there is no key, nobody answers, or the answer is no JSON
 */
export async function callGateway(
  gateway: Gateway,
  method: string,
  path: string,
  body?: unknown,
): Promise<GatewayAnswer> {
  if (gateway.key === undefined) {
    throw wrongUsage('there is no API key: give one with --key or FLUX_KEY (or FLUX_ADMIN_KEY)');
  }
  return send(gateway, path, {
    method,
    headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** GET /health, which needs no key. */
export function readHealth(gateway: Gateway): Promise<GatewayAnswer> {
  return send(gateway, '/health', {});
}

async function send({ url, local }: Gateway, path: string, init: RequestInit): Promise<GatewayAnswer> {
  let response: Response;
  let text: string;
  try {
    // Redirects are not followed: the key is for this host.
    response = await fetch(url + path, {
      ...init,
      redirect: 'manual',
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    text = await response.text();
  } catch {
    throw new CommandError(
      `No gateway answers at ${url}. ${local ? 'Start it with `npm start`, or say' : 'Say'} where it is with --url or FLUX_URL.`,
    );
  }
  try {
    return { status: response.status, body: JSON.parse(text), headers: response.headers };
  } catch {
    throw new CommandError(
      `What answers at ${url}${path} is no gateway (status ${response.status}, no JSON). Check --url or FLUX_URL.`,
    );
  }
}

/** The error in an answer, in the words of the gateway; undefined where it is none. */
export function errorIn({ status, body }: GatewayAnswer): { code: string; message: string } | undefined {
  if (status < 400) return undefined;
  const error: unknown =
    typeof body === 'object' && body !== null && 'error' in body ? body.error : undefined;
  const field = (name: string): string | undefined => {
    const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined;
    return typeof value === 'string' ? value : undefined;
  };
  return {
    code: field('code') ?? `status_${status}`,
    message: field('message') ?? `The gateway answered with status ${status} and no message.`,
  };
}
