import { randomBytes } from 'node:crypto';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FluxMetadata } from '../../src/core/metadata.ts';
import { metadataOf } from './frames.ts';
import { type Gateway, START_LIMIT, startGateway, temporaryFolder } from './gateway.ts';
import { filesText, placesWith, postgresText, redisText } from './hiding-places.ts';

/** Stands in all that is said. */
const MARK = `z${randomBytes(8).toString('hex')}`;
const folder = temporaryFolder();
const variables = {
  FLUX_TIERS: JSON.stringify({
    easy: ['openai/gpt-4.1'],
    medium: ['openai/gpt-6.1-terra'],
    hard: ['anthropic/claude-sonnet-5-5'],
  }),
  FLUX_API_KEYS: 'flx_first_key:first:infer+read,flx_second_key:second',
  FLUX_SESSION_TIMEOUT_MS: '20000',
};
let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway(folder.path, variables);
}, START_LIMIT);
afterAll(async () => {
  await gateway?.stop();
  folder.remove();
});

/** What an agent adds to its conversation, as its own wire has it. */
type Item = Record<string, unknown>;

/** How one wire's client asks, and what it then adds. */
interface Client {
  opening(text: string): Item[];
  ask(text: string): Item[];
  /** Results for the calls of what it was answered. */
  results(answered: Item[], n: number): Item[];
  /** One step. */
  say(model: string, items: Item[], system: string | null, asking: Asking): Promise<Answered>;
}

interface Asking {
  stream: boolean;
  headers: Record<string, string>;
}

interface Answered {
  items: Item[];
  flux: FluxMetadata;
}

const parameters = {
  type: 'object' as const,
  properties: { key: { type: 'string' } },
  required: ['key'],
  additionalProperties: false,
};
const anthropicOf = () =>
  new Anthropic({ apiKey: 'flx_first_key', baseURL: gateway.stack.url, maxRetries: 0 });
const openaiOf = () =>
  new OpenAI({ apiKey: 'flx_first_key', baseURL: `${gateway.stack.url}/v1`, maxRetries: 0 });
const found = (n: number) => `Found ${n}: ${'details of it, '.repeat(20)}`;

/** The client library's own additions, which no API takes back. */
const withoutParsed = (said: object): Item =>
  JSON.parse(JSON.stringify(said), (key, value) =>
    key === 'parsed' || key === 'parsed_arguments' ? undefined : value,
  );

const CHAT: Client = {
  opening: (text) => [{ role: 'user', content: text }],
  ask: (text) => [{ role: 'user', content: text }],
  results: ([message], n) =>
    ((message?.tool_calls ?? []) as { id: string }[]).map(({ id }) => ({
      role: 'tool',
      tool_call_id: id,
      content: found(n),
    })),
  async say(model, items, system, { stream, headers }) {
    const body = {
      model,
      messages: [...(system === null ? [] : [{ role: 'system', content: system }]), ...items] as never,
      ...(system === null
        ? {}
        : {
            tools: [
              {
                type: 'function' as const,
                function: { name: 'look_up', description: 'Looks up.', parameters },
              },
            ],
          }),
    };
    const { completions } = openaiOf().chat;
    if (!stream) {
      const answer = await completions.create(body, { headers });
      return { items: [answer.choices[0]?.message as never], flux: metadataOf(answer) };
    }
    const chunks: OpenAI.ChatCompletionChunk[] = [];
    const runner = completions.stream(body, { headers }).on('chunk', (chunk) => chunks.push(chunk));
    const message = await runner.finalMessage();
    return { items: [withoutParsed(message)], flux: metadataOf(chunks) };
  },
};

