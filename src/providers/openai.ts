import OpenAI from 'openai';
import type { ProviderCall } from '../pipeline/ports.ts';
import { RequestHeads } from './request-heads.ts';

type Build = OpenAI['buildRequest'];

/** The official client, less what it would do anew for every request. */
class Client extends OpenAI {
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
 * POST /responses or /chat/completions, as the model's wire says, on OpenAI or a server compatible with it.
 * Retries are ours.
 * @throws OpenAI.APIError for anything but a 2xx.
 */
export function postOpenAI(call: ProviderCall, signal: AbortSignal): Promise<Response> {
  const path = call.model.wire === 'openai-responses' ? '/responses' : '/chat/completions';
  return clientFor(call)
    .post(path, {
      body: call.body,
      headers: { 'content-type': 'application/json' },
      signal,
    })
    .asResponse();
}

function clientFor({ provider }: ProviderCall): Client {
  const name = `${provider.id} ${provider.baseUrl} ${provider.apiKey}`;
  let client = clients.get(name);
  if (!client) {
    client = new Client({
      // A local server may need no key; the SDK insists on one.
      apiKey: provider.apiKey ?? 'none',
      organization: null,
      project: null,
      baseURL: provider.baseUrl,
      maxRetries: 0,
      logLevel: 'off',
    });
    if (clients.size >= MOST_CLIENTS) clients.clear();
    clients.set(name, client);
  }
  return client;
}
