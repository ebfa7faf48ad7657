import OpenAI, { toFile } from 'openai';
import { describe, expect, test } from 'vitest';
import { eventsOf, simulated } from './running.ts';

const sim = simulated();

const parameters = { type: 'object', properties: {}, required: [], additionalProperties: false };
const look: OpenAI.Responses.FunctionTool = { type: 'function', name: 'look', parameters, strict: true };
const pdf = `data:application/pdf;base64,${Buffer.from('%PDF-1.7').toString('base64')}`;
const asked = (text: string): OpenAI.Responses.ResponseInputItem => ({ role: 'user', content: text });

describe('files', () => {
  test('as data, by URL and by id, in messages and in outputs', async () => {
    const file = await sim.openai.files.create({
      file: await toFile(Buffer.from('%PDF-1.7'), 'a.pdf'),
      purpose: 'user_data',
    });
    const parts: OpenAI.Responses.ResponseInputFile[] = [
      { type: 'input_file', filename: 'a.pdf', file_data: pdf },
      { type: 'input_file', file_url: 'https://example.com/a.pdf' },
      { type: 'input_file', file_id: file.id },
    ];
    const input: OpenAI.Responses.ResponseInputItem[] = [
      { role: 'user', content: parts },
      { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: parts },
    ];
    const response = await sim.openai.responses.create({ model: 'gpt-6-luna', input, tools: [look] });
    // Six files of 2,000 tokens.
    expect(response.usage?.input_tokens).toBeGreaterThan(12_000);
    const chat = await sim.openai.chat.completions.create({
      model: 'gpt-4o',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'file', file: { filename: 'a.pdf', file_data: pdf } },
            { type: 'file', file: { file_id: file.id } },
          ],
        },
      ],
    });
    expect(chat.usage?.prompt_tokens).toBe(4_000);
    const other = new OpenAI({ apiKey: 'sk-other', baseURL: `${sim.url}/v1`, maxRetries: 0 });
    await expect(other.responses.create({ model: 'gpt-6-luna', input })).rejects.toThrow(
      /No such File object/,
    );
  });
});

describe('tools', () => {
  test('a custom tool with a grammar, in Responses and in Chat', async () => {
    const grammar = { syntax: 'regex' as const, definition: 'ls.*' };
    const response = await sim.openai.responses.create({
      model: 'gpt-6-luna',
      input: 'run ls',
      tools: [{ type: 'custom', name: 'run_shell', format: { type: 'grammar', ...grammar } }],
    });
    expect(response.output.at(-1)).toMatchObject({ type: 'custom_tool_call', input: 'run ls' });
    const chat = await sim.openai.chat.completions.create({
      model: 'gpt-5.2',
      messages: [{ role: 'user', content: 'run ls' }],
      tools: [{ type: 'custom', custom: { name: 'run_shell', format: { type: 'grammar', grammar } } }],
    });
    expect(chat.choices[0]?.message.tool_calls).toMatchObject([{ custom: { name: 'run_shell' } }]);
  });

  test('only allowed ones are called, and those an item adds are offered too', async () => {
    const read: OpenAI.Responses.FunctionTool = { ...look, name: 'read' };
    const choose = async (name: string) => {
      const response = await sim.openai.responses.create({
        model: 'gpt-6-luna',
        input: 'Look and read',
        tools: [look, read],
        tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name }] },
      });
      return response.output.at(-1);
    };
    expect(await choose('read')).toMatchObject({ name: 'read' });
    expect(await choose('look')).toMatchObject({ name: 'look' });
    const added = await sim.openai.responses.create({
      model: 'gpt-6-luna',
      input: [{ type: 'additional_tools', role: 'developer', tools: [read] }, asked('Read it')],
    });
    expect(added.output.at(-1)).toMatchObject({ type: 'function_call', name: 'read' });
  });

  test("a hosted tool's call, when scripted, is streamed with its events and goes back as it is", async () => {
    const item = {
      type: 'web_search_call',
      id: 'ws_1',
      status: 'completed',
      action: { type: 'search', query: 'x' },
    };
    const annotation = { type: 'url_citation', url: 'https://a', title: 'A', start_index: 0, end_index: 4 };
    const answer = {
      parts: [
        { type: 'thinking' },
        { type: 'block', block: item },
        { type: 'text', text: 'Rome won.', citations: [annotation] },
      ],
    };
    await sim.script({ answer, times: 2 });
    const params = {
      model: 'gpt-6.2-sol',
      store: false,
      include: ['reasoning.encrypted_content' as const],
      tools: [{ type: 'web_search' as const }],
    };
    const stream = sim.openai.responses.stream({ ...params, input: 'Who won?' });
    const types: string[] = [];
    stream.on('event', (event) => types.push(event.type));
    const response = await stream.finalResponse();
    expect(types).toEqual(
      expect.arrayContaining([
        'response.web_search_call.searching',
        'response.web_search_call.completed',
        'response.output_text.annotation.added',
      ]),
    );
    expect(response.output).toMatchObject([
      { type: 'reasoning' },
      item,
      { content: [{ annotations: [annotation] }] },
    ]);
    const whole = await sim.openai.responses.create({ ...params, input: 'Who won?' });
    const input = [asked('Who won?'), ...whole.output, asked('And then?')];
    // Output items go back as input as they are; the SDK types the two apart, and adds `parsed` to what it streamed.
    const next = await sim.openai.responses.create({
      ...params,
      input: input as OpenAI.Responses.ResponseInput,
    });
    expect(next.status).toBe('completed');
  });
});

