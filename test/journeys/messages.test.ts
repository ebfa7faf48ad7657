import Anthropic from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { metadataOf } from './frames.ts';
import { type Gateway, START_LIMIT, startGateway, temporaryFolder } from './gateway.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** One pixel. */
const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const QUESTION = 'What is the capital of France?';
const ask = (content: Anthropic.MessageParam['content'] = QUESTION): Anthropic.MessageParam[] => [
  { role: 'user', content },
];
const weather: Anthropic.Tool = {
  name: 'get_weather',
  description: 'Weather of a city',
  input_schema: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
};
const clock: Anthropic.Tool = {
  name: 'get_time',
  description: 'Clock',
  input_schema: { type: 'object', properties: {} },
};

const DEPLOYMENTS = [
  { of: 'Claude', easy: 'claude-haiku-5-5', hard: 'claude-opus-5-5', variables: {} },
  {
    of: 'GPT',
    easy: 'gpt-6-luna',
    hard: 'gpt-6.2-sol',
    variables: {
      FLUX_TIERS: JSON.stringify({
        easy: ['openai/gpt-6-luna'],
        medium: ['openai/gpt-6.1-terra'],
        hard: ['openai/gpt-6.2-sol'],
      }),
    },
  },
] as const;

describe.each(DEPLOYMENTS)('the Anthropic client on $of', ({ of, easy, hard, variables }) => {
  let gateway: Gateway;
  let anthropic: Anthropic;
  let headers: Headers | undefined;
  const claude = of === 'Claude';

  beforeAll(async () => {
    gateway = await startGateway(folder.path, variables);
    anthropic = new Anthropic({
      apiKey: gateway.stack.key,
      baseURL: gateway.stack.url,
      maxRetries: 0,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        headers = response.headers;
        return response;
      },
    });
  }, START_LIMIT);
  afterAll(() => gateway?.stop());

  /** The last request a provider was sent. */
  async function lastSent() {
    const last = (await gateway.sent()).at(-1);
    // As journal.ts keeps it: what the simulator parsed.
    return { ...last, text: JSON.stringify(last?.body), body: last?.body as Record<string, unknown> };
  }

  test('a question is answered, and told what it cost', async () => {
    const answer = await anthropic.messages.create({ model: 'auto', max_tokens: 500, messages: ask() });
    expect(answer).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: easy,
      stop_reason: 'end_turn',
      stop_sequence: null,
      stop_details: null,
      container: null,
    });
    expect(answer.id).toMatch(/^msg_/);
    expect(answer.content.at(-1)).toMatchObject({ type: 'text', citations: null });
    // Null where there is nothing to say, never absent.
    for (const field of ['cache_creation', 'server_tool_use', 'service_tier', 'speed', 'inference_geo']) {
      expect(answer.usage).toHaveProperty(field);
    }
    expect(answer.usage.input_tokens).toBeGreaterThan(0);
    expect(answer.usage.output_tokens).toBeGreaterThan(0);
    const told = metadataOf(answer);
    expect(told).toMatchObject({ model_selected: easy, tier: 'easy', adapted: [], baseline_model: hard });
    expect(told.cost_usd).toBeGreaterThan(0);
    expect(headers?.get('x-fluxcompute-model')).toBe(easy);
    expect(headers?.get('x-fluxcompute-request-id')).toBe(told.request_id);
  });

  test('the stream helper puts an answer together; metadata rides on message_delta', async () => {
    const stream = anthropic.messages.stream({ model: 'auto', max_tokens: 500, messages: ask() });
    const events: Anthropic.MessageStreamEvent[] = [];
    stream.on('streamEvent', (event) => events.push(event));
    const answer = await stream.finalMessage();
    expect(await stream.finalText()).toContain(QUESTION);
    expect(answer).toMatchObject({ model: easy, stop_reason: 'end_turn' });
    expect(answer.usage.output_tokens).toBeGreaterThan(1);
    expect(answer.usage.input_tokens).toBeGreaterThan(0);
    expect(events[0]?.type).toBe('message_start');
    expect(events.at(-1)?.type).toBe('message_stop');
    expect(events.filter((event) => 'fluxcompute' in event)).toEqual([events.at(-2)]);
    expect(events.at(-2)?.type).toBe('message_delta');
    expect(metadataOf(events)).toMatchObject({ model_selected: easy, simulated: true });
    expect(headers?.get('x-fluxcompute-model')).toBe(easy);
  });

  test('tools in parallel, with thinking, streamed and not: the whole loop', async () => {
    for (const streamed of [false, true]) {
      await gateway.script({
        answer: {
          text: 'Let me look.',
          thinking: 40,
          calls: [
            { name: 'get_weather', arguments: { city: 'Rome' } },
            { name: 'get_weather', arguments: { city: 'Oslo' } },
            { name: 'get_time', arguments: {} },
          ],
        },
      });
      const request = {
        model: 'auto',
        max_tokens: 2_000,
        thinking: { type: 'adaptive' as const },
        tools: [weather, clock],
        messages: ask('Weather in Rome and Oslo, and the time?'),
      };
      const first = streamed
        ? await anthropic.messages.stream(request).finalMessage()
        : await anthropic.messages.create(request);
      expect(first.stop_reason).toBe('tool_use');
      const calls = first.content.flatMap((block) => (block.type === 'tool_use' ? [block] : []));
      expect(calls.map(({ name, input }) => [name, input])).toEqual([
        ['get_weather', { city: 'Rome' }],
        ['get_weather', { city: 'Oslo' }],
        ['get_time', {}],
      ]);
      expect(first.content.some((block) => block.type === 'thinking')).toBe(claude);
      const results = calls.map(
        ({ id }, index): Anthropic.ToolResultBlockParam => ({
          type: 'tool_result',
          tool_use_id: id,
          ...(index === 2 ? { is_error: true } : {}),
          content: index === 0 ? 'sunny' : [{ type: 'text', text: `result ${index}` }],
        }),
      );
      const second = await anthropic.messages.create({
        ...request,
        messages: [
          ...request.messages,
          { role: 'assistant', content: first.content },
          { role: 'user', content: [...results, { type: 'text', text: 'Go on.' }] },
        ],
      });
      expect(second.stop_reason).toBe('end_turn');
      expect((await lastSent()).text).toContain('sunny');
      // Thinking goes back to Claude as it came, and to nobody else.
      const signature = first.content.flatMap((block) =>
        block.type === 'thinking' ? [block.signature] : [],
      );
      expect(signature.every((one) => JSON.stringify(first.content).includes(one))).toBe(true);
      if (claude) expect((await lastSent()).text).toContain(signature[0]);
    }
  });

  test('the tool runner goes through a loop with thinking, streamed and not', async () => {
    const asked: string[] = [];
    const tool = betaZodTool({
      name: 'get_weather',
      description: 'Weather of a city',
      inputSchema: z.object({ city: z.string() }),
      run: ({ city }) => {
        asked.push(city);
        return `sunny in ${city}`;
      },
    });
    const call = (city: string) => ({ name: 'get_weather', arguments: { city } });
    for (const stream of [false, true]) {
      await gateway.script(
        { answer: { text: 'Both.', thinking: 40, calls: [call('Rome'), call('Oslo')] } },
        { answer: { text: '', thinking: 40, calls: [call('Bern')] } },
        { answer: { text: 'Sunny everywhere.', calls: [] } },
      );
      const final = await anthropic.beta.messages
        .toolRunner({
          model: 'auto',
          max_tokens: 2_000,
          thinking: { type: 'adaptive' },
          messages: [{ role: 'user', content: 'Weather in Rome, Oslo and Bern?' }],
          tools: [tool],
          stream,
        })
        .runUntilDone();
      expect(final.content.at(-1)).toMatchObject({ type: 'text', text: 'Sunny everywhere.' });
      expect(asked.splice(0).sort()).toEqual(['Bern', 'Oslo', 'Rome']);
      for (const city of ['Rome', 'Oslo', 'Bern'])
        expect((await lastSent()).text).toContain(`sunny in ${city}`);
    }
  });

  test('images and documents of every source; blocks that others lack become what they have', async () => {
    const pdf = Buffer.from('%PDF-1.4 one page').toString('base64');
    const answer = await anthropic.messages.create({
      model: 'auto',
      max_tokens: 500,
      messages: ask([
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
        { type: 'image', source: { type: 'url', url: 'https://example.com/cat.png' } },
        {
          type: 'document',
          title: 'A plan',
          source: { type: 'base64', media_type: 'application/pdf', data: pdf },
        },
        {
          type: 'search_result',
          source: 'https://example.com/page',
          title: 'A page',
          content: [{ type: 'text', text: 'What it says.' }],
        },
        { type: 'text', text: QUESTION, cache_control: { type: 'ephemeral' } },
      ]),
    });
    expect(answer.stop_reason).toBe('end_turn');
    const { text } = await lastSent();
    for (const part of [PIXEL, 'https://example.com/cat.png', pdf, 'What it says.', 'A page']) {
      expect(text).toContain(part);
    }
  });

  test('structured output, parsed by the SDK', async () => {
    const shape = z.object({ city: z.string(), population: z.number() });
    const answer = await anthropic.messages.parse({
      model: 'auto',
      max_tokens: 500,
      messages: ask(),
      output_config: { format: zodOutputFormat(shape) },
    });
    expect(shape.safeParse(answer.parsed_output).success).toBe(true);
  });

  test('tool_choice in all its forms', async () => {
    const choose = async (tool_choice: Anthropic.ToolChoice, content = 'Hello there') => {
      const answer = await anthropic.messages.create({
        model: 'auto',
        max_tokens: 500,
        messages: ask(content),
        tools: [weather, clock],
        tool_choice,
      });
      return answer.content.flatMap((block) => (block.type === 'tool_use' ? [block.name] : []));
    };
    expect(await choose({ type: 'auto', disable_parallel_tool_use: true }, 'weather in Rome')).toEqual([
      'get_weather',
    ]);
    expect(await choose({ type: 'none' }, 'weather in Rome')).toEqual([]);
    expect(await choose({ type: 'any' })).toHaveLength(1);
    expect(await choose({ type: 'tool', name: 'get_time' })).toEqual(['get_time']);
  });

  test('traps T37, T67, T68: settings of other years and models are adapted, and told', async () => {
    // The SDK itself refuses to wait for that many tokens in one piece.
    const stream = anthropic.messages.stream(
      {
        model: hard,
        max_tokens: 900_000,
        // Of the SDK before 1.0, with which they were still allowed.
        ...{ temperature: 0.2, top_p: 0.9, top_k: 40 },
        thinking: { type: 'enabled', budget_tokens: 10_000 },
        messages: [
          ...ask('My name is Ada.'),
          { role: 'assistant', content: 'Hello Ada.' },
          ...ask('What is my name?'),
        ],
      },
      { headers: { 'anthropic-version': '2023-06-01' } },
    );
    const events: unknown[] = [];
    stream.on('streamEvent', (event) => events.push(event));
    const answer = await stream.finalMessage();
    expect(answer.model).toBe(hard);
    const fields = metadataOf(events).adapted.map(({ field, action }) => `${field} ${action}`);
    expect(fields.sort()).toEqual([
      'max_tokens clamped',
      'temperature dropped',
      'thinking translated',
      'top_k dropped',
      'top_p dropped',
    ]);
    const { body, headers: sent } = await lastSent();
    if (claude) {
      expect(sent?.['anthropic-version']).toBe('2026-10-21');
      expect(body).toMatchObject({
        max_tokens: 128_000,
        thinking: { type: 'adaptive' },
        output_config: { effort: 'high' },
      });
    } else expect(body).toMatchObject({ max_output_tokens: 128_000, reasoning: { effort: 'high' } });
  });

  test('a refusal is one', async () => {
    await gateway.script({
      times: 'always',
      answer: { text: '', calls: [], refusal: 'I can not help with that.' },
    });
    const answer = await anthropic.messages.create({ model: 'auto', max_tokens: 500, messages: ask() });
    expect(answer).toMatchObject({
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', category: null, explanation: 'I can not help with that.' },
    });
    const stream = await anthropic.messages
      .stream({ model: 'auto', max_tokens: 500, messages: ask() })
      .finalMessage();
    expect(stream.stop_reason).toBe('refusal');
    await gateway.script();
  });

  test('traps T30: a stream that breaks ends with an error, and no message_stop', async () => {
    await gateway.script({ times: 'always', fault: { kind: 'cut', after_events: 8 } });
    const response = await fetch(`${gateway.stack.url}/v1/messages`, {
      method: 'POST',
      headers: { 'x-api-key': gateway.stack.key, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'auto', max_tokens: 500, stream: true, messages: ask() }),
    });
    const text = await response.text();
    expect(text).toContain('event: message_start');
    expect(text).not.toContain('message_stop');
    const last = text.trim().split('\n\n').at(-1);
    expect(last).toMatch(/^event: error\ndata: \{"type":"error","error":\{"type":"api_error"/);
    await expect(
      anthropic.messages.stream({ model: 'auto', max_tokens: 500, messages: ask() }).finalMessage(),
    ).rejects.toThrow('incomplete');
    await gateway.script();
  });

  test("errors are Anthropic's: the field in the message, and the right class", async () => {
    const wrong = anthropic.messages.create({
      model: 'auto',
      max_tokens: 500,
      messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1' }] }],
    });
    await expect(wrong).rejects.toThrow(/messages\.0\.content\.0: unexpected `tool_use_id`/);
    await expect(wrong).rejects.toBeInstanceOf(Anthropic.BadRequestError);
    const missing = anthropic.messages.create({ model: 'auto', messages: ask() } as never);
    await expect(missing).rejects.toThrow('max_tokens: Field required');
    const unknown = anthropic.messages.create({ model: 'claude-9', max_tokens: 1, messages: ask() });
    await expect(unknown).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    const stranger = new Anthropic({ apiKey: 'sk-ant-other', baseURL: gateway.stack.url, maxRetries: 0 });
    await expect(
      stranger.messages.create({ model: 'auto', max_tokens: 1, messages: ask() }),
    ).rejects.toMatchObject({ status: 401, type: 'authentication_error' });
    await expect(stranger.models.list()).rejects.toMatchObject({ type: 'authentication_error' });
  });

  test('count_tokens: `auto` counts for the top, and nothing is logged for it', async () => {
    const before = (await gateway.summary()).total_queries;
    const { input_tokens } = await anthropic.messages.countTokens({
      model: 'auto',
      system: 'You are terse.',
      tools: [weather],
      messages: ask('One two three four five six seven eight nine ten.'),
    });
    expect(input_tokens).toBeGreaterThan(10);
    expect(headers?.get('x-fluxcompute-model')).toBe(hard);
    const sent = await lastSent();
    if (claude) expect([sent.path, sent.model]).toEqual(['/v1/messages/count_tokens', hard]);
    else expect(sent.path).not.toContain('count_tokens');
    expect((await gateway.summary()).total_queries).toBe(before);
  });

  test('what Claude Code asks first, and how it names its session', async () => {
    const hello = await fetch(`${gateway.stack.url}/api/hello`, { method: 'HEAD' });
    expect([hello.status, await hello.text()]).toEqual([200, '']);
    const id = '3b8b2c7e-58a5-4e9f-9f30-0d3d2c1b0a99';
    const created = (user_id: string) =>
      anthropic.beta.messages.create({
        model: 'auto',
        max_tokens: 500,
        messages: ask(),
        metadata: { user_id },
        // Of Claude Code, and unknown to others.
        context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
        betas: ['context-management-2025-06-27', 'claude-code-20250219', 'files-api-2025-04-14'],
      });
    const json = await created(JSON.stringify({ device_id: 'd', account_uuid: 'a', session_id: id }));
    expect(metadataOf(json).session_id).toBe(id);
    const older = await created(`user_abc_account_def_session_${id}`);
    expect(metadataOf(older).session_id).toBe(id);
    const { headers: sent, body } = await lastSent();
    if (claude) {
      // T39, T56: known and unknown betas, but none that opens stored objects; the body's fields as they were.
      expect(sent?.['anthropic-beta']).toBe('context-management-2025-06-27,claude-code-20250219');
      expect(body.context_management).toEqual({ edits: [{ type: 'clear_tool_uses_20250919' }] });
      expect(body.metadata).toEqual({ user_id: `user_abc_account_def_session_${id}` });
      expect(metadataOf(older).adapted).toEqual([]);
    } else {
      expect(sent).not.toHaveProperty('anthropic-beta');
      expect(JSON.stringify(body)).not.toContain('user_abc');
      const dropped = metadataOf(older).adapted.map(({ field, action }) => `${field} ${action}`);
      expect(dropped).toEqual(['context_management dropped', 'anthropic-beta dropped']);
    }
  });
});
