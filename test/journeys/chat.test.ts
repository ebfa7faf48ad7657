import OpenAI from 'openai';
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod';
import type { ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources/chat/completions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { hasDescription, violations } from './conformance.ts';
import { metadataOf } from './frames.ts';
import { type Gateway, START_LIMIT, startGateway, temporaryFolder } from './gateway.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** One pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const QUESTION = 'What is the capital of France?';
const ask = (content = QUESTION): ChatCompletionMessageParam[] => [{ role: 'user', content }];

const weather: ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather of a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
};
const clock: ChatCompletionTool = {
  type: 'function',
  function: { name: 'get_time', description: 'Clock', parameters: { type: 'object', properties: {} } },
};

/** Default tiers of Anthropic; and OpenAI's, with an older model that speaks Chat Completions upstream. */
const DEPLOYMENTS = [
  { of: 'Claude', easy: 'claude-haiku-5-5', hard: 'claude-opus-5-5', provider: 'anthropic', variables: {} },
  {
    of: 'GPT',
    easy: 'gpt-6-luna',
    hard: 'gpt-6.2-sol',
    provider: 'openai',
    variables: {
      FLUX_TIERS: JSON.stringify({
        easy: ['openai/gpt-6-luna'],
        medium: ['openai/gpt-6.1-terra'],
        hard: ['openai/gpt-6.2-sol', 'openai/gpt-4.1'],
      }),
    },
  },
] as const;

