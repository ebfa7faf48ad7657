import Anthropic from '@anthropic-ai/sdk';
import type { ProviderCall, WireBody } from '../pipeline/ports.ts';
import { RequestHeads, readRefusal } from './request-heads.ts';

/** The official client, as far as a request needs it; see openai.ts. */
class Client extends Anthropic {
  readonly #heads = new RequestHeads();

  /** @throws Anthropic.APIError for anything but a 2xx. */
  async send(
    path: string,
    body: WireBody,
    signal: AbortSignal,
    own?: Readonly<Record<string, string>>,
  ): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    const build = async () => {
      const { url, req } = await this.buildRequest({ method: 'post', path, body, headers });
      return { url, req };
    };
    const response = await this.#heads.post(path, body, signal, build, own);
    if (response.ok) return response;
    const { text, json } = await readRefusal(response);
    throw this.makeStatusError(response.status, json ?? {}, json ? undefined : text, response.headers);
  }
}

// Customers may bring keys of their own: bounded, and making a client anew costs microseconds.
const MOST_CLIENTS = 100;
const clients = new Map<string, Client>();

/** Where a request goes: what a call says of its provider, and the client's own headers. */
export type Addressed = Pick<ProviderCall, 'provider' | 'timeouts' | 'body' | 'headers'>;

/**
 * POST /v1/messages. The SDK brings authentication, the API version (2026-10-21) and typed errors;
 * retries are ours.
 * @throws Anthropic.APIError for anything but a 2xx.
 */
export function postAnthropic(call: ProviderCall, signal: AbortSignal): Promise<Response> {
  return clientFor(call).send('/v1/messages', call.body, signal, call.headers);
}

/**
 * POST /v1/messages/count_tokens: free, with a rate limit of its own.
 * @throws Anthropic.APIError for anything but a 2xx.
 */
export function postTokenCount(call: Addressed, signal: AbortSignal): Promise<Response> {
  return clientFor(call).send('/v1/messages/count_tokens', call.body, signal, call.headers);
}

function clientFor({ provider, timeouts }: Addressed): Client {
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