const MESSAGES: Client = {
  opening: (text) => [{ role: 'user', content: text }],
  ask: (text) => [{ role: 'user', content: text }],
  results: ([message], n) => {
    const content = (message?.content ?? []) as { type: string; id: string }[];
    const calls = content.filter(({ type }) => type === 'tool_use');
    const given = calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: found(n) }));
    return [{ role: 'user', content: given }];
  },
  async say(model, items, system, { stream, headers }) {
    const body: Anthropic.MessageCreateParamsNonStreaming = {
      model,
      max_tokens: 2_000,
      messages: items as never,
      ...(system === null
        ? {}
        : { system, tools: [{ name: 'look_up', description: 'Looks up.', input_schema: parameters }] }),
    };
    const { messages } = anthropicOf();
    if (!stream) {
      const { content, ...rest } = await messages.create(body, { headers });
      return { items: [{ role: 'assistant', content }], flux: metadataOf(rest) };
    }
    const events: unknown[] = [];
    const runner = messages.stream(body, { headers }).on('streamEvent', (event) => events.push(event));
    const { content } = await runner.finalMessage();
    return { items: [{ role: 'assistant', content }], flux: metadataOf(events) };
  },
};

const RESPONSES: Client = {
  opening: (text) => [{ role: 'user', content: text }],
  ask: (text) => [{ role: 'user', content: text }],
  results: (answered, n) =>
    answered
      .filter(({ type }) => type === 'function_call')
      .map(({ call_id }) => ({ type: 'function_call_output', call_id, output: found(n) })),
  async say(model, items, system, { stream, headers }) {
    const body = {
      model,
      input: items as never,
      store: false,
      ...(system === null
        ? {}
        : {
            instructions: system,
            tools: [
              {
                type: 'function' as const,
                name: 'look_up',
                description: 'Looks up.',
                parameters,
                strict: false,
              },
            ],
          }),
    };
    const { responses } = openaiOf();
    const answer = stream
      ? await responses.stream(body, { headers }).finalResponse()
      : await responses.create(body, { headers });
    return { items: answer.output.map(withoutParsed), flux: metadataOf(answer) };
  },
};

const CLIENTS = { chat: CHAT, messages: MESSAGES, responses: RESPONSES };
const MODELS = ['claude-sonnet-5-5', 'gpt-6.1-terra', 'gpt-4.1'] as const;
const WAYS = Object.keys(CLIENTS).flatMap((client) =>
  MODELS.flatMap((model) => [false, true].map((stream) => [client, model, stream] as const)),
) as [keyof typeof CLIENTS, (typeof MODELS)[number], boolean][];

/** Four calls one after another, with thinking where the model shows it, then words. */
const script = (model: string) =>
  Array.from({ length: 5 }, (_, n) => {
    const call = { name: 'look_up', arguments: { key: `${n}`, exact: 1 }, id: `call_${n}` };
    const thinks = model.startsWith('claude') ? [{ type: 'thinking' as const, text: 'Hm.', tokens: 32 }] : [];
    return {
      answer: {
        text: n < 4 ? '' : 'All is found.',
        calls: n < 4 ? [call] : [],
        ...(thinks.length > 0
          ? {
              parts: [
                ...thinks.map((one) => ({ ...one, redacted: false })),
                n < 4 ? { type: 'call' as const, ...call } : { type: 'text' as const, text: 'All is found.' },
              ],
            }
          : {}),
      },
    };
  });

