import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ScriptEntry } from '../../src/local/simulated/script.ts';
import { type RunningSimulators, startSimulators } from '../../src/local/simulated/server.ts';
import { type Gateway, START_LIMIT, startGateway, temporaryFolder } from './gateway.ts';
import { filesText, placesWith, postgresText, redisText } from './hiding-places.ts';

/** Stands in everything that must be nowhere; another each time, so that no cache of code has it. */
const MARK = `z${randomBytes(8).toString('hex')}`;
/** Stands in what is kept by design, to prove that the search finds what is there. */
const KEPT = `k${randomBytes(8).toString('hex')}`;
const AGENT = `flx_${MARK}_agent`;

const folder = temporaryFolder();
let simulators: RunningSimulators;
let gateway: Gateway;
/** All that clients were answered. */
const answers: { status: number; text: string }[] = [];

beforeAll(async () => {
  simulators = await startSimulators();
  gateway = await startGateway(
    folder.path,
    {
      FLUX_API_KEYS: `${AGENT}:acme:infer+read`,
      FLUX_ADMIN_KEY: `flx_${MARK}_admin`,
      ANTHROPIC_API_KEY: `sk-ant-${MARK}`,
      ANTHROPIC_BASE_URL: simulators.url,
      OPENAI_API_KEY: `sk-${MARK}`,
      OPENAI_BASE_URL: `${simulators.url}/v1`,
      FLUX_TIERS: JSON.stringify({
        easy: ['anthropic/claude-haiku-5-5', 'openai/gpt-4.1'],
        medium: ['openai/gpt-6.1-terra'],
        hard: ['anthropic/claude-opus-5-5'],
      }),
      FLUX_FIRST_BYTE_TIMEOUT_MS: '1500',
      FLUX_IDLE_TIMEOUT_MS: '1500',
      FLUX_MAX_BODY_BYTES: '100000',
    },
    { simulatorUrl: simulators.url, entry: join(import.meta.dirname, '../faults/worker.ts') },
  );
}, START_LIMIT);

afterAll(async () => {
  await gateway?.stop();
  await simulators?.close();
  folder.remove();
});

const tell = (what: string) => fetch(`${gateway.stack.url}/faults/${what}`);
const marked: ChatCompletionMessageParam[] = [
  { role: 'system', content: `${MARK} system` },
  { role: 'developer', content: `${MARK} developer` },
  { role: 'user', content: `${MARK} question`, name: MARK },
];

async function post(body: unknown, headers: Record<string, string> = {}, path = '/v1/chat/completions') {
  const response = await fetch(gateway.stack.url + path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { authorization: `Bearer ${AGENT}`, 'content-type': 'application/json', ...headers },
  });
  const text = await response.text().catch((error) => String(error));
  answers.push({ status: response.status, text });
  return text;
}

/** A step whose every part is marked. */
const ask = (body: object = {}) =>
  post(
    { model: 'auto', messages: marked, user: MARK, safety_identifier: MARK, prompt_cache_key: MARK, ...body },
    { 'x-fluxcompute-session': `${MARK} session`, 'x-fluxcompute-tags': `team=${KEPT}`, cookie: MARK },
  );

const tools = [
  {
    type: 'function',
    function: {
      name: `look_${MARK}`,
      description: MARK,
      parameters: { type: 'object', properties: { [MARK]: { type: 'string', description: MARK } } },
    },
  },
];
const call = { name: `look_${MARK}`, arguments: { [MARK]: MARK }, id: `call_${MARK}` };
const loop = [
  ...marked,
  {
    role: 'assistant',
    content: MARK,
    tool_calls: [
      {
        id: MARK,
        type: 'function',
        function: { name: `look_${MARK}`, arguments: JSON.stringify({ [MARK]: MARK }) },
      },
    ],
  },
  { role: 'tool', tool_call_id: MARK, content: MARK },
];
const images = [
  {
    role: 'user',
    content: [
      { type: 'text', text: MARK },
      { type: 'image_url', image_url: { url: `https://example.com/${MARK}.png` } },
      {
        type: 'image_url',
        image_url: { url: `data:image/png;base64,${MARK}${'A'.repeat((4 - (MARK.length % 4)) % 4)}` },
      },
    ],
  },
];

/** An answer that is kept, and one that goes on from it. */
async function goOn(more: object): Promise<void> {
  const first = { input: `${MARK} input`, instructions: `${MARK} instructions`, user: MARK, ...more };
  const text = await post(first, {}, '/v1/responses');
  const id = /resp_\w+/.exec(text)?.[0];
  await post({ ...first, input: MARK, previous_response_id: id }, {}, '/v1/responses');
}

