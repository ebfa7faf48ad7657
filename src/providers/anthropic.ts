import Anthropic from '@anthropic-ai/sdk';
import type { ProviderCall } from '../pipeline/ports.ts';
import { RequestHeads } from './request-heads.ts';

type Build = Anthropic['buildRequest'];

/** The official client, less what it would do anew for every request. */
class Client extends Anthropic {
  readonly #heads = new RequestHeads<Awaited<ReturnType<Build>>['req']>();

  override buildRequest(...args: Parameters<Build>): ReturnType<Build> {
    return this.#heads.request(args[0], () => super.buildRequest(...args));
  }

  /** The attempt has a time-out of its own, which covers the body too. */
  override fetchWithTimeout(url: string, init: RequestInit | undefined): Promise<Response> {
    return fetch(url, { ...init, redirect: 'manual' });
  }
}

// Customers may bring keys of their own: bounded, and making a client anew costs microseconds.
const MOST_CLIENTS = 100;
const clients = new Map<string, Client>();

/**
 * POST /v1/messages. The SDK brings authentication, the API version (2026-10-21) and typed errors;
 * retries are ours.
 * @throws Anthropic.APIError for anything but a 2xx.
 */
export function postAnthropic(call: ProviderCall, signal: AbortSignal): Promise<Response> {
  return clientFor(call)
    .post('/v1/messages', {
      body: call.body,
      headers: { 'content-type': 'application/json' },
      signal,
    })
    .asResponse();
}

function clientFor({ provider, timeouts }: ProviderCall): Client {
  const name = `${provider.id} ${provider.baseUrl} ${provider.apiKey}`;
  let client = clients.get(name);
  if (!client) {
    client = new Client({
      // A local server may need no key; the SDK insists on one.
      apiKey: provider.apiKey ?? 'none',
      authToken: null,
      baseURL: provider.baseUrl,
      maxRetries: 0,
      timeout: timeouts.firstByte,
      logLevel: 'off',
    });
    if (clients.size >= MOST_CLIENTS) clients.clear();
    clients.set(name, client);
  }
  return client;
}