describe('settings', () => {
  test('an item changes the effort and keeps the prefix', async () => {
    const first = asked('x'.repeat(8_000));
    const model = 'gpt-6-sol';
    const create = (input: OpenAI.Responses.ResponseInput, more: object = {}) =>
      sim.openai.responses.create({ model, input, ...more });
    await create([first]);
    const update = { type: 'configuration_update' as const, reasoning: { effort: 'max' as const } };
    const next = [first, { role: 'assistant' as const, content: 'Yes' }];
    const updated = await create([...next, update, asked('More')]);
    expect(updated.usage).toMatchObject({
      input_tokens_details: { cached_tokens: 2_000 },
      output_tokens_details: { reasoning_tokens: 256 },
    });
    const changed = await create([...next, asked('More')], { reasoning: { effort: 'max' } });
    expect(changed.usage?.input_tokens_details.cached_tokens).toBe(0);
  });

  test('a prewarm fills the cache and says nothing; a comparison says what was lost', async () => {
    const params = { model: 'gpt-6-sol', input: 'x'.repeat(8_000) };
    const warm = await sim.openai.responses.create({ ...params, prompt_cache_options: { prewarm: true } });
    expect(warm).toMatchObject({ status: 'completed', output: [], usage: { output_tokens: 0 } });
    const compare = async (more: object = {}, comparison_response_id = warm.id) => {
      const prompt_cache_options = { comparison_response_id };
      const response = await sim.openai.responses.create({ ...params, prompt_cache_options, ...more });
      return response.prompt_cache_diagnostics;
    };
    expect(await compare()).toEqual({ type: 'cache_hit' });
    expect(await compare({ tools: [look] })).toMatchObject({ type: 'cache_miss', reason: 'tools_changed' });
    expect(await compare({ model: 'gpt-6-luna' })).toMatchObject({ reason: 'model_changed' });
    expect(await compare({ input: 'y' })).toMatchObject({ reason: 'input_changed' });
    expect(await compare({}, 'resp_x')).toEqual({ type: 'comparison_response_not_found' });
  });

  test('an answer in the background is fetched by its id', async () => {
    const queued = await sim.openai.responses.create({ model: 'gpt-6-luna', input: 'Hi', background: true });
    expect(queued).toMatchObject({ status: 'queued', output: [] });
    expect(await sim.openai.responses.retrieve(queued.id)).toMatchObject({
      status: 'completed',
      background: true,
    });
    const body = { model: 'gpt-6-luna', input: 'Hi', background: true, stream: true };
    const events = await eventsOf(await sim.post('/v1/responses', body));
    expect(events.slice(0, 3).map(([name]) => name)).toEqual([
      'response.created',
      'response.queued',
      'response.in_progress',
    ]);
  });

  test('a conversation remembers for whoever holds the key (traps T56)', async () => {
    const { id } = await sim.openai.conversations.create();
    await sim.openai.responses.create({ model: 'gpt-6-luna', input: 'My secret', conversation: id });
    const next = await sim.openai.responses.create({
      model: 'gpt-6-luna',
      input: 'What?',
      conversation: { id },
    });
    expect(next.conversation?.id).toBe(id);
    const alone = await sim.openai.responses.create({ model: 'gpt-6-luna', input: 'What?' });
    expect(next.usage?.input_tokens).toBeGreaterThan(alone.usage?.input_tokens ?? 0);
    const unknown = { model: 'gpt-6-luna', input: 'What?' };
    await expect(sim.openai.responses.create({ ...unknown, conversation: 'conv_x' })).rejects.toThrow(
      /not found/,
    );
    await expect(sim.openai.responses.create({ ...unknown, prompt: { id: 'pmpt_x' } })).rejects.toThrow(
      /not found/,
    );
    const tools = [{ type: 'file_search' as const, vector_store_ids: ['vs_x'] }];
    await expect(sim.openai.responses.create({ ...unknown, tools })).rejects.toThrow(/'vs_x' not found/);
  });

  test('tiers and log probabilities are answered as asked', async () => {
    const create = (body: object) =>
      sim.openai.responses.create({ model: 'gpt-6.2-sol', input: 'Hi', stream: false, ...body });
    expect((await create({ service_tier: 'flex' })).service_tier).toBe('flex');
    expect((await create({ service_tier: 'fast' })).service_tier).toBe('priority');
    expect((await create({ service_tier: 'ultrafast' })).service_tier).toBe('ultrafast');
    const { output } = await create({
      model: 'gpt-4.1',
      include: ['message.output_text.logprobs'],
      top_logprobs: 2,
    });
    const [message] = output;
    const [part] = message?.type === 'message' ? message.content : [];
    expect(part?.type === 'output_text' && part.logprobs?.[1]).toMatchObject({
      token: ' is',
      top_logprobs: [{}, {}],
    });
  });
});