async function walkThroughSteps(): Promise<void> {
  const said: Partial<ScriptEntry> = { answer: { text: `${MARK} answer`, calls: [] } };
  const parts = [
    { type: 'thinking' as const, text: `${MARK} thought`, tokens: 20, redacted: false },
    { type: 'text' as const, text: MARK },
    { type: 'call' as const, ...call },
  ];
  const calling: Partial<ScriptEntry> = { answer: { text: '', calls: [], parts } };
  for (const model of ['auto', 'gpt-4.1', 'gpt-6.1-terra']) {
    for (const stream of [false, true]) {
      await gateway.script(said, calling, said, said, said, said, said, said);
      await ask({ model, stream });
      await ask({ model, stream, tools });
      await ask({ model, stream, tools, messages: loop });
      await ask({ model, stream, messages: images });
      await ask({ model, stream, stop: [MARK], metadata: { [MARK]: MARK } });
      await goOn({ model, stream });
      await ask({ model, stream, [MARK]: MARK, logit_bias: {} });
      // What the model can't take, and what it says wrongly.
      await gateway.script(calling, calling, calling, calling);
      await ask({
        model,
        stream,
        response_format: { type: 'json_schema', json_schema: { name: MARK, schema: {} } },
      });
    }
  }
}

/** Requests to every endpoint that passes through, each part of them marked, and what comes of them. */
async function walkThroughPassages(): Promise<void> {
  const send = (path: string, body: object, model: string) =>
    post(
      { model, ...body },
      { 'x-fluxcompute-session': `${MARK} session`, 'x-fluxcompute-tags': `team=${KEPT}`, cookie: MARK },
      `/v1/${path}`,
    );
  const JSON_BODIES: [string, string, object][] = [
    ['embeddings', 'openai/text-embedding-3-small', { input: [MARK, MARK], user: MARK }],
    ['moderations', 'omni-moderation-latest', { input: MARK }],
    ['images/generations', 'gpt-image-1', { prompt: MARK, user: MARK }],
    ['images/generations', 'gpt-image-1', { prompt: MARK, stream: true }],
    ['audio/speech', 'gpt-4o-mini-tts', { input: MARK, voice: 'alloy', instructions: MARK }],
    ['completions', 'gpt-3.5-turbo-instruct', { prompt: MARK, user: MARK }],
    ['completions', 'gpt-3.5-turbo-instruct', { prompt: MARK, stream: true }],
  ];
  const sendAll = async () => {
    for (const [path, model, body] of JSON_BODIES) await send(path, body, model);
    for (const stream of ['false', 'true']) {
      const form = new FormData();
      form.set('file', new Blob([MARK.repeat(2_000)]), `${MARK}.wav`);
      for (const [name, value] of Object.entries({ model: 'gpt-4o-transcribe', prompt: MARK, stream }))
        form.set(name, value);
      const headers = { authorization: `Bearer ${AGENT}`, 'x-fluxcompute-session': MARK };
      const answer = await fetch(`${gateway.stack.url}/v1/audio/transcriptions`, {
        method: 'POST',
        body: form,
        headers,
      });
      answers.push({ status: answer.status, text: await answer.text().catch(String) });
    }
  };
  await gateway.script();
  const before = answers.length;
  await sendAll();
  expect(answers.slice(before).map(({ status }) => status)).toEqual(Array(9).fill(200));
  for (const [path, , body] of JSON_BODIES) {
    await send(path, body, MARK);
    await send(path, { ...body, voice: { id: MARK }, file_id: MARK }, `ft:${MARK}`);
  }
  for (const fault of faults.filter(
    (one) => one?.kind !== 'status' || [400, 401, 429, 500].includes(one.status),
  )) {
    await gateway.script({ times: 'always', ...(fault ? { fault } : {}) });
    await sendAll();
  }
}

const faults: ScriptEntry['fault'][] = [
  ...[400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529].map((status) => ({
    kind: 'status' as const,
    status,
    headers: { 'request-id': KEPT },
    message: `${MARK} {{key}}`,
    code: `${MARK} code`,
    body: undefined,
  })),
  { kind: 'status', status: 302, headers: { location: `https://example.com/${MARK}` }, body: MARK },
  { kind: 'status', status: 500, headers: {}, body: `<html>${MARK}{{key}}` },
  { kind: 'error_body', status: 500, message: `${MARK} {{key}}` },
  { kind: 'error_body', status: 400, message: MARK, code: `${MARK} code` },
  { kind: 'error_frame', after_events: 0, status: 529, message: MARK },
  { kind: 'error_frame', after_events: 14, status: 500, message: MARK, code: `${MARK} code` },
  { kind: 'cut', after_events: 14 },
  { kind: 'invalid_json' },
  { kind: 'empty' },
  { kind: 'reset' },
];

async function walkThroughFaults(): Promise<void> {
  for (const fault of faults) {
    await gateway.script({ times: 'always', ...(fault ? { fault } : {}) });
    for (const stream of [false, true]) {
      await ask({ stream });
      await ask({ stream, model: 'gpt-4.1' });
    }
    await ask({ model: 'gpt-6.1-terra', stream: true });
  }
  await gateway.script({ times: 'always', fault: { kind: 'hang' } });
  await Promise.all([ask({ model: 'gpt-4.1' }), ask({ model: 'gpt-4.1', stream: true })]);
  await gateway.script({ times: 'always', answer: { text: '', calls: [], refusal: MARK } });
  await Promise.all([ask(), ask({ stream: true })]);
}

