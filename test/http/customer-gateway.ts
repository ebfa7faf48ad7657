import { type FaultyPostgres, type FaultyRedis, startPostgres, startRedis } from '../log/stores.ts';
import { openPrepared } from '../prepared.ts';
import { ANSWERS, json, type Reply, startUpstream, type Upstream } from '../providers/upstream.ts';
import { gatewayOf } from './gateway.ts';

/** What is under every gateway of a test file: both stores, and a provider that answers everything. */
export interface Ground {
  postgres: FaultyPostgres;
  redis: FaultyRedis;
  upstream: Upstream;
  /** A deployment over it, started anew: nothing is known to it but what the stores have. */
  start(variables?: Record<string, string>): CustomerGateway;
  /** As if nobody had ever changed anything. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export interface CustomerGateway extends ReturnType<typeof gatewayOf> {
  /** Asks, and gives status, headers and JSON. */
  call(method: string, path: string, key: string | null, body?: unknown, headers?: object): Promise<Seen>;
}

export interface Seen {
  status: number;
  headers: Headers;
  // Each test knows the shape of what it asked for.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  body: any;
}

/** The least that OpenAI's endpoints without a conversation answer. */
const PASSED: Record<string, object> = {
  '/v1/embeddings': { object: 'list', data: [], model: 'm' },
  '/v1/moderations': { id: 'modr-1', model: 'm', results: [] },
  '/v1/images/generations': { created: 1 },
  '/v1/audio/transcriptions': { text: 'x' },
  '/v1/audio/translations': { text: 'x' },
  '/v1/completions': { id: 'cmpl-1', object: 'text_completion', created: 1, model: 'm', choices: [] },
};

/** A provider that answers steps, and counts. */
export const ANSWERING: Reply = (response, request) => {
  const url = request.url ?? '';
  if (url === '/v1/audio/speech')
    return void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('x');
  if (url.includes('count_tokens')) return json(200, { input_tokens: 10 })(response, request);
  const body = url.startsWith('/v1/messages') ? ANSWERS['anthropic-messages'].body : PASSED[url];
  if (body === undefined) return void response.writeHead(404).end();
  json(200, body)(response, request);
};

export const KEYS = {
  acme: 'flx_acme_admin_key',
  agent: 'flx_acme_agent_key',
  globex: 'flx_globex_admin_key',
  operator: 'flx_operator_key',
};

export async function startGround(): Promise<Ground> {
  const [postgres, redis, upstream] = await Promise.all([
    startPostgres(openPrepared),
    startRedis(),
    startUpstream(),
  ]);
  upstream.replies = [ANSWERING];
  return {
    postgres,
    redis,
    upstream,
    start: (variables = {}) => {
      const gateway = gatewayOf({
        DATABASE_URL: postgres.url,
        UPSTASH_REDIS_REST_URL: redis.url,
        UPSTASH_REDIS_REST_TOKEN: 'token',
        ANTHROPIC_BASE_URL: upstream.url,
        FLUX_API_KEYS: `${KEYS.acme}:acme:infer+read+admin,${KEYS.agent}:acme,${KEYS.globex}:globex:infer+read+admin`,
        FLUX_ADMIN_KEY: KEYS.operator,
        ...variables,
      });
      return {
        ...gateway,
        call: async (method, path, key, body, headers = {}) => {
          const sent =
            body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
          const response = await gateway.request(path, { method, ...sent, headers: { ...headers } }, key);
          const text = await response.text();
          const isJson = response.headers.get('content-type')?.includes('json') === true;
          return {
            status: response.status,
            headers: response.headers,
            body: text && isJson ? JSON.parse(text) : text,
          };
        },
      };
    },
    reset: async () => {
      postgres.mood = 'up';
      redis.mood = 'up';
      upstream.requests.length = 0;
      await postgres.read('TRUNCATE api_keys, customer_settings, customer_limits, audit, queries');
      await redis.direct.flushall();
    },
    close: async () => {
      await Promise.all([postgres.close(), redis.close(), upstream.close()]);
    },
  };
}

/** A step that the cheapest model does. */
export const ask = { model: 'auto', messages: [{ role: 'user', content: 'What is the capital of France?' }] };

/** A form of an endpoint for sound, and the type that goes with it. */
export const FORM = {
  type: 'multipart/form-data; boundary=b0und',
  body: [
    '--b0und\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1',
    '--b0und\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF',
    '--b0und--\r\n',
  ].join('\r\n'),
};
