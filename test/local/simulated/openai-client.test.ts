import type OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { answerOf, eventsOf, simulated } from './running.ts';

const sim = simulated();

const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const chatTool: OpenAI.ChatCompletionTool = {
  type: 'function',
  function: { name: 'get_weather', description: 'Weather of a city', parameters },
};
const hello: OpenAI.ChatCompletionMessageParam = { role: 'user', content: 'Hello there' };

describe('Chat Completions', () => {
  test('whole, with complete usage', async () => {
    const { data, response } = await sim.openai.chat.completions
      .create({ model: 'gpt-6-luna', messages: [hello] })
      .withResponse();
    expect(data).toMatchObject({
      object: 'chat.completion',
      model: 'gpt-6-luna',
      choices: [
        {
          index: 0,
          finish_reason: 'stop',
          message: {
            role: 'assistant',
            refusal: null,
            content: expect.stringContaining('simulated answer of gpt-6-luna'),
          },
        },
      ],
      // 11 characters / 4; medium effort thinks 32 tokens, inside the completion.
      usage: { prompt_tokens: 3, completion_tokens_details: { reasoning_tokens: 32 } },
    });
    const text = data.choices[0]?.message.content ?? '';
    expect(data.usage?.completion_tokens).toBe(32 + Math.ceil(text.length / 4));
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect(response.headers.get('x-ratelimit-reset-tokens')).toBe('0s');
    expect(response.headers.get('x-simulated-provider')).toBe('fluxcompute');
  });

  test('streamed, word by word, usage only if asked for (traps T27)', async () => {
    const read = async (include_usage: boolean) => {
      const stream = await sim.openai.chat.completions.create({
        model: 'gpt-4o',
        messages: [hello],
        stream: true,
        ...(include_usage ? { stream_options: { include_usage } } : {}),
      });
      const chunks: OpenAI.ChatCompletionChunk[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      return chunks;
    };
    const plain = await read(false);
    expect(plain[0]?.choices[0]?.delta.role).toBe('assistant');
    expect(plain.some((chunk) => 'usage' in chunk)).toBe(false);
    expect(plain.at(-1)?.choices[0]?.finish_reason).toBe('stop');
    expect(plain.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toContain(
      'You asked: "Hello there"',
    );
    const counted = await read(true);
    expect(counted.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
    expect(counted.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 3 } });
  });

  test('parallel calls keep their index, with id and name in the first delta only (traps T32)', async () => {
    await sim.script({
      answer: {
        calls: [
          { name: 'a', arguments: { x: 'one' } },
          { name: 'b', arguments: '{"y":"two"}', id: 'call_b' },
        ],
      },
    });
    const runner = sim.openai.chat.completions.stream({
      model: 'gpt-4o',
      messages: [hello],
      tools: [chatTool],
    });
    const firsts: unknown[] = [];
    runner.on('chunk', (chunk) => {
      for (const call of chunk.choices[0]?.delta.tool_calls ?? [])
        if (call.id !== undefined) firsts.push(call.index);
    });
    const { choices } = await runner.finalChatCompletion();
    expect(firsts).toEqual([0, 1]);
    expect(choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        tool_calls: [
          { function: { name: 'a', arguments: '{"x":"one"}' } },
          { id: 'call_b', function: { name: 'b', arguments: '{"y":"two"}' } },
        ],
      },
    });
  });

  test('a tool loop, n, stop, max_tokens, json_object and logprobs', async () => {
    // The rows below are bodies of the type's many variants; the simulator itself checks them.
    const create = (body: object) =>
      sim.openai.chat.completions.create({
        model: 'gpt-4o',
        messages: [hello],
        ...body,
      } as OpenAI.ChatCompletionCreateParamsNonStreaming);
    const asked = { role: 'user', content: 'Weather in Rome?' };
    const called = await create({ messages: [asked], tools: [chatTool] });
    const message = called.choices[0]?.message;
    expect(message).toMatchObject({
      content: null,
      tool_calls: [{ function: { name: 'get_weather', arguments: '{"city":"Weather in Rome?"}' } }],
    });
    const result = { role: 'tool', tool_call_id: message?.tool_calls?.[0]?.id, content: 'sunny' };
    const after = await create({ messages: [asked, message, result], tools: [chatTool] });
    expect(after.choices[0]?.message.content).toContain('The tool returned: "sunny"');

    expect((await create({ n: 3 })).choices.map((choice) => choice.index)).toEqual([0, 1, 2]);
    expect((await create({ stop: [' simulated'] })).choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: 'This is a' },
    });
    expect(await create({ max_tokens: 4 })).toMatchObject({
      choices: [{ finish_reason: 'length', message: { content: 'This is a simula' } }],
      usage: { completion_tokens: 4 },
    });
    const json = await create({
      response_format: { type: 'json_object' },
      messages: [{ role: 'user', content: 'Say it in JSON' }],
    });
    expect(JSON.parse(json.choices[0]?.message.content ?? '')).toMatchObject({ simulated: true });
    expect((await create({ logprobs: true })).choices[0]?.logprobs?.content?.[0]).toMatchObject({
      token: 'This',
    });
  });

  test('custom tools take free text', async () => {
    const tool: OpenAI.ChatCompletionTool = {
      type: 'custom',
      custom: { name: 'run_shell', description: 'Run a command' },
    };
    const { choices } = await sim.openai.chat.completions.create({
      model: 'gpt-5.1',
      messages: [{ role: 'user', content: 'run ls' }],
      tools: [tool],
    });
    expect(choices[0]?.message.tool_calls).toMatchObject([
      { type: 'custom', custom: { name: 'run_shell', input: 'run ls' } },
    ]);
  });
});

