import type Anthropic from '@anthropic-ai/sdk';
import { describe, expect, test } from 'vitest';
import { eventsOf, simulated } from './running.ts';

const sim = simulated();

const weather: Anthropic.Tool = {
  name: 'get_weather',
  description: 'Weather of a city',
  input_schema: {
    type: 'object',
    properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['C', 'F'] } },
    required: ['city', 'unit'],
  },
};
const hello: Anthropic.MessageParam = { role: 'user', content: 'Hello there' };

describe('the Anthropic SDK', () => {
  test('gets a whole message that says it is simulated, with every field of its type', async () => {
    const { data, response } = await sim.claude.messages
      .create({ model: 'claude-haiku-5-5', max_tokens: 500, messages: [hello] })
      .withResponse();
    expect(data).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: 'claude-haiku-5-5',
      stop_reason: 'end_turn',
      stop_sequence: null,
      stop_details: null,
      container: null,
      diagnostics: null,
      content: [
        { type: 'thinking', thinking: '', signature: expect.stringMatching(/./) },
        {
          type: 'text',
          citations: null,
          text: expect.stringContaining('simulated answer of claude-haiku-5-5'),
        },
      ],
      // "Hello there": 11 characters × 13 / 40, rounded up. Effort medium thinks 32 tokens.
      usage: {
        input_tokens: 4,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 0,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        output_tokens_details: { thinking_tokens: 32 },
        server_tool_use: null,
        service_tier: 'standard',
        inference_geo: null,
      },
    });
    const text = data.content.find((block) => block.type === 'text');
    expect(data.usage.output_tokens).toBe(32 + Math.ceil(((text?.text.length ?? 0) * 13) / 40));
    expect(response.headers.get('request-id')).toMatch(/^req_/);
    expect(response.headers.get('anthropic-ratelimit-input-tokens-reset')).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:]+Z$/,
    );
    expect(response.headers.get('x-simulated-provider')).toBe('fluxcompute');
  });

  test('streams the same message word by word', async () => {
    const stream = sim.claude.messages.stream({
      model: 'claude-opus-4-8',
      max_tokens: 500,
      messages: [hello],
    });
    const deltas: string[] = [];
    stream.on('text', (delta) => deltas.push(delta));
    const message = await stream.finalMessage();
    expect(deltas.length).toBeGreaterThan(5);
    expect(message.content).toMatchObject([{ type: 'text', text: deltas.join('') }]);
    expect(message.usage.output_tokens).toBe(Math.ceil((deltas.join('').length * 13) / 40));
  });

  test('calls a tool that fits, then answers with its result', async () => {
    const params = { model: 'claude-opus-5-5', max_tokens: 500, tools: [weather] };
    const asked: Anthropic.MessageParam = { role: 'user', content: 'How is the weather in Rome?' };
    const first = await sim.claude.messages.create({ ...params, messages: [asked] });
    const call = first.content.find((block) => block.type === 'tool_use');
    expect(first.stop_reason).toBe('tool_use');
    expect(call).toMatchObject({
      name: 'get_weather',
      input: { city: 'How is the weather in Rome?', unit: 'C' },
    });
    const second = await sim.claude.messages.create({
      ...params,
      messages: [
        asked,
        // Answers are sent back as they came.
        { role: 'assistant', content: first.content as Anthropic.ContentBlockParam[] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: call?.id ?? '', content: 'sunny' }] },
      ],
    });
    expect(second.stop_reason).toBe('end_turn');
    expect(second.content.at(-1)).toMatchObject({ type: 'text', text: expect.stringContaining('"sunny"') });
  });

  test('does not call a tool that does not fit, nor any with none, and must with any', async () => {
    const params = { model: 'claude-haiku-5-5', max_tokens: 500, tools: [weather] };
    const calls = async (text: string, tool_choice?: Anthropic.ToolChoice) => {
      const message = await sim.claude.messages.create({
        ...params,
        messages: [{ role: 'user', content: text }],
        ...(tool_choice === undefined ? {} : { tool_choice }),
      });
      return message.content.filter((block) => block.type === 'tool_use').length;
    };
    expect(await calls('Tell me a joke')).toBe(0);
    expect(await calls('The weather?', { type: 'none' })).toBe(0);
    expect(await calls('Tell me a joke', { type: 'any' })).toBe(1);
    expect(await calls('Tell me a joke', { type: 'tool', name: 'get_weather' })).toBe(1);
  });

  test('obeys max_tokens, thinking included, and stop sequences', async () => {
    const short = await sim.claude.messages.create({
      model: 'claude-opus-4-8',
      max_tokens: 10,
      messages: [hello],
    });
    expect(short).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 10 } });
    const thinking = await sim.claude.messages.create({
      model: 'claude-opus-5',
      max_tokens: 10,
      messages: [hello],
    });
    expect(thinking.usage).toMatchObject({
      output_tokens: 10,
      output_tokens_details: { thinking_tokens: 5 },
    });
    const stopped = await sim.claude.messages.create({
      model: 'claude-opus-4-8',
      max_tokens: 500,
      messages: [hello],
      stop_sequences: ['simulated'],
    });
    expect(stopped).toMatchObject({
      stop_reason: 'stop_sequence',
      stop_sequence: 'simulated',
      content: [{ text: 'This is a ' }],
    });
  });

  test('gets JSON that fits its schema', async () => {
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, count: { type: 'integer' } },
      required: ['name', 'count'],
      additionalProperties: false,
    };
    const message = await sim.claude.messages.create({
      model: 'claude-haiku-5-5',
      max_tokens: 500,
      messages: [hello],
      output_config: { format: { type: 'json_schema', schema } },
    });
    const text = message.content.find((block) => block.type === 'text')?.text ?? '';
    expect(JSON.parse(text)).toEqual({ name: 'simulated', count: 1 });
  });

  test('counts tokens, the newer tokenizer 30 % more', async () => {
    const count = (model: string) =>
      sim.claude.messages.countTokens({ model, messages: [{ role: 'user', content: 'x'.repeat(400) }] });
    expect(await count('claude-haiku-4-5')).toEqual({ input_tokens: 100 });
    expect(await count('claude-opus-5-5')).toEqual({ input_tokens: 130 });
  });

  test('lists models with what they can do', async () => {
    const { data } = await sim.claude.models.list({ limit: 1000 });
    expect(data.map((model) => model.id)).toContain('claude-sonnet-5-5');
    expect(await sim.claude.models.retrieve('claude-haiku-4-5')).toMatchObject({
      max_input_tokens: 200_000,
      capabilities: { effort: { supported: false }, thinking: { types: { adaptive: { supported: false } } } },
    });
  });
});

