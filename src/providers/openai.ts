import OpenAI from 'openai';
import type { ProviderCall } from '../pipeline/ports.ts';

// Customers may bring keys of their own: bounded, and making a client anew costs microseconds.
const MOST_CLIENTS = 100;
const clients = new Map<string, OpenAI>();

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
      timeout: call.timeouts.firstByte,
    })
    .asResponse();
}

function clientFor({ provider, timeouts }: ProviderCall): OpenAI {
  const name = `${provider.id} ${provider.baseUrl} ${provider.apiKey}`;
  let client = clients.get(name);
  if (!client) {
    client = new OpenAI({
      // A local server may need no key; the SDK insists on one.
      apiKey: provider.apiKey ?? 'none',
      organization: null,
      project: null,
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