const tool: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: 'get_weather',
  description: 'Weather of a city',
  parameters,
  strict: true,
};

describe('Responses', () => {
  test('whole, with a reasoning item that has no encrypted content unless included', async () => {
    const plain = await sim.openai.responses.create({ model: 'gpt-6-luna', input: 'Hello there' });
    expect(plain).toMatchObject({
      object: 'response',
      status: 'completed',
      error: null,
      incomplete_details: null,
      store: true,
      prompt_cache_options: { mode: 'implicit', ttl: '30m' },
      usage: {
        input_tokens: 3,
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens_details: { reasoning_tokens: 32 },
      },
    });
    expect(plain.output_text).toContain('simulated answer of gpt-6-luna');
    expect(plain.output[0]).toEqual({ type: 'reasoning', id: expect.any(String), summary: [] });
    const included = await sim.openai.responses.create({
      model: 'gpt-6-luna',
      input: 'Hello',
      store: false,
      include: ['reasoning.encrypted_content'],
      reasoning: { summary: 'auto' },
    });
    expect(included.output[0]).toMatchObject({
      encrypted_content: expect.any(String),
      summary: [{ type: 'summary_text' }],
    });
    const without = await sim.openai.responses.create({
      model: 'gpt-6-luna',
      input: 'Hi',
      reasoning: { effort: 'none' },
    });
    expect(without.output.map((item) => item.type)).toEqual(['message']);
  });

  test('streamed: the SDK puts the same response together', async () => {
    const stream = sim.openai.responses.stream({ model: 'gpt-6-luna', input: 'Hello there' });
    const deltas: string[] = [];
    stream.on('response.output_text.delta', (event) => deltas.push(event.delta));
    const response = await stream.finalResponse();
    expect(deltas.length).toBeGreaterThan(5);
    expect(response.output_text).toBe(deltas.join(''));
    expect(response.usage?.output_tokens).toBe(32 + Math.ceil(deltas.join('').length / 4));
  });

  test('events count from 0 without a gap and carry their type', async () => {
    await sim.script({
      answer: { text: 'Look:', calls: [{ name: 'get_weather', arguments: { city: 'Rome' } }] },
    });
    const response = await sim.post('/v1/responses', {
      model: 'gpt-6-luna',
      input: 'Hello',
      stream: true,
      tools: [tool],
      reasoning: { summary: 'auto' },
    });
    // Every event of Responses has these two.
    const events = (await eventsOf(response)) as [string, { type: string; sequence_number: number }][];
    expect(events.map(([, data]) => data.sequence_number)).toEqual(events.map((_, index) => index));
    expect(events.every(([name, data]) => name === data.type)).toBe(true);
    const names = events.map(([name]) => name.replace('response.', ''));
    expect(names.filter((name, index) => name !== names[index - 1])).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'output_item.added',
      'function_call_arguments.delta',
      'function_call_arguments.done',
      'output_item.done',
      'completed',
    ]);
  });

  test('a tool loop over encrypted reasoning, which another key cannot use (traps T18)', async () => {
    const params = {
      model: 'gpt-6.2-sol',
      store: false,
      include: ['reasoning.encrypted_content' as const],
      tools: [tool],
    };
    const asked: OpenAI.Responses.ResponseInputItem = { role: 'user', content: 'Weather in Rome?' };
    const first = await sim.openai.responses.create({ ...params, input: [asked] });
    const call = first.output.find((item) => item.type === 'function_call');
    expect(call).toMatchObject({
      name: 'get_weather',
      arguments: '{"city":"Weather in Rome?"}',
      status: 'completed',
    });
    // Output items go back as input as they are; the SDK types the two apart.
    const input = [
      asked,
      ...first.output,
      { type: 'function_call_output', call_id: call?.call_id, output: 'sunny' },
    ] as OpenAI.Responses.ResponseInput;
    const second = await sim.openai.responses.create({ ...params, input });
    expect(second.output_text).toContain('"sunny"');

    const foreign = await sim.post(
      '/v1/responses',
      { ...params, input },
      { authorization: 'Bearer sk-other' },
    );
    expect((await answerOf(foreign)).error).toMatchObject({ code: 'invalid_encrypted_content' });
    const reasoning = first.output.filter((item) => item.type === 'reasoning');
    const alone = await sim.post('/v1/responses', { ...params, input: [asked, ...reasoning, asked] });
    expect((await answerOf(alone)).error?.message).toMatch(
      /was provided without its required following item/,
    );
  });

  test('stored responses go on by id; a stored call wants its reasoning back', async () => {
    const asked: OpenAI.Responses.ResponseInputItem = { role: 'user', content: 'Weather in Rome?' };
    const first = await sim.openai.responses.create({ model: 'gpt-6.2-sol', tools: [tool], input: [asked] });
    const call = first.output.find((item) => item.type === 'function_call');
    const output = { type: 'function_call_output' as const, call_id: call?.call_id ?? '', output: 'sunny' };
    const second = await sim.openai.responses.create({
      model: 'gpt-6.2-sol',
      previous_response_id: first.id,
      input: [output],
    });
    expect(second.output_text).toContain('"sunny"');
    const without = await sim.post('/v1/responses', { model: 'gpt-6.2-sol', input: [asked, call, output] });
    expect((await answerOf(without)).error?.message).toMatch(
      /'function_call' was provided without its required 'reasoning' item/,
    );
  });

  test('max_output_tokens makes it incomplete', async () => {
    const response = await sim.openai.responses.create({
      model: 'gpt-4.1',
      input: 'Hello',
      max_output_tokens: 16,
    });
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      usage: { output_tokens: 16 },
    });
    const frames = await eventsOf(
      await sim.post('/v1/responses', {
        model: 'gpt-4.1',
        input: 'Hello',
        max_output_tokens: 16,
        stream: true,
      }),
    );
    expect(frames.at(-1)?.[0]).toBe('response.incomplete');
  });

  test('lists models', async () => {
    const { data } = await sim.openai.models.list();
    expect(data.map((model) => model.id)).toContain('gpt-6.2-sol');
    expect(data.map((model) => model.id)).not.toContain('o1');
    expect(await sim.openai.models.retrieve('gpt-4o')).toMatchObject({ id: 'gpt-4o', object: 'model' });
  });
});