describe.each(DEPLOYMENTS)('the OpenAI client on $of', ({ of, easy, hard, provider, variables }) => {
  let gateway: Gateway;
  let openai: OpenAI;
  const claude = of === 'Claude';

  beforeAll(async () => {
    gateway = await startGateway(folder.path, variables);
    openai = gateway.openai;
  }, START_LIMIT);
  afterAll(() => gateway?.stop());

  test('a question is answered, and told what it cost', async () => {
    const before = Date.now();
    const answer = await openai.chat.completions.create({ model: 'auto', messages: ask() });
    expect(answer).toMatchObject({ object: 'chat.completion', model: easy });
    expect(answer.choices[0]).toMatchObject({
      index: 0,
      finish_reason: 'stop',
      message: { role: 'assistant' },
    });
    expect(answer.choices[0]?.message.content).toContain('simulated');
    expect(answer.usage?.total_tokens).toBe(
      (answer.usage?.prompt_tokens ?? 0) + (answer.usage?.completion_tokens ?? 0),
    );
    const { signals, ...told } = metadataOf(answer);
    expect(told).toEqual({
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      difficulty_score: expect.any(Number),
      difficulty_label: 'easy',
      floor: 'easy',
      reason: 'floor',
      tier: 'easy',
      provider,
      model_selected: easy,
      model_attempted: easy,
      baseline_model: hard,
      cost_usd: expect.any(Number),
      baseline_cost_usd: expect.any(Number),
      savings_usd: expect.any(Number),
      savings_pct: expect.any(Number),
      classification_ms: expect.any(Number),
      overhead_ms: expect.any(Number),
      session_id: expect.stringMatching(/^fc_[0-9a-f]{12}$/),
      context_compression: 0,
      cache: { cache_write_tokens: 0, cache_read_tokens: 0, cache_hit: false },
      escalations: [],
      adapted: [],
      estimated: expect.any(Array),
      profile_version: 0,
      basis: 'prior',
      price_book: expect.any(String),
      simulated: true,
    });
    expect(Object.keys(signals).sort()).toEqual(
      ['length', 'reasoning', 'math', 'code', 'lookup', 'constraints', 'loop'].sort(),
    );
    for (const value of Object.values(signals)) expect(value).toEqual(expect.any(Number));
    expect(told.difficulty_score).toBeGreaterThanOrEqual(0);
    expect(told.difficulty_score).toBeLessThanOrEqual(1);
    expect(told.cost_usd).toBeGreaterThan(0);
    expect(told.savings_usd).toBeCloseTo((told.baseline_cost_usd ?? 0) - (told.cost_usd ?? 0), 12);
    expect(told.savings_pct).toBeCloseTo((100 * (told.savings_usd ?? 0)) / (told.baseline_cost_usd ?? 1), 9);
    for (const ms of [told.classification_ms ?? -1, told.overhead_ms]) {
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(Date.now() - before);
    }
    const { headers } = await lastSeen();
    expect(headers.get('x-fluxcompute-request-id')).toBe(told.request_id);
    expect(headers.get('x-fluxcompute-model')).toBe(easy);
    expect(headers.get('x-fluxcompute-tier')).toBe('easy');
    expect(headers.get('x-fluxcompute-reason')).toBe('floor');
    expect(headers.get('x-fluxcompute-session')).toBe(told.session_id);
  });

  async function lastSeen() {
    const seen = await gateway.seen.at(-1);
    if (!seen) throw new Error('nothing was asked');
    return seen;
  }

  /** The body of the last request a provider was sent, as text. */
  async function lastSent(): Promise<string> {
    return JSON.stringify((await gateway.sent()).at(-1)?.body);
  }

  test('system, developer and earlier turns reach the model', async () => {
    await openai.chat.completions.create({
      model: 'auto',
      messages: [
        { role: 'system', content: 'You are terse.' },
        { role: 'developer', content: 'Answer in French.' },
        { role: 'user', content: 'My name is Ada.', name: 'ada' },
        { role: 'assistant', content: 'Bonjour Ada.' },
        { role: 'user', content: [{ type: 'text', text: 'What is my name?' }] },
      ],
    });
    const body = await lastSent();
    for (const text of ['terse', 'French', 'My name is Ada.', 'Bonjour Ada.', 'What is my name?']) {
      expect(body).toContain(text);
    }
  });

  test('images, in the request and by URL', async () => {
    const answer = await openai.chat.completions.create({
      model: 'auto',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is in these pictures?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}`, detail: 'low' } },
            { type: 'image_url', image_url: { url: 'https://example.com/cat.png' } },
          ],
        },
      ],
    });
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    const body = await lastSent();
    expect(body).toContain(PIXEL);
    expect(body).toContain('https://example.com/cat.png');
  });

  test('a tool loop by hand, with parallel calls', async () => {
    await gateway.script({
      answer: {
        text: 'Let me look.',
        calls: [
          { name: 'get_weather', arguments: { city: 'Rome' } },
          { name: 'get_weather', arguments: { city: 'Oslo' } },
          { name: 'get_time', arguments: {} },
        ],
      },
    });
    const messages = ask('Weather in Rome and Oslo, and the time?');
    const first = await openai.chat.completions.create({
      model: 'auto',
      messages,
      tools: [weather, clock],
      parallel_tool_calls: true,
    });
    const said = first.choices[0];
    expect(said?.finish_reason).toBe('tool_calls');
    expect(said?.message.content).toBe('Let me look.');
    const calls = (said?.message.tool_calls ?? []).map((call) =>
      call.type === 'function' ? [call.function.name, JSON.parse(call.function.arguments)] : [],
    );
    expect(calls).toEqual([
      ['get_weather', { city: 'Rome' }],
      ['get_weather', { city: 'Oslo' }],
      ['get_time', {}],
    ]);
    const second = await openai.chat.completions.create({
      model: 'auto',
      tools: [weather, clock],
      messages: [
        ...messages,
        ...(said ? [said.message] : []),
        ...(said?.message.tool_calls ?? []).map((call, index) => ({
          role: 'tool' as const,
          tool_call_id: call.id,
          content: index === 1 ? '' : `result ${index}`,
        })),
      ],
    });
    expect(second.choices[0]?.message.content).toContain('tool returned');
  });

  test('a tool loop by runTools, streamed and not', async () => {
    const asked: string[] = [];
    for (const stream of [false, true] as const) {
      const run = {
        model: 'auto',
        messages: ask('What is the weather in Rome?'),
        tools: [
          {
            type: 'function' as const,
            function: {
              name: 'get_weather',
              description: 'Weather of a city',
              parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
              function: (args: string) => {
                asked.push(args);
                return 'sunny';
              },
            },
          },
        ],
      };
      const runner = stream
        ? openai.chat.completions.runTools({ ...run, stream })
        : openai.chat.completions.runTools(run);
      expect(await runner.finalContent()).toContain('sunny');
      expect(asked).toHaveLength(stream ? 2 : 1);
    }
  });

  test('tool_choice in all its forms', async () => {
    const choose = async (tool_choice: OpenAI.ChatCompletionToolChoiceOption, content = 'Hello there') => {
      const answer = await openai.chat.completions.create({
        model: 'auto',
        messages: ask(content),
        tools: [weather, clock],
        tool_choice,
      });
      return (answer.choices[0]?.message.tool_calls ?? []).map((call) =>
        call.type === 'function' ? call.function.name : '',
      );
    };
    expect(await choose('auto', 'weather in Rome')).toEqual(['get_weather']);
    expect(await choose('none', 'weather in Rome')).toEqual([]);
    expect(await choose('required')).toHaveLength(1);
    expect(await choose({ type: 'function', function: { name: 'get_time' } })).toEqual(['get_time']);
    const only = (mode: 'auto' | 'required'): OpenAI.ChatCompletionToolChoiceOption => ({
      type: 'allowed_tools',
      allowed_tools: { mode, tools: [{ type: 'function', function: { name: 'get_time' } }] },
    });
    expect(await choose(only('required'))).toEqual(['get_time']);
    expect(await choose(only('auto'), 'weather in Rome')).toEqual([]);
  });

  test.each([false, true])('a stream, its usage asked for: %s', async (include_usage) => {
    const stream = await openai.chat.completions.create({
      model: 'auto',
      messages: ask(),
      stream: true,
      ...(include_usage ? { stream_options: { include_usage } } : {}),
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    expect(text).toContain(QUESTION);
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    // The metadata: on the usage chunk where there is one, else on the finish chunk; once, and last.
    expect(chunks.filter((chunk) => 'fluxcompute' in chunk)).toEqual([chunks.at(-1)]);
    const last = chunks.at(-1);
    expect(chunks.filter((chunk) => chunk.usage)).toHaveLength(include_usage ? 1 : 0);
    if (include_usage) {
      expect(last?.choices).toEqual([]);
      expect(last?.usage?.completion_tokens).toBeGreaterThan(0);
      expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop');
    } else {
      expect(last?.choices[0]?.finish_reason).toBe('stop');
    }
    expect(metadataOf(chunks)).toMatchObject({ model_selected: easy, tier: 'easy', simulated: true });
    expect(metadataOf(chunks).cost_usd).toBeGreaterThan(0);
    const { headers, frames } = await lastSeen();
    expect(frames.at(-1)).toBe('[DONE]');
    expect(headers.get('content-type')).toContain('text/event-stream');
    expect(headers.get('x-fluxcompute-model')).toBe(easy);
    expect(headers.get('x-fluxcompute-request-id')).toBe(metadataOf(chunks).request_id);
    expect(headers.get('x-fluxcompute-session')).toBe(metadataOf(chunks).session_id);
    expect(headers.get('x-fluxcompute-tier')).toBe('easy');
    expect(headers.get('x-fluxcompute-reason')).toBe('floor');
  });

  test('the stream helper puts an answer together, calls too', async () => {
    await gateway.script({
      answer: {
        text: 'Looking.',
        calls: [
          { name: 'get_weather', arguments: { city: 'Rome' } },
          { name: 'get_time', arguments: {} },
        ],
      },
    });
    const stream = openai.chat.completions.stream({
      model: 'auto',
      messages: ask('Weather in Rome, and the time?'),
      tools: [weather, clock],
      stream_options: { include_usage: true },
    });
    const answer = await stream.finalChatCompletion();
    expect(answer.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'Looking.',
        tool_calls: [
          {
            function: {
              name: 'get_weather',
              arguments: expect.stringMatching(/^\{\s*"city":\s*"Rome"\s*\}$/),
            },
          },
          { function: { name: 'get_time' } },
        ],
      },
    });
    expect(answer.usage?.prompt_tokens).toBeGreaterThan(0);
  });

  test.each(['max_tokens', 'max_completion_tokens'] as const)('%s ends an answer early', async (limit) => {
    // OpenAI's reasoning models take no less than 16, and think first.
    const answer = await openai.chat.completions.create({ model: 'auto', messages: ask(), [limit]: 16 });
    expect(answer.choices[0]?.finish_reason).toBe('length');
    expect(answer.usage?.completion_tokens).toBeLessThanOrEqual(16);
  });

  test('sampling and seed: taken, or dropped and reported', async () => {
    const answer = await openai.chat.completions.create({
      model: 'auto',
      messages: ask(),
      temperature: 0.3,
      top_p: 0.9,
      seed: 7,
      presence_penalty: 0.5,
      frequency_penalty: 0.5,
    });
    expect(metadataOf(answer).adapted).toEqual(
      expect.arrayContaining([
        { field: 'temperature', action: 'dropped', from: 0.3 },
        { field: 'top_p', action: 'dropped', from: 0.9 },
        { field: 'seed', action: 'dropped' },
        { field: 'presence_penalty', action: 'dropped', from: 0.5 },
        { field: 'frequency_penalty', action: 'dropped', from: 0.5 },
      ]),
    );
  });

  test('stop sequences end an answer, whether the model takes them or not', async () => {
    const count = { text: 'one two three four', calls: [] };
    const body = { model: 'auto', messages: ask('Count'), stop: ['three'] };
    await gateway.script({ answer: count }, { answer: count });
    const answer = await openai.chat.completions.create(body);
    expect(answer.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'one two ' } });
    expect(metadataOf(answer).adapted.some(({ field }) => field === 'stop')).toBe(!claude);
    const stream = await openai.chat.completions.create({ ...body, stream: true });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe('one two ');
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
    expect(metadataOf(chunks).cost_usd).toBeGreaterThan(0);
  });

  test('an answer by a schema is parsed', async () => {
    const City = z.object({ city: z.string(), population: z.number() });
    const answer = await openai.chat.completions.parse({
      model: 'auto',
      messages: ask(),
      response_format: zodResponseFormat(City, 'city'),
    });
    expect(City.safeParse(answer.choices[0]?.message.parsed).success).toBe(true);
  });

  test('streamed, such an answer is parsed too, and so are the arguments of a tool', async () => {
    const City = z.object({ city: z.string(), population: z.number().nullable() });
    const stream = openai.chat.completions.stream({
      model: 'auto',
      messages: ask(),
      response_format: zodResponseFormat(City, 'city'),
    });
    const parsed = (await stream.finalChatCompletion()).choices[0]?.message.parsed;
    expect(City.safeParse(parsed).success).toBe(true);
    const tools = [zodFunction({ name: 'save_city', description: 'Saves a city', parameters: City })];
    const call = { name: 'save_city', arguments: { city: 'Rome', population: null } };
    await gateway.script({ answer: { text: '', calls: [call] } });
    const answer = await openai.chat.completions.parse({ model: 'auto', messages: ask('Save Rome.'), tools });
    const [made] = answer.choices[0]?.message.tool_calls ?? [];
    expect(made).toMatchObject({ function: { parsed_arguments: { city: 'Rome', population: null } } });
  });

  test('reasoning_effort: taken, or the nearest, reported', async () => {
    const answer = await openai.chat.completions.create({
      model: 'auto',
      messages: ask(),
      reasoning_effort: 'low',
    });
    expect(metadataOf(answer).adapted).toEqual([]);
    expect(await lastSent()).toContain('"low"');
    const least = await openai.chat.completions.create({
      model: 'auto',
      messages: ask(),
      reasoning_effort: 'minimal',
    });
    expect(metadataOf(least).adapted).toMatchObject([
      { field: 'reasoning_effort', action: 'clamped', from: 'minimal' },
    ]);
  });

  test('a floor and a pinned model are kept, and a cap too', async () => {
    const reason = async (model: string, headers = {}) => {
      const { tier, reason } = metadataOf(
        await openai.chat.completions.create({ model, messages: ask() }, { headers }),
      );
      return [tier, reason];
    };
    expect(await reason('auto:hard')).toEqual(['hard', 'forced_tier']);
    expect(await reason(hard)).toEqual(['hard', 'pinned']);
    expect(await reason(`${provider}/${easy}`)).toEqual(['easy', 'pinned']);
    expect(await reason('auto:hard', { 'x-fluxcompute-max-tier': 'medium' })).toEqual(['medium', 'capped']);
  });

  test('the session is repeated, tags and housekeeping are taken', async () => {
    const answer = await openai.chat.completions.create(
      { model: 'auto', messages: ask() },
      { headers: { 'x-fluxcompute-session': 'run 42', 'x-fluxcompute-tags': 'team=search,env=prod' } },
    );
    expect(metadataOf(answer).session_id).toBe('run 42');
    expect((await lastSeen()).headers.get('x-fluxcompute-session')).toBe('run 42');
  });

  test('a model that is overloaded is left for the next tier', async () => {
    await gateway.script({ match: { model: easy }, times: 'always', fault: status(529) });
    const answer = await openai.chat.completions.create({ model: 'auto', messages: ask() });
    expect(metadataOf(answer)).toMatchObject({
      reason: 'escalated',
      tier: 'medium',
      model_attempted: easy,
      escalations: [{ from: easy, why: 'overloaded', status: 529, cost_usd: 0 }],
    });
    await gateway.script();
  });

  test('models are listed and found', async () => {
    const ids = [];
    for await (const model of openai.models.list()) ids.push(model.id);
    expect(ids).toEqual(
      expect.arrayContaining(['auto', 'auto:easy', 'auto:medium', 'auto:hard', easy, hard]),
    );
    expect(await openai.models.retrieve('auto')).toMatchObject({ id: 'auto', object: 'model' });
    await expect(openai.models.retrieve('nope')).rejects.toThrow(OpenAI.NotFoundError);
  });

  if (claude)
    test('what Claude has no word for is refused by name', async () => {
      for (const [field, value] of [
        ['n', 2],
        ['logprobs', true],
        ['response_format', { type: 'json_object' }],
      ] as const) {
        await expect(
          openai.chat.completions.create({ model: 'auto', messages: ask(), [field]: value }),
        ).rejects.toMatchObject({ status: 400, param: field });
      }
    });
  else
    describe('on an older model, over Chat Completions', () => {
      test('several answers and logprobs go to the model that has them, and pass through', async () => {
        const answer = await openai.chat.completions.create({
          model: 'auto',
          messages: ask(),
          n: 2,
          logprobs: true,
          top_logprobs: 2,
        });
        expect(answer.choices.map((choice) => choice.index)).toEqual([0, 1]);
        expect(answer.choices[0]?.logprobs?.content?.length).toBeGreaterThan(0);
        expect(metadataOf(answer)).toMatchObject({
          model_selected: expect.stringMatching(/^gpt-4\.1/),
          reason: 'capability',
        });
        const [request] = (await gateway.sent()).slice(-1);
        expect(request).toMatchObject({ path: '/v1/chat/completions', body: { n: 2, model: 'gpt-4.1' } });
      });

      test('sampling, seed and stop are taken as they are', async () => {
        const answer = await openai.chat.completions.create({
          model: 'gpt-4.1',
          messages: ask(),
          temperature: 0.3,
          seed: 7,
          stop: 'France',
          presence_penalty: 0.5,
        });
        expect(metadataOf(answer).adapted).toEqual([]);
        expect(answer.choices[0]?.message.content).not.toContain('France');
        expect((await gateway.sent()).at(-1)?.body).toMatchObject({
          temperature: 0.3,
          seed: 7,
          stop: 'France',
        });
      });

      test.each([false, true])('a stream is relayed, its usage asked for: %s', async (include_usage) => {
        const stream = await openai.chat.completions.create({
          model: 'gpt-4.1',
          messages: ask(),
          n: 2,
          stream: true,
          stream_options: { include_usage },
        });
        const chunks = [];
        for await (const chunk of stream) chunks.push(chunk);
        for (const index of [0, 1]) {
          const own = chunks.flatMap((chunk) => chunk.choices).filter((choice) => choice.index === index);
          expect(own.map((choice) => choice.delta.content ?? '').join('')).toContain('gpt-4.1');
          expect(own.at(-1)?.finish_reason).toBe('stop');
        }
        expect(chunks.filter((chunk) => chunk.usage)).toHaveLength(include_usage ? 1 : 0);
        expect(chunks.filter((chunk) => 'fluxcompute' in chunk)).toEqual([chunks.at(-1)]);
        expect(metadataOf(chunks).cost_usd).toBeGreaterThan(0);
      });

      test('json_object, with or without a schema', async () => {
        for (const model of ['auto', 'gpt-4.1']) {
          const answer = await openai.chat.completions.create({
            model,
            messages: ask('Answer as JSON'),
            response_format: { type: 'json_object' },
          });
          expect(() => JSON.parse(answer.choices[0]?.message.content ?? '')).not.toThrow();
        }
      });
    });

  test('every step is in the summary within ten seconds, at the cost that was told', async () => {
    const seen = await Promise.all(gateway.seen);
    const told = seen.flatMap(({ body, frames }) => {
      const parts = [body, ...frames];
      const has = (part: unknown) => typeof part === 'object' && part !== null && 'fluxcompute' in part;
      return parts.some(has) ? [metadataOf(parts)] : [];
    });
    const cost = told.reduce((sum, { cost_usd }) => sum + (cost_usd ?? Number.NaN), 0);
    await expect
      .poll(() => gateway.summary().then((summary) => summary.by_state.ok), {
        timeout: 10_000,
        interval: 200,
      })
      .toBeGreaterThanOrEqual(told.length + (claude ? 0 : claudeSteps));
    const summary = await gateway.summary();
    expect(summary.by_state.ok).toBe(told.length + (claude ? 0 : claudeSteps));
    expect(summary.unpriced_queries).toBe(0);
    const mine = summary.by_model.filter((share) => share.provider === provider);
    expect(mine.reduce((sum, share) => sum + share.cost_usd, 0)).toBeCloseTo(cost, 9);
    expect(summary.simulated_queries).toBe(summary.total_queries);
    claudeSteps = summary.by_state.ok;
  });

  test("errors are the SDK's own, with a message that says what to do", async () => {
    const create = (body: object, key?: string) =>
      (key === undefined ? openai : openai.withOptions({ apiKey: key })).chat.completions.create({
        model: 'auto',
        messages: ask(),
        ...body,
      });
    await expect(create({}, 'flx_wrong_key_of_mine')).rejects.toThrow(OpenAI.AuthenticationError);
    await expect(create({ model: 'gpt-99' })).rejects.toThrow(OpenAI.NotFoundError);
    await expect(create({ model: 'gpt-99' })).rejects.toThrow('auto:easy');
    await expect(create({ messages: [] })).rejects.toThrow(OpenAI.BadRequestError);
    await gateway.script({
      times: 'always',
      fault: { ...status(429), headers: { 'retry-after-ms': '1' }, message: 'slow down' },
    });
    await expect(create({})).rejects.toThrow(OpenAI.RateLimitError);
    await gateway.script({ times: 'always', fault: { ...status(401), message: 'bad key {{key}}' } });
    await expect(create({})).rejects.toMatchObject({ status: 502, code: 'provider_auth' });
    await gateway.script({ times: 'always', fault: { ...status(400), message: 'max_tokens: too odd' } });
    await expect(create({})).rejects.toThrow('max_tokens: too odd');
    await gateway.script({ fault: { kind: 'cut', after_events: 14 }, delay: { first_ms: 0, between_ms: 5 } });
    await expect(async () => {
      const stream = await openai.chat.completions.create({ model: 'auto', messages: ask(), stream: true });
      for await (const _chunk of stream);
    }).rejects.toThrow('incomplete');
    expect((await lastSeen()).frames).not.toContain('[DONE]');
    await gateway.script();
  });

  test.skipIf(!hasDescription)(
    "every answer and every request upstream is as OpenAI's description says",
    async () => {
      const wrong: string[] = [];
      for (const { status, body, frames } of await Promise.all(gateway.seen)) {
        const schema = (body as { object?: string } | null)?.object;
        if (status === 200 && schema === 'chat.completion') {
          wrong.push(...violations('CreateChatCompletionResponse', body));
        }
        if (status >= 400) wrong.push(...violations('ErrorResponse', body));
        for (const frame of frames) {
          if (frame === '[DONE]' || (typeof frame === 'object' && frame !== null && 'error' in frame))
            continue;
          wrong.push(...violations('CreateChatCompletionStreamResponse', frame));
        }
      }
      for (const { path, body, status } of await gateway.sent()) {
        if (status !== 200) continue;
        if (path === '/v1/responses') wrong.push(...violations('CreateResponse', body));
        if (path === '/v1/chat/completions') wrong.push(...violations('CreateChatCompletionRequest', body));
      }
      expect([...new Set(wrong)]).toEqual([]);
    },
  );
});

/** Rows of the deployment before lie in the same folder. */
let claudeSteps = 0;

const status = (status: number) => ({ kind: 'status' as const, status, headers: {}, body: undefined });