test('a stream has its events in order, each named after its type', async () => {
  await sim.script({
    answer: { text: 'Let me look.', calls: [{ name: 'a', arguments: { x: 1 } }, { name: 'b' }] },
  });
  const response = await sim.post('/v1/messages', {
    model: 'claude-opus-5-5',
    max_tokens: 500,
    stream: true,
    messages: [hello],
  });
  const events = await eventsOf(response);
  // Every event of Anthropic's has a type, deltas a `delta`.
  expect(events.every(([name, data]) => (data as { type: string }).type === name)).toBe(true);
  const names = events.map(([name]) => name);
  expect(names.filter((name, index) => name !== names[index - 1])).toEqual([
    'message_start',
    'ping',
    ...Array.from({ length: 4 }, () => [
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
    ]).flat(),
    'message_delta',
    'message_stop',
  ]);
  const kinds = events.flatMap(([, data]) => {
    const { delta, index } = data as { delta?: { type?: string }; index?: number };
    return delta?.type === undefined ? [] : [`${index} ${delta.type}`];
  });
  expect([...new Set(kinds)]).toEqual([
    '0 signature_delta',
    '1 text_delta',
    '2 input_json_delta',
    '3 input_json_delta',
  ]);
  expect(events.at(-2)?.[1]).toMatchObject({
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { input_tokens: 4, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 },
  });
});
