/** A request as an official SDK has built it. */
interface Built<Init> {
  req: Init;
  url: string;
  timeout: number;
}

/**
 * URL and headers of a client's requests, by path. The SDKs make them anew for every request, which takes longer than
 * to send it; but all that we send of one path have the same.
 */
export class RequestHeads<Init extends { body?: unknown; signal?: unknown }> {
  readonly #heads = new Map<string, Built<Omit<Init, 'body' | 'signal'>>>();

  /** @param build asks the SDK: the first time only */
  async request(
    { path, body, signal }: { path: string; body?: unknown; signal?: unknown },
    build: () => Promise<Built<Init>>,
  ): Promise<Built<Init>> {
    const head = this.#heads.get(path);
    // A head and the two it lacks: the SDK's own type again, since it takes our strings as bodies as they are.
    if (head) return { ...head, req: { ...head.req, body, signal } as Init };
    const built = await build();
    const { body: _body, signal: _signal, ...req } = built.req;
    this.#heads.set(path, { ...built, req });
    return built;
  }
}