/** A tool loop of five steps and one more question. */
async function loop(way: (typeof WAYS)[number], session: string, appends: boolean) {
  const [name, model, stream] = way;
  const client = CLIENTS[name];
  const before = (await gateway.sent()).length;
  await gateway.script(...script(model), { answer: { text: 'You are welcome.', calls: [] } });
  const system = `You are ${session}. ${'Be exact, be brief, and never guess. '.repeat(250)}`;
  const headers = {
    'x-fluxcompute-session': session,
    ...(appends ? { 'x-fluxcompute-history': 'append' } : {}),
  };
  const all = client.opening(`${MARK}: look up all of it.`);
  let fresh = [...all];
  const told: FluxMetadata[] = [];
  for (let n = 0; n < 6; n += 1) {
    // System and tools come once: the history has them.
    const brings = !appends || n === 0 ? system : null;
    const { items, flux } = await client.say(model, appends ? fresh : all, brings, { stream, headers });
    told.push(flux);
    fresh = n < 4 ? client.results(items, n) : client.ask('Thank you.');
    all.push(...items, ...fresh);
  }
  const sent = (await gateway.sent()).slice(before);
  const bodies = sent.map(({ body }) =>
    JSON.parse(
      JSON.stringify(body)
        .replaceAll(session, 'SESSION')
        .replace(/"(signature|encrypted_content)":"[^"]*"/g, '"$1":"sealed"')
        .replace(/"prompt_cache_key":"[^"]*"/g, '"prompt_cache_key":"key"')
        .replace(/"(id|item_id)":"(msg|rs|fc)_[^"]*"/g, '"$1":"$2"'),
    ),
  );
  return { bodies, told, errors: sent.flatMap(({ error }) => error ?? []) };
}

describe('a tool loop that is sent only as what is new', () => {
  test.each(WAYS)(
    'traps T16, T17, T22: %s on %s (stream: %s) gives its provider what a client gives that sends everything, and reads as much from its cache',
    async (...way) => {
      const id = `${way.join('-')}`;
      const whole = await loop(way, `${id}-w`, false);
      const appended = await loop(way, `${id}-a`, true);
      expect(appended.errors).toEqual([]);
      expect(appended.bodies).toHaveLength(6);
      expect(appended.bodies).toEqual(whole.bodies);
      // What Claude thought goes back to it, where the client's wire carries it.
      if (way[0] === 'messages' && way[1].startsWith('claude'))
        expect(JSON.stringify(appended.bodies.at(-1)).split('"signature"')).toHaveLength(6);
      const read = (told: FluxMetadata[]) => told.map(({ cache }) => cache.cache_read_tokens);
      expect(read(appended.told)).toEqual(read(whole.told));
      expect(read(appended.told).at(-1)).toBeGreaterThan(1_000);
      const counts = appended.told.map(({ context }) => context?.history_messages);
      expect(counts[0]).toBe(0);
      expect(counts.every((count, n) => n === 0 || (count ?? 0) > (counts[n - 1] ?? 0))).toBe(true);
      expect(whole.told.every(({ context }) => context === undefined)).toBe(true);
    },
  );
});

