import OpenAI from 'openai';
import type { ProviderCall, WireBody } from '../pipeline/ports.ts';
import { RequestHeads, readRefusal } from './request-heads.ts';

/**
 * The official client, as far as a request needs it: how one is addressed, authorised and refused is the SDK's; what it
 * would do anew for each (URL, headers, texts for a log that is off) is done once.
 */
class Client extends OpenAI {
  readonly #heads = new RequestHeads();

  /** @throws OpenAI.APIError for anything but a 2xx. */
  async send(path: string, body: WireBody, signal: AbortSignal): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    const response = await this.#heads.post(path, body, signal, () =>
      this.buildRequest({ method: 'post', path, body, headers }),
    );
    if (response.ok) return response;
    const { text, json } = await readRefusal(response);
    throw this.makeStatusError(response.status, json ?? {}, json ? undefined : text, response.headers);
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
  return clientFor(call).send(path, call.body, signal);
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