async function walkThroughBadInput(): Promise<void> {
  const step = { model: 'auto', messages: marked };
  await post(`{"model":"auto","messages":"${MARK}`);
  await post({ ...step, model: MARK });
  await post({ ...step, temperature: MARK });
  await post({ ...step, messages: [{ role: MARK, content: MARK }] });
  await post({ ...step, messages: [{ role: 'user', content: [{ type: MARK, [MARK]: MARK }] }] });
  await post({ ...step, messages: [...marked, { role: 'tool', tool_call_id: MARK, content: MARK }] });
  await post({ ...step, previous_response_id: MARK });
  await post({ ...step, tools, tool_choice: { type: 'function', function: { name: MARK } } });
  await post({ ...step, messages: [{ role: 'user', content: MARK.repeat(10_000) }] });
  await post(step, { authorization: `Bearer ${MARK}` });
  await post(step, { 'x-fluxcompute-tags': MARK });
  await post(step, { 'x-fluxcompute-max-tier': MARK });
  await post(step, {}, `/v1/${MARK}?${MARK}=${MARK}`);
  await post(step, { 'x-fluxcompute-session': MARK.repeat(20) });
}

async function walkThroughLeaving(): Promise<void> {
  await gateway.script({
    times: 'always',
    delay: { first_ms: 0, between_ms: 30 },
    answer: { text: `${MARK} `.repeat(500), calls: [] },
  });
  const leaving = new AbortController();
  const response = await fetch(`${gateway.stack.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'auto', messages: marked, stream: true }),
    headers: { authorization: `Bearer ${AGENT}` },
    signal: leaving.signal,
  });
  await response.body?.getReader().read();
  leaving.abort();
  await gateway.script();
}

/** Not an answer that its client wants kept. */
const isRow = (key: string) => !key.startsWith('flux:kept:');

/** Steps that wait in Redis: parked ones, and dead letters. */
async function walkThroughOutages(): Promise<Map<string, string>> {
  await tell('letters-die');
  await ask();
  await expect
    .poll(() => redisText(gateway.stack).then((texts) => [...texts.keys()].some(isRow)), { timeout: 30_000 })
    .toBe(true);
  await tell('letters-live');
  await gateway.stack.stores?.refuse('postgres');
  await tell('queue-throws');
  await ask();
  await expect.poll(() => gateway.lines.join('\n'), { timeout: 30_000 }).toContain('step_parked');
  const waiting = await redisText(gateway.stack);
  await tell('queue-works');
  await gateway.stack.stores?.accept('postgres');
  await tell('scheduled');
  return waiting;
}

test('traps T48: no store, file or log line holds content, a key or a message of a provider', async () => {
  await walkThroughSteps();
  await walkThroughPassages();
  await walkThroughFaults();
  await walkThroughBadInput();
  await walkThroughLeaving();
  const waiting = await walkThroughOutages();
  expect(placesWith(KEPT, waiting).length).toBeGreaterThan(0);
  expect(placesWith(MARK, waiting)).toEqual([]);

  const { stack } = gateway;
  const states = async () => {
    const rows = [...(await postgresText(stack.databaseUrl)).values()].join('\n');
    return ['ok', 'failed', 'abandoned'].map((state) => rows.includes(`,${state},`));
  };
  await expect.poll(states, { timeout: 30_000, interval: 300 }).toEqual([true, true, true]);
  expect([...(await postgresText(stack.databaseUrl)).values()].join('\n')).toContain(
    '/v1/audio/transcriptions',
  );

  const tables = await postgresText(stack.databaseUrl);
  expect(placesWith(KEPT, tables).length).toBeGreaterThan(0);
  expect(placesWith(MARK, tables)).toEqual([]);
  const redis = await redisText(stack);
  for (const kind of ['response', 'thoughts']) {
    expect([...redis.keys()].some((key) => key.startsWith(`flux:kept:${kind}:`))).toBe(true);
  }
  expect(placesWith(MARK, redis)).toEqual([]);

  // The provider's key is in no answer, whatever the provider quoted; content is where it belongs.
  const text = answers.map((answer) => answer.text).join('\n');
  expect(text).toContain(`${MARK} answer`);
  const statuses = new Set(answers.map(({ status }) => status));
  for (const status of [200, 400, 401, 404, 413, 429, 502, 503, 504, 529]) expect(statuses).toContain(status);

  await gateway.stop();
  const files = filesText(folder.path);
  expect(files.size).toBeGreaterThan(10);
  expect(placesWith(KEPT, files).length).toBeGreaterThan(0);
  expect(placesWith(MARK, files)).toEqual([]);

  expect(gateway.lines.filter((line) => line.includes('"code"')).length).toBeGreaterThan(0);
  expect(gateway.lines.filter((line) => line.includes(MARK))).toEqual([]);
}, 240_000);

test("traps T48: a provider's answer that quotes our key does not reach the client", () => {
  for (const { text } of answers) {
    expect(text).not.toContain(`sk-ant-${MARK}`);
    expect(text).not.toContain(`sk-${MARK}`);
  }
});