describe('a history', () => {
  const headers = { 'x-fluxcompute-session': 'kept', 'x-fluxcompute-history': 'append' };
  const ask = (text: string): OpenAI.ChatCompletionCreateParamsNonStreaming => ({
    model: 'gpt-4.1',
    messages: [{ role: 'user', content: text }],
  });
  const lastSent = async () => {
    const body = (await gateway.sent()).at(-1)?.body as { messages: { role: string; content: string }[] };
    return body.messages.map(({ content }) => content);
  };

  test("traps T64: a client library's own second try is one message, and the same words again are another", async () => {
    await gateway.script({
      delay: { first_ms: 6_000, between_ms: 0 },
      answer: { text: 'Too late.', calls: [] },
    });
    const client = new OpenAI({
      ...{ apiKey: 'flx_first_key', baseURL: `${gateway.stack.url}/v1`, maxRetries: 1, timeout: 4_000 },
    });
    const say = (text: string) => client.chat.completions.create(ask(text), { headers });
    // Its first try is answered when it has long left.
    await say(`${MARK} continue`);
    expect(await lastSent()).toEqual([`${MARK} continue`]);
    await say(`${MARK} continue`);
    expect(await lastSent()).toHaveLength(3);
  });

  test('traps T31: a stream whose client leaves appends nothing; what is whole is made and kept all the same', async () => {
    const left = { ...headers, 'x-fluxcompute-session': 'left' };
    await gateway.script();
    await openaiOf().chat.completions.create(ask('One.'), { headers: left });
    for (const stream of [true, false]) {
      await gateway.script({
        delay: { first_ms: stream ? 0 : 3_000, between_ms: 300 },
        answer: { text: 'a b c d e f g h i j', calls: [] },
      });
      const leaving = new AbortController();
      const response = fetch(`${gateway.stack.url}/v1/chat/completions`, {
        method: 'POST',
        body: JSON.stringify({ ...ask(`Two, ${stream}.`), stream }),
        headers: { ...left, authorization: 'Bearer flx_first_key' },
        signal: leaving.signal,
      });
      if (stream) await (await response).body?.getReader().read();
      else await expect.poll(lastSent, { timeout: 20_000 }).toContain('Two, false.');
      leaving.abort();
      await response.catch(() => {});
    }
    const fields = async () => {
      const texts = await redisText(gateway.stack);
      return [...texts.values()].filter((text) => text.includes('begun:'));
    };
    await expect.poll(fields, { timeout: 20_000 }).toEqual([]);
    await gateway.script();
    const next = await openaiOf().chat.completions.create(ask('Three.'), { headers: left });
    expect(metadataOf(next).context).toEqual({ history_messages: 4 });
    expect(await lastSent()).toContain('Two, false.');
  });

  test('a step beside one that is under way is answered; one after an answer that could not be kept is not', async () => {
    const busy = { ...headers, 'x-fluxcompute-session': 'busy' };
    const say = (text: string, more: object = {}) =>
      openaiOf().chat.completions.create(ask(text), { headers: { ...busy, ...more } });
    const slow = { delay: { first_ms: 4_000, between_ms: 0 }, answer: { text: 'At last.', calls: [] } };
    await gateway.script(slow);
    const first = say('Slow.');
    await expect.poll(lastSent, { timeout: 20_000 }).toContain('Slow.');
    expect(metadataOf(await say('Quick.')).context).toEqual({ history_messages: 0 });
    await first;
    // The quick one is kept; what the slow one says is lost with the store.
    await gateway.script(slow);
    const second = say('Lost.');
    await expect.poll(lastSent, { timeout: 20_000 }).toEqual(['Quick.', expect.any(String), 'Lost.']);
    await gateway.stack.stores?.refuse('redis');
    expect((await second).choices[0]?.message.content).toBe('At last.');
    await expect.poll(() => gateway.lines.join(), { timeout: 20_000 }).toContain('"why":"store"');
    await gateway.stack.stores?.accept('redis');
    await gateway.script();
    await expect(say('Next.')).rejects.toThrow('something is missing');
    const anew = await say('Anew.', { 'x-fluxcompute-history': 'start' });
    expect(metadataOf(anew).context).toEqual({ history_messages: 0 });
    expect(metadataOf(await say('On.')).context).toEqual({ history_messages: 2 });
  });

  test('traps T23: is another customer’s own, survives a restart, and stands in no store or file in words', async () => {
    const other = new OpenAI({ apiKey: 'flx_second_key', baseURL: `${gateway.stack.url}/v1`, maxRetries: 0 });
    await other.chat.completions.create(ask('Hi'), { headers });
    expect(await lastSent()).toEqual(['Hi']);
    const redis = await redisText(gateway.stack);
    expect([...redis.keys()].filter((key) => key.startsWith('flux:history:')).length).toBeGreaterThan(3);
    expect(placesWith(MARK, redis)).toEqual([]);
    expect(placesWith(MARK, await postgresText(gateway.stack.databaseUrl))).toEqual([]);
    await gateway.stop();
    expect(placesWith(MARK, filesText(folder.path))).toEqual([]);
    expect(gateway.lines.filter((line) => line.includes(MARK))).toEqual([]);
    gateway = await startGateway(folder.path, variables);
    const answer = await openaiOf().chat.completions.create(ask('And?'), { headers });
    expect(await lastSent()).toHaveLength(5);
    expect(metadataOf(answer).context).toEqual({ history_messages: 4 });
  });
});
