import OpenAI, { toFile } from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type RunningSimulators, startSimulators } from '../../src/local/simulated/server.ts';
import { json, type Reply, sse, startUpstream, type Upstream } from '../providers/upstream.ts';
import { gatewayOf } from './gateway.ts';

let simulators: RunningSimulators;
let upstream: Upstream;
beforeAll(async () => {
  [simulators, upstream] = await Promise.all([startSimulators(), startUpstream()]);
});
afterAll(() => Promise.all([simulators.close(), upstream.close()]));
/** Gateways of this process send rows together: each test waits for its own. */
const open: ReturnType<typeof gatewayOf>[] = [];
const answers: Response[] = [];
afterEach(async () => {
  // Nobody would wait for a client that does not read.
  for (const answer of answers.splice(0)) if (!answer.bodyUsed) await answer.body?.cancel();
  await Promise.all(open.splice(0).map(({ settled }) => settled()));
  upstream.requests.length = 0;
  upstream.left = 0;
});

const start = (variables: Record<string, string>) => {
  const gateway = gatewayOf(variables);
  open.push(gateway);
  return gateway;
};
/** A gateway whose OpenAI is {@link upstream}. */
const told = (replies: Reply[], variables: Record<string, string> = {}) => {
  upstream.replies = replies;
  return start({
    OPENAI_API_KEY: 'sk-openai-CANARY',
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    ...variables,
  });
};
const post = async (
  gateway: ReturnType<typeof gatewayOf>,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
) => {
  const answer = await gateway.request(`/v1${path}`, {
    method: 'POST',
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  answers.push(answer);
  return answer;
};
/** Each test knows the shape of what it asked for. */
// biome-ignore lint/suspicious/noExplicitAny: see above
const readJson = async (response: Response): Promise<any> => response.json();
const EMBEDDING = {
  object: 'list',
  data: [],
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 5, total_tokens: 5 },
};

describe('the unmodified client of OpenAI', () => {
  const simulated = () => {
    const gateway = start({ OPENAI_API_KEY: 'sk-1', OPENAI_BASE_URL: `${simulators.url}/v1` });
    const client = new OpenAI({
      apiKey: 'flx_agent_key',
      baseURL: 'http://gateway/v1',
      maxRetries: 0,
      fetch: async (url, init) => gateway.request(String(url), init as RequestInit),
    });
    return { ...gateway, client };
  };
  const sound = () => toFile(Buffer.alloc(16_000), 'speech.wav');
  const isPriced = (usd: number | null | undefined) => expect(usd).toBeGreaterThan(0);

  test('embeddings, with what they cost', async () => {
    const { client, rows, settled } = simulated();
    const answer = await client.embeddings.create({
      model: 'openai/text-embedding-3-small',
      input: ['one text', 'another'],
    });
    expect(answer.data).toHaveLength(2);
    expect(answer.data[0]?.embedding).toHaveLength(1536);
    expect(answer).toMatchObject({
      fluxcompute: {
        passthrough: true,
        provider: 'openai',
        model_selected: 'text-embedding-3-small',
        simulated: true,
        savings_usd: null,
      },
    });
    await settled();
    const [row] = rows;
    expect(row).toMatchObject({
      path: '/v1/embeddings',
      passthrough: true,
      state: 'ok',
      requested_model: 'openai/text-embedding-3-small',
      model: 'text-embedding-3-small',
      tier: null,
      baseline_model: null,
      baseline_cost_usd: null,
      tokens: { fresh: answer.usage.prompt_tokens, output: 0 },
    });
    expect(row?.cost_usd).toBeCloseTo((answer.usage.prompt_tokens * 0.02) / 1e6, 12);
  });

  test('moderations, which cost nothing', async () => {
    const { client, rows, settled } = simulated();
    const { results } = await client.moderations.create({ input: 'a text' });
    expect(results[0]?.flagged).toBe(false);
    await settled();
    expect(rows[0]).toMatchObject({ requested_model: 'default', cost_usd: 0, state: 'ok' });
  });

  test('images, whole and as events', async () => {
    const { client, rows, settled } = simulated();
    const ask = { model: 'gpt-image-1', prompt: 'a cat' } as const;
    const whole = await client.images.generate(ask);
    expect(whole.data?.[0]?.b64_json).toBeTruthy();
    const types: string[] = [];
    for await (const event of await client.images.generate({ ...ask, stream: true, partial_images: 1 }))
      types.push(event.type);
    expect(types).toEqual(['image_generation.partial_image', 'image_generation.completed']);
    await settled();
    expect(rows.map(({ streamed }) => streamed)).toEqual([false, true]);
    for (const { cost_usd, tokens } of rows) {
      isPriced(cost_usd);
      expect(tokens.output).toBeGreaterThan(0);
    }
  });

  test('speech: bytes as they came, and as events', async () => {
    const { client, rows, settled } = simulated();
    const ask = { model: 'gpt-4o-mini-tts', voice: 'alloy', input: 'hello' } as const;
    const bytes = Buffer.from(await (await client.audio.speech.create(ask)).arrayBuffer());
    const direct = await fetch(`${simulators.url}/v1/audio/speech`, {
      method: 'POST',
      body: JSON.stringify(ask),
      headers: { authorization: 'Bearer sk-1', 'content-type': 'application/json' },
    });
    expect(bytes.equals(Buffer.from(await direct.arrayBuffer()))).toBe(true);
    const events = await (await client.audio.speech.create({ ...ask, stream_format: 'sse' })).text();
    expect(events).toContain('speech.audio.done');
    await settled();
    // Nothing in the sound says what it cost.
    expect(rows.map(({ cost_usd }) => cost_usd === null)).toEqual([true, false]);
  });

  test('transcriptions and translations: a form, as JSON, text or events', async () => {
    const { client, rows, settled } = simulated();
    const spoken = await client.audio.transcriptions.create({
      model: 'openai/gpt-4o-transcribe',
      file: await sound(),
    });
    expect(spoken.text).toContain('speech.wav');
    const text = await client.audio.transcriptions.create({
      model: 'whisper-1',
      file: await sound(),
      response_format: 'text',
    });
    expect(text).toContain('speech.wav');
    const whisper = await client.audio.transcriptions.create({ model: 'whisper-1', file: await sound() });
    expect(whisper.text).toContain('speech.wav');
    const events: string[] = [];
    const stream = await client.audio.transcriptions.create({
      model: 'gpt-4o-transcribe',
      file: await sound(),
      stream: true,
    });
    for await (const event of stream) events.push(event.type);
    expect(events.at(-1)).toBe('transcript.text.done');
    const english = await client.audio.translations.create({ model: 'whisper-1', file: await sound() });
    expect(english.text).toBeTruthy();
    await settled();
    expect(rows.map(({ path }) => path.split('/').at(-1))).toEqual([
      ...Array(4).fill('transcriptions'),
      'translations',
    ]);
    expect(rows.map(({ cost_usd }) => cost_usd !== null).slice(0, 4)).toEqual([true, false, true, true]);
  });

  test('completions, whole and streamed, with usage where it is asked for', async () => {
    const { client, rows, settled } = simulated();
    const ask = { model: 'gpt-3.5-turbo-instruct', prompt: 'Say hello' } as const;
    const whole = await client.completions.create(ask);
    expect(whole.choices[0]?.text).toBeTruthy();
    const chunks = async (more: object) => {
      const seen = [];
      for await (const chunk of await client.completions.create({ ...ask, stream: true, ...more }))
        seen.push(chunk);
      return seen;
    };
    const plain = await chunks({});
    expect(plain.map(({ choices }) => choices[0]?.text ?? '').join('')).toBe(whole.choices[0]?.text);
    expect(plain.filter(({ choices }) => choices.length === 0)).toEqual([]);
    expect(plain.at(-1)).toMatchObject({ fluxcompute: { passthrough: true } });
    const counted = await chunks({ stream_options: { include_usage: true } });
    expect(counted.at(-1)).toMatchObject({
      choices: [],
      usage: whole.usage,
      fluxcompute: { passthrough: true },
    });
    await settled();
    for (const { cost_usd } of rows) isPriced(cost_usd);
  });
});

describe('what is sent on', () => {
  test.each([
    [
      'a model with its provider',
      '{ "model" : "openai/text-embedding-3-small",\n "input": "x", "n": 1.50, "x":{"model":"y"} }',
      '{ "model" : "text-embedding-3-small",\n "input": "x", "n": 1.50, "x":{"model":"y"} }',
    ],
    [
      'a bare model',
      '{"input":["a", 1e3],"model":"m","unknown":[1.0]}',
      '{"input":["a", 1e3],"model":"m","unknown":[1.0]}',
    ],
    ['no model', '{"input": "x"}', '{"input": "x"}'],
    ['what would be kept', '{"model":"m","store":true}', '{"model":"m","store":false}'],
    [
      'a model written twice',
      '{"model":"ft:a","input":"x","model":"m"}',
      '{"model":"m","input":"x","model":"m"}',
    ],
  ])('%s: byte for byte but for that', async (_what, body, sent) => {
    const gateway = told([json(200, EMBEDDING)]);
    expect((await post(gateway, '/embeddings', body)).status).toBe(200);
    expect(upstream.requests[0]).toMatchObject({ path: '/v1/embeddings', body: sent });
  });

  test.each(['openai/whisper-1', 'whisper-1'])('a form, whose model is %s', async (model) => {
    upstream.replies = [json(200, { text: 'x' })];
    const form = (name: string) =>
      Buffer.concat([
        Buffer.from(
          `--b0und\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n`,
        ),
        Buffer.from([0, 255, 13, 10, 45, 45, 98, 48, 0xc3, 0x28]),
        Buffer.from(
          `\r\n--b0und\r\nContent-Disposition: form-data; name="model"\r\n\r\n${name}\r\n--b0und\r\nContent-Disposition: form-data; name=prompt\r\n\r\nmodel\r\n--b0und--\r\n`,
        ),
      ]);
    const sent: Buffer[] = [];
    const { createServer } = await import('node:http');
    const server = createServer(async (request, response) => {
      for await (const chunk of request) sent.push(chunk);
      response.setHeader('content-type', 'application/json').end('{"text":"x"}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const gateway = start({ OPENAI_API_KEY: 'sk', OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` });
    const type = 'multipart/form-data; boundary="b0und"';
    const answer = await post(gateway, '/audio/transcriptions', form(model), { 'content-type': type });
    expect(await readJson(answer)).toMatchObject({ text: 'x' });
    expect(Buffer.concat(sent).equals(form('whisper-1'))).toBe(true);
    server.close();
  });

  test("traps T39: of the client's headers only the type of its body; the key is the gateway's", async () => {
    const gateway = told([json(200, EMBEDDING)]);
    const headers = {
      cookie: 'a=b',
      'openai-organization': 'org',
      'openai-project': 'p',
      'anthropic-beta': 'x',
      'x-other': 'y',
      accept: 'a/b',
    };
    await post(gateway, '/embeddings', { model: 'm', input: 'x' }, headers);
    const { headers: sent } = upstream.requests[0] ?? { headers: {} };
    expect(sent).toMatchObject({
      authorization: 'Bearer sk-openai-CANARY',
      'content-type': 'application/json',
      accept: '*/*',
    });
    const usual = [
      'accept',
      'accept-encoding',
      'accept-language',
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
      'sec-fetch-mode',
      'user-agent',
    ];
    expect(usual).toEqual(expect.arrayContaining(Object.keys(sent)));
  });

  test('traps T60: a redirect is not followed', async () => {
    const gateway = told([
      (response) => response.writeHead(302, { location: `${upstream.url}/elsewhere` }).end(),
    ]);
    expect((await post(gateway, '/embeddings', { model: 'm', input: 'x' })).status).toBe(502);
    expect(new Set(upstream.requests.map(({ path }) => path))).toEqual(new Set(['/v1/embeddings']));
  });

  test('session, tags and No-Store stand in the row as for a step', async () => {
    const gateway = told([json(200, EMBEDDING)]);
    const headers = { 'x-fluxcompute-session': 'support-1', 'x-fluxcompute-tags': 'team=search' };
    const answer = await post(gateway, '/embeddings', { model: 'm', input: 'x' }, headers);
    expect(answer.headers.get('x-fluxcompute-session')).toBe('support-1');
    expect(answer.headers.get('x-fluxcompute-model')).toBe('m');
    expect(answer.headers.get('x-fluxcompute-reason')).toBe('pinned');
    await answer.text();
    await (
      await post(
        gateway,
        '/embeddings',
        { model: 'm', input: 'x' },
        { ...headers, 'x-fluxcompute-no-store': '1' },
      )
    ).text();
    await gateway.settled();
    expect(gateway.rows.map(({ session }) => typeof session)).toEqual(['string', 'object']);
    expect(gateway.rows[0]?.tags).toEqual({ team: 'search' });
    expect(
      (await post(gateway, '/embeddings', { model: 'm' }, { 'x-fluxcompute-tags': 'Team' })).status,
    ).toBe(400);
  });
});

describe('where it is sent', () => {
  const server = (id: string, more: object = {}) => ({
    id,
    kind: 'openai',
    base_url: `${upstream.url}/${id}`,
    ...more,
  });
  const whereTo = async (model: string | undefined, variables: Record<string, string>) => {
    const gateway = told([json(200, EMBEDDING)], variables);
    const answer = await post(gateway, '/embeddings', { model, input: 'x' });
    return answer.status === 200
      ? [
          upstream.requests.at(-1)?.path.split('/')[1],
          JSON.parse(upstream.requests.at(-1)?.body ?? '{}').model,
        ]
      : [answer.status, (await readJson(answer)).error];
  };
  const servers = () =>
    JSON.stringify([
      server('vllm', { prices: { 'bge/m3': { input: 0, output: 0 } } }),
      server('other'),
      server('locked', { key_secret: 'NO_SUCH_SECRET' }),
    ]);

  test.each([
    ['other/m', 'other', 'm'],
    ['openai/m', 'v1', 'm'],
    ['m', 'v1', 'm'],
    ['bge/m3', 'vllm', 'bge/m3'],
    ['who/knows', 'v1', 'who/knows'],
    [undefined, 'v1', undefined],
  ])('%s', async (model, provider, sent) => {
    expect(await whereTo(model, { FLUX_PROVIDERS: servers() })).toEqual([provider, sent]);
  });

  test("without OpenAI's key: the first other server that needs none or has one", async () => {
    const locked = JSON.stringify([server('locked', { key_secret: 'NO_SUCH_SECRET' }), server('open')]);
    expect(await whereTo('m', { OPENAI_API_KEY: '', FLUX_PROVIDERS: locked })).toEqual(['open', 'm']);
  });

  test.each([
    [
      'none is set up',
      'm',
      { OPENAI_API_KEY: '' },
      503,
      { code: 'not_configured', message: expect.stringContaining('OPENAI_API_KEY') },
    ],
    ["Anthropic's has no such endpoint", 'anthropic/m', {}, 400, { param: 'model' }],
    ['only conversations are routed', 'auto', {}, 400, { param: 'model' }],
    ['so are floors', 'auto:easy', {}, 400, { param: 'model' }],
    [
      "T56: a tuned model is somebody's",
      'ft:gpt-4o:acme::1',
      {},
      400,
      { param: 'model', code: 'stored_object' },
    ],
    ['named, without its key', 'openai/m', { OPENAI_API_KEY: '' }, 502, { code: 'provider_auth' }],
  ])('%s', async (_what, model, variables, status, error) => {
    expect(await whereTo(model, variables)).toEqual([status, expect.objectContaining(error)]);
  });
});

describe('money', () => {
  const costOf = async (path: string, model: string, answer: object, prices?: object) => {
    const gateway = told([json(200, answer)], {
      FLUX_PROVIDERS: JSON.stringify([{ id: 'own', kind: 'openai', base_url: upstream.url, prices }]),
    });
    const body = await readJson(await post(gateway, path, { model, input: 'x', prompt: 'x' }));
    await gateway.settled();
    expect(body.fluxcompute.cost_usd).toBe(gateway.rows[0]?.cost_usd);
    return gateway.rows[0]?.cost_usd;
  };

  test('by the model that the answer names (T41), and never 0 for what has no price (T42)', async () => {
    const usage = { prompt_tokens: 1_000_000, total_tokens: 1_000_000 };
    expect(
      await costOf('/embeddings', 'text-embedding-3-small', { model: 'text-embedding-3-large', usage }),
    ).toBe(0.13);
    expect(await costOf('/embeddings', 'no-such-model', { usage })).toBeNull();
    expect(await costOf('/embeddings', 'text-embedding-3-small', { data: [] })).toBeNull();
    expect(await costOf('/images/generations', 'dall-e-3', { created: 1, data: [] })).toBeNull();
  });

  test('sound and pictures are priced apart', async () => {
    const input_tokens_details = { text_tokens: 20, image_tokens: 80 };
    const picture = {
      usage: { input_tokens: 100, output_tokens: 1000, total_tokens: 1100, input_tokens_details },
    };
    // gpt-image-1.5: 5 for text and 8 for pictures in, 32 for pictures out, a million tokens.
    expect(await costOf('/images/generations', 'gpt-image-1.5', picture)).toBeCloseTo(
      (20 * 5 + 80 * 8 + 1000 * 32) / 1e6,
      12,
    );
    const mixed = {
      usage: { ...picture.usage, output_tokens_details: { image_tokens: 900, text_tokens: 100 } },
    };
    expect(await costOf('/images/generations', 'gpt-image-1.5', mixed)).toBeCloseTo(
      (20 * 5 + 80 * 8 + 900 * 32 + 100 * 10) / 1e6,
      12,
    );
    expect(
      await costOf('/images/generations', 'gpt-image-1.5', { ...picture, svg_usage: { output_tokens: 5 } }),
    ).toBeNull();
  });

  test('prices of the configuration hold, and 0 is one', async () => {
    const usage = { prompt_tokens: 1000, total_tokens: 1000 };
    expect(await costOf('/embeddings', 'own/m', { model: 'm', usage }, { m: { input: 2, output: 0 } })).toBe(
      0.002,
    );
    expect(await costOf('/embeddings', 'own/m', { model: 'm' }, { m: { input: 0, output: 0 } })).toBe(0);
  });

  test('usage that stands before megabytes of answer, or after them', async () => {
    const data = Array.from({ length: 200_000 }, () => 0.123_456_7);
    const usage = { prompt_tokens: 7, total_tokens: 7 };
    for (const body of [
      { usage, model: 'm', data },
      { data, model: 'm', usage },
    ]) {
      const gateway = told([json(200, body)]);
      const answer = await readJson(await post(gateway, '/embeddings', { model: 'm', input: 'x' }));
      expect(answer).toMatchObject(body);
      expect(answer.fluxcompute.passthrough).toBe(true);
      await gateway.settled();
      expect(gateway.rows[0]?.tokens.fresh).toBe(7);
    }
  });

  test("content can't pass for usage", async () => {
    const said = '"usage":{"prompt_tokens":1},"model":"x"';
    const answer = { choices: [{ text: said }], model: 'gpt-3.5-turbo-instruct', note: said };
    expect(await costOf('/completions', 'gpt-3.5-turbo-instruct', answer)).toBeNull();
  });
});

describe('what goes wrong', () => {
  const rowOf = async (gateway: ReturnType<typeof gatewayOf>) => {
    await gateway.settled();
    return gateway.rows.map(({ state, status, error_code }) => ({ state, status, error_code }));
  };

  test('another try, as for a step; its failures are in the row', async () => {
    const busy = json(
      429,
      { error: { message: 'busy', type: 'requests', code: 'rate_limit_exceeded' } },
      { 'retry-after': '0' },
    );
    const gateway = told([busy, json(500, {}), json(200, EMBEDDING)]);
    const answer = await post(gateway, '/embeddings', { model: 'm', input: 'x' });
    expect([answer.status, (await readJson(answer)).model]).toEqual([200, EMBEDDING.model]);
    await gateway.settled();
    expect(gateway.rows[0]?.attempts.map(({ status, why }) => [status, why])).toEqual([
      [429, 'rate_limited'],
      [500, 'server_error'],
      [200, null],
    ]);
  });

  test.each([
    [
      400,
      { message: 'bad input', type: 'invalid_request_error', param: 'input', code: null },
      400,
      { message: 'bad input', param: 'input' },
    ],
    [
      404,
      { message: 'no such model', type: 'invalid_request_error', param: null, code: 'model_not_found' },
      404,
      { code: 'model_not_found' },
    ],
    [
      401,
      { message: 'Incorrect key sk-openai-CANARY', type: 'x', param: null, code: 'invalid_api_key' },
      502,
      { code: 'provider_auth' },
    ],
    [
      429,
      { message: 'no money', type: 'x', param: null, code: 'insufficient_quota' },
      503,
      { code: 'provider_quota' },
    ],
  ])("a provider's %i in our words or its own", async (status, error, seen, told_) => {
    const gateway = told([json(status, { error })]);
    const answer = await post(gateway, '/embeddings', { model: 'a-name-nobody-knows', input: 'x' });
    const body = await answer.text();
    expect([answer.status, JSON.parse(body).error]).toEqual([seen, expect.objectContaining(told_)]);
    expect(body).not.toContain('CANARY');
    expect(await rowOf(gateway)).toEqual([{ state: 'failed', status: seen, error_code: expect.any(String) }]);
    // A name that nobody knows could be anything (T48).
    expect(gateway.rows[0]).toMatchObject({ requested_model: 'other', model: null, cost_usd: 0 });
  });

  test('traps T28: a stream that begins with an error is an error', async () => {
    const gateway = told([
      sse([{ error: { message: 'overloaded', type: 'server_error', code: 'overloaded' } }]),
    ]);
    const answer = await post(gateway, '/completions', { model: 'm', prompt: 'x', stream: true });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'application/json']);
    expect(upstream.requests).toHaveLength(3);
  });

  const word = (text: string, finish_reason: string | null = null) => ({
    object: 'text_completion',
    choices: [{ index: 0, text, finish_reason }],
  });

  test.each([
    ['cut', sse([word('a'), word('b')], 'cut'), 'stream_cut', 502],
    ['over before its answer is', sse([word('a'), word('b')]), 'stream_cut', 502],
    ['silent', sse([word('a')], 'silence'), 'provider_timeout', 504],
    [
      'broken by an error of its own',
      sse([word('a'), { error: { message: 'x', type: 'server_error', code: 'server_error' } }]),
      'server_error',
      500,
    ],
  ])(
    'traps T30: a stream that is %s ends in an error, and no made-up end',
    async (_what, reply, code, status) => {
      const gateway = told([reply], { FLUX_IDLE_TIMEOUT_MS: '100' });
      const text = await (
        await post(gateway, '/completions', { model: 'm', prompt: 'x', stream: true })
      ).text();
      const frames = text
        .trim()
        .split('\n\n')
        .map((frame) => frame.replace('data: ', ''));
      expect(JSON.parse(frames.at(-1) ?? '')).toMatchObject({ error: { code } });
      expect(text).not.toContain('[DONE]');
      expect(await rowOf(gateway)).toEqual([{ state: 'failed', status, error_code: code }]);
    },
  );

  test.each([
    [
      'cut',
      (response: Parameters<Reply>[0]) => response.write('x'.repeat(100), () => response.destroy()),
      'stream_cut',
    ],
    ['silent', (response: Parameters<Reply>[0]) => response.write('x'.repeat(100)), 'provider_timeout'],
  ])('sound that is %s breaks the connection: nobody takes it for whole', async (_what, reply, code) => {
    const gateway = told(
      [(response) => void reply(response.writeHead(200, { 'content-type': 'audio/mpeg' }))],
      {
        FLUX_IDLE_TIMEOUT_MS: '100',
      },
    );
    const answer = await post(gateway, '/audio/speech', { model: 'm', input: 'x', voice: 'alloy' });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'audio/mpeg']);
    await expect(answer.arrayBuffer()).rejects.toThrow();
    expect(await rowOf(gateway)).toEqual([{ state: 'failed', status: expect.any(Number), error_code: code }]);
  });

  test('traps T31: a client that leaves lets go of the provider, and the row says so', async () => {
    const gateway = told([
      (response) => {
        response.writeHead(200, { 'content-type': 'audio/mpeg' });
        const timer = setInterval(() => response.write(Buffer.alloc(65_536)), 1);
        response.once('close', () => clearInterval(timer));
      },
    ]);
    const answer = await post(gateway, '/audio/speech', { model: 'm', input: 'x', voice: 'alloy' });
    const reader = answer.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await expect.poll(() => upstream.left).toBe(1);
    expect(await rowOf(gateway)).toEqual([{ state: 'abandoned', status: 499, error_code: 'client_left' }]);
  });

  test.each([
    ['a body that is no JSON', '/embeddings', '{"model"', {}, 'invalid_json'],
    ['a list', '/embeddings', '[1]', {}, 'invalid_json'],
    ['a model that is no name', '/embeddings', '{"model":1}', {}, 'invalid_value'],
    ['JSON where a form is wanted', '/audio/transcriptions', '{"model":"whisper-1"}', {}, 'invalid_form'],
    [
      'a form without an end',
      '/audio/transcriptions',
      '--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nm',
      { 'content-type': 'multipart/form-data; boundary=x' },
      'invalid_form',
    ],
    [
      'a form of two models',
      '/audio/transcriptions',
      '--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nm\r\n--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nn\r\n--x--',
      { 'content-type': 'multipart/form-data; boundary=x' },
      'invalid_form',
    ],
  ])('%s is a 400', async (_what, path, body, headers, code) => {
    const gateway = told([json(200, {})]);
    const answer = await post(gateway, path, body, headers);
    expect([answer.status, (await readJson(answer)).error.code]).toEqual([400, code]);
    expect([upstream.requests, gateway.rows]).toEqual([[], []]);
  });

  test('a body over the limit, JSON or form', async () => {
    const gateway = told([json(200, {})], { FLUX_MAX_BODY_BYTES: '1000' });
    const large = 'x'.repeat(2000);
    for (const [path, type] of [
      ['/embeddings', 'application/json'],
      ['/audio/transcriptions', 'multipart/form-data; boundary=x'],
    ]) {
      expect((await post(gateway, path ?? '', large, { 'content-type': type ?? '' })).status).toBe(413);
    }
  });
});
