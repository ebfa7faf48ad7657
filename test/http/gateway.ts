import { createApp } from '../../src/http/app.ts';
import { readItems } from '../../src/log/steps-message.ts';
import type { StepRecord } from '../../src/pipeline/record.ts';

/** The Hono app in plain Node, with a queue in memory and stores nobody answers for. */
export function gatewayOf(variables: Record<string, string> = {}) {
  const rows: StepRecord[] = [];
  const work: Promise<unknown>[] = [];
  const env = {
    LOG_QUEUE: {
      // What is delayed is of steps that are under way: it comes when nobody waits for it any more.
      send: async (steps: string, { delaySeconds }: { delaySeconds?: number }) =>
        void (delaySeconds ?? rows.push(...(readItems(steps) as StepRecord[]))),
    },
    FLUX_API_KEYS: 'flx_agent_key:acme,flx_reader_key:acme:read,flx_other_key:globex:infer+read',
    FLUX_ADMIN_KEY: 'flx_admin_key',
    FLUX_SECRET: 'a secret of this deployment',
    FLUX_RETRY_BASE_MS: '1',
    ANTHROPIC_API_KEY: 'sk-ant-CANARY',
    // Port 1 on loopback: nobody listens.
    DATABASE_URL: 'postgresql://user:pass@127.0.0.1:1/flux',
    UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:1',
    UPSTASH_REDIS_REST_TOKEN: 'token',
    ...variables,
  };
  const app = createApp();
  const context = {
    waitUntil: (promise: Promise<unknown>) => void work.push(promise),
    passThroughOnException() {},
    props: {},
  };
  const request = (path: string, init: RequestInit = {}, key: string | null = 'flx_agent_key') =>
    // Hono asks for Cloudflare's context, of which the app uses waitUntil only.
    app.request(
      path,
      { ...init, headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...init.headers } },
      env,
      context as never,
    );
  const chat = (
    body: unknown,
    headers: Record<string, string> = {},
    key: string | null = 'flx_agent_key',
  ) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return request(
      '/v1/chat/completions',
      { method: 'POST', body: text, headers: { 'content-type': 'application/json', ...headers } },
      key,
    );
  };
  return {
    rows,
    request,
    chat,
    /** Everything the Worker does after its answers. */
    settled: async () => {
      // Work may make more of it.
      for (let known = -1; known !== work.length; ) {
        known = work.length;
        await Promise.all(work);
      }
    },
  };
}
