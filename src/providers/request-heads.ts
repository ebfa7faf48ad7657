import type { WireBody } from '../pipeline/ports.ts';

/** A request as an official SDK builds it. */
interface Built {
  req: { headers: Headers; body?: unknown; signal?: unknown };
  url: string;
}

/** What all requests to one path of a client have in common. */
interface Head {
  url: string;
  headers: Headers;
}

/** What the SDKs tell of the machine they run on: nobody needs it, and each header costs time. */
const TELEMETRY = /^x-stainless-/i;

/**
 * URL and headers of a client's requests, by path. An SDK makes them anew for every request, which takes longer than
 * to send it; but all that we send to one path have the same.
 */
export class RequestHeads {
  readonly #heads = new Map<string, Head>();

  /**
   * Posts JSON. Retries and time-outs are the caller's; a redirect is an answer like any other, since the URL
   * comes from the settings.
   * @param build asks the SDK: the first time only
   * @param own headers of this request alone
   * @returns the answer whatever its status
   */
  async post(
    path: string,
    body: WireBody,
    signal: AbortSignal,
    build: () => Promise<Built>,
    own?: Readonly<Record<string, string>>,
  ): Promise<Response> {
    let head = this.#heads.get(path);
    if (!head) {
      const { url, req } = await build();
      head = { url, headers: new Headers([...req.headers].filter(([name]) => !TELEMETRY.test(name))) };
      this.#heads.set(path, head);
    }
    const headers = own ? withOwn(head.headers, own) : head.headers;
    return fetch(head.url, { method: 'POST', headers, body, signal, redirect: 'manual' });
  }
}

function withOwn(shared: Headers, own: Readonly<Record<string, string>>): Headers {
  const entries = Object.entries(own);
  if (entries.length === 0) return shared;
  const headers = new Headers(shared);
  for (const [name, value] of entries) headers.set(name, value);
  return headers;
}

/** The text of an answer that is none, and what it says where it is JSON. An SDK's errors are made from these. */
export async function readRefusal(response: Response): Promise<{ text: string; json: object | undefined }> {
  // Whatever happens to the rest: the status is there.
  const text = await response.text().catch(() => '');
  try {
    const json: unknown = JSON.parse(text);
    return { text, json: typeof json === 'object' && json !== null ? json : undefined };
  } catch {
    return { text, json: undefined };
  }
}
