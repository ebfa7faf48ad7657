import Anthropic from '@anthropic-ai/sdk';
import type { ProviderCall } from '../pipeline/ports.ts';

// Customers may bring keys of their own: bounded, and making a client anew costs microseconds.
const MOST_CLIENTS = 100;
const clients = new Map<string, Anthropic>();

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
      timeout: call.timeouts.firstByte,
    })
    .asResponse();
}

function clientFor({ provider, timeouts }: ProviderCall): Anthropic {
  const name = `${provider.id} ${provider.baseUrl} ${provider.apiKey}`;
  let client = clients.get(name);
  if (!client) {
    client = new Anthropic({
      // A local server may need no key; the SDK insists on one.
      apiKey: provider.apiKey ?? 'none',
      authToken: null,
      baseURL: provider.baseUrl,
      maxRetries: 0,
      timeout: timeouts.firstByte,
      logLevel: 'off',
      fetch: (url, init) => fetch(url, { ...init, redirect: 'manual' }),
    });
    if (clients.size >= MOST_CLIENTS) clients.clear();
    clients.set(name, client);
  }
  return client;
}
