import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod';
import type { FunctionTool, Response, ResponseInputItem } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { eventViolations, hasDescription, violations } from './conformance.ts';
import { metadataOf } from './frames.ts';
import { type Gateway, START_LIMIT, startGateway, temporaryFolder } from './gateway.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const QUESTION = 'What is the capital of France?';
const weather: FunctionTool = {
  type: 'function',
  name: 'get_weather',
  description: 'Weather of a city',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
};
const clock: FunctionTool = {
  type: 'function',
  name: 'get_time',
  description: 'Clock',
  parameters: { type: 'object', properties: {} },
  strict: false,
};

const said = (text: string) => ({ text, calls: [] });

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of stream) all.push(one);
  return all;
}

/** The default tiers of each, and a customer besides who must see nothing of the first one's. */
const DEPLOYMENTS = [
  {
    of: 'Claude',
    easy: 'claude-haiku-5-5',
    other: 'gpt-6.2-sol',
    hard: ['anthropic/claude-opus-5-5', 'openai/gpt-6.2-sol'],
  },
  {
    of: 'GPT',
    easy: 'gpt-6-luna',
    other: 'claude-opus-5-5',
    hard: ['openai/gpt-6.2-sol', 'anthropic/claude-opus-5-5'],
  },
] as const;

describe.each(DEPLOYMENTS)('the OpenAI client, Responses, on $of', ({ of, easy, other, hard }) => {
  let gateway: Gateway;
  const isRelay = of === 'GPT';

  beforeAll(async () => {
    gateway = await startGateway(folder.path, {
      FLUX_TIERS: JSON.stringify({ easy: [easy], medium: [easy], hard }),
      FLUX_API_KEYS: 'flx_acme_journey_key:acme:infer+read+admin,flx_globex_journey_key:globex',
    });
  }, START_LIMIT);
  afterAll(() => gateway?.stop());

  const lastSent = async () => (await gateway.sent()).at(-1);
  const lastSeen = async () => {
    const seen = await gateway.seen.at(-1);
    if (!seen) throw new Error('nothing was asked');
    return seen;
  };
  /** Holds a body, or every event of a translated stream, against OpenAI's description. */
  const conforms = async () => {
    if (!hasDescription) return;
    const { body, frames } = await lastSeen();
    if (body) expect(violations('Response', body)).toEqual([]);
    // A relayed stream is the provider's own.
    for (const frame of isRelay ? [] : frames) {
      expect(eventViolations(frame as { type: string }), JSON.stringify(frame).slice(0, 300)).toEqual([]);
    }
  };

  test('a question is answered, and told what it cost', async () => {
    const answer = await gateway.openai.responses.create({
      model: 'auto',
      instructions: 'Be brief.',
      input: QUESTION,
      metadata: { team: 'search' },
    });
    expect(answer).toMatchObject({
      object: 'response',
      status: 'completed',
      model: easy,
      error: null,
      instructions: 'Be brief.',
      metadata: { team: 'search' },
      store: true,
      previous_response_id: null,
    });
    expect(answer.id).toMatch(/^resp_/);
    expect(answer.output_text).toContain(QUESTION);
    expect(answer.usage?.total_tokens).toBe(
      (answer.usage?.input_tokens ?? 0) + (answer.usage?.output_tokens ?? 0),
    );
    expect(metadataOf(answer)).toMatchObject({ model_selected: easy, simulated: true, adapted: [] });
    await conforms();
    if (isRelay) expect((await lastSent())?.body).toMatchObject({ store: false });
  });

  test('a stream has every event in order, numbered from 0; metadata rides on the last', async () => {
    const stream = gateway.openai.responses.stream({ model: 'auto', input: QUESTION });
    const types: string[] = [];
    for await (const event of stream) {
      expect(event.sequence_number).toBe(types.length);
      types.push(event.type);
    }
    const final = await stream.finalResponse();
    expect(final.output_text).toContain(QUESTION);
    expect(types.slice(0, 2)).toEqual(['response.created', 'response.in_progress']);
    expect(types.at(-1)).toBe('response.completed');
    const message = types.filter((type) => /content_part|output_text/.test(type));
    expect([message[0], message[1], ...message.slice(-2)]).toEqual([
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
    ]);
    const { frames } = await lastSeen();
    const bearing = frames.filter((frame) => JSON.stringify(frame).includes('"fluxcompute"'));
    expect(bearing).toEqual([frames.at(-1)]);
    expect(bearing[0]).toMatchObject({ response: { fluxcompute: { model_selected: easy } } });
    await conforms();
  });

  test('tools in parallel: the calls and their results go round, streamed and not', async () => {
    await gateway.script(
      {
        answer: {
          text: 'Let me look.',
          calls: [
            { name: 'get_weather', arguments: { city: 'Rome' } },
            { name: 'get_time', arguments: {} },
          ],
        },
      },
      { answer: said('Sunny at noon.') },
    );
    const input: ResponseInputItem[] = [{ role: 'user', content: 'Weather and time in Rome?' }];
    const stream = await gateway.openai.responses.create({
      model: 'auto',
      input,
      tools: [weather, clock],
      stream: true,
    });
    const last = (await collect(stream)).at(-1);
    if (last?.type !== 'response.completed') throw new Error(`it ended with ${last?.type}`);
    const first = last.response;
    await conforms();
    const calls = first.output.filter((item) => item.type === 'function_call');
    expect(calls.map(({ name, arguments: text }) => [name, JSON.parse(text)])).toEqual([
      ['get_weather', { city: 'Rome' }],
      ['get_time', {}],
    ]);
    const second = await gateway.openai.responses.create({
      model: 'auto',
      input: [
        ...input,
        ...(first.output as ResponseInputItem[]),
        ...calls.map((call) => ({
          type: 'function_call_output' as const,
          call_id: call.call_id,
          output: call.name === 'get_time' ? '12:00' : 'sunny',
        })),
      ],
      tools: [weather, clock],
    });
    expect(second.output_text).toBe('Sunny at noon.');
    await conforms();
  });

  test('structured output parses', async () => {
    const shape = z.object({ city: z.string(), people: z.number() });
    const answer = await gateway.openai.responses.parse({
      model: 'auto',
      input: 'Give me a city.',
      text: { format: zodTextFormat(shape, 'city') },
    });
    expect(shape.parse(answer.output_parsed)).toBeTruthy();
    await conforms();
    const stream = gateway.openai.responses.stream({
      model: 'auto',
      input: 'Give me a city.',
      text: { format: zodTextFormat(shape, 'city') },
    });
    expect(shape.parse((await stream.finalResponse()).output_parsed)).toBeTruthy();
    await conforms();
  });

  test('the arguments of a tool made of a zod schema parse', async () => {
    const call = { name: 'save_city', arguments: { city: 'Rome' } };
    await gateway.script({ answer: { text: '', calls: [call] } });
    const answer = await gateway.openai.responses.parse({
      model: 'auto',
      input: 'Save Rome.',
      tools: [zodResponsesFunction({ name: 'save_city', parameters: z.object({ city: z.string() }) })],
    });
    const made = answer.output.find((item) => item.type === 'function_call');
    expect(made?.parsed_arguments).toEqual({ city: 'Rome' });
    await conforms();
  });

  test('the tools of a namespace, and a web search beside them (as Codex offers them)', async () => {
    const input: ResponseInputItem[] = [{ role: 'user', content: 'Close the helper.' }];
    const tools = [
      {
        type: 'namespace' as const,
        name: 'agents',
        description: 'Helpers.',
        tools: [{ ...weather, name: 'close', strict: false }],
      },
      { type: 'web_search' as const },
    ];
    // Pinned: left to itself the step goes to who can search.
    const request = { model: easy, tools };
    const name = isRelay ? 'close' : 'agents__close';
    const answer = { text: '', calls: [{ name, arguments: { city: 'Rome' } }] };
    await gateway.script({ answer }, { answer }, { answer: said('It is closed.') });
    for (const streamed of [true, false]) {
      const { output }: Pick<Response, 'output'> = streamed
        ? await gateway.openai.responses.stream({ ...request, input }).finalResponse()
        : await gateway.openai.responses.create({ ...request, input });
      const call = output.find((item) => item.type === 'function_call');
      // A script's OpenAI says no namespace.
      expect([call?.name, call?.namespace]).toEqual(['close', isRelay ? undefined : 'agents']);
      await conforms();
      const call_id = call?.call_id ?? '';
      input.push(
        { type: 'function_call', call_id, name: 'close', namespace: 'agents', arguments: '{"city":"Rome"}' },
        { type: 'function_call_output', call_id, output: 'closed' },
      );
    }
    const last = await gateway.openai.responses.create({ ...request, input });
    expect(last.output_text).toBe('It is closed.');
    const left = isRelay ? [] : [{ field: 'tools.web_search', action: 'dropped' }];
    expect(metadataOf(last).adapted).toEqual(left);
    const searching = await gateway.openai.responses.create({ model: 'auto', tools, input: QUESTION });
    expect(metadataOf(searching)).toMatchObject({ provider: 'openai', adapted: [] });
  });

  test('previous_response_id goes on from a streamed or a whole answer; instructions are not inherited', async () => {
    await gateway.script(
      { answer: said('Noted: teal.') },
      { answer: said('You said teal.') },
      { answer: said('Still teal.') },
    );
    const first = await gateway.openai.responses.create({
      model: 'auto',
      instructions: 'Answer in rhyme.',
      input: 'My colour is teal.',
    });
    const stream = gateway.openai.responses.stream({
      model: 'auto',
      previous_response_id: first.id,
      input: 'Which colour?',
    });
    const second = await stream.finalResponse();
    expect(second).toMatchObject({ output_text: 'You said teal.', previous_response_id: first.id });
    await conforms();
    const third = await gateway.openai.responses.create({
      model: 'auto',
      previous_response_id: second.id,
      input: [{ role: 'user', content: 'And now?' }],
    });
    expect(third.output_text).toBe('Still teal.');
    await conforms();
    const sent = JSON.stringify((await lastSent())?.body);
    for (const said of ['My colour is teal.', 'Noted: teal.', 'Which colour?', 'You said teal.', 'And now?'])
      expect(sent).toContain(said);
    expect(sent).not.toContain('rhyme');
    expect(sent).not.toContain('previous_response_id');
  });

  test('a conversation goes on with a model of another provider, and comes back', async () => {
    await gateway.script(
      ...['Noted: teal.', 'You said teal.', 'Still teal.'].map((text) => ({ answer: said(text) })),
    );
    const { responses } = gateway.openai;
    const first = await responses.create({ model: 'auto', input: 'My colour is teal.' });
    const second = await responses.create({
      model: other,
      previous_response_id: first.id,
      input: 'Which colour?',
    });
    expect(metadataOf(second).model_selected).toBe(other);
    const third = await responses.create({ model: easy, previous_response_id: second.id, input: 'And now?' });
    expect(third.output_text).toBe('Still teal.');
    expect(JSON.stringify((await lastSent())?.body)).toMatch(/is teal.*Noted.*Which.*You said.*And now/s);
  });

  test.skipIf(!isRelay)('traps T18: reasoning that another account sealed is left out once', async () => {
    const answer = await gateway.openai.responses.create({
      model: 'auto',
      input: [
        { role: 'user', content: 'Hi' },
        { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'sealed elsewhere' },
        { role: 'assistant', content: 'Hello.' },
        { role: 'user', content: QUESTION },
      ],
    });
    expect(answer.output_text).toContain(QUESTION);
    expect(metadataOf(answer)).toMatchObject({
      adapted: [{ field: 'input.reasoning', action: 'dropped' }],
      escalations: [],
    });
    expect((await gateway.sent()).slice(-2).map(({ status }) => status)).toEqual([400, 200]);
  });

  test('an item that an earlier answer holds may be referred to (as the AI SDK does)', async () => {
    await gateway.script(
      { answer: { text: '', calls: [{ name: 'get_time', arguments: {} }] } },
      { answer: said('It is noon.') },
    );
    const asked = { role: 'user' as const, content: 'What time is it?' };
    const first = await gateway.openai.responses.create({ model: 'auto', input: [asked], tools: [clock] });
    const call = first.output.find((item) => item.type === 'function_call');
    if (!call) throw new Error('no call');
    const second = await gateway.openai.responses.create({
      model: 'auto',
      input: [
        asked,
        ...first.output.map(({ id }) => ({ type: 'item_reference' as const, id: id ?? '' })),
        { type: 'function_call_output', call_id: call.call_id, output: '12:00' },
      ],
      tools: [clock],
    });
    expect(second.output_text).toBe('It is noon.');
  });

  test('traps T56: another customer finds neither the answer nor its items', async () => {
    const mine = await gateway.openai.responses.create({ model: 'auto', input: 'Secret plans.' });
    const other = gateway.openai.withOptions({ apiKey: 'flx_globex_journey_key' });
    for (const id of [mine.id, 'resp_unknown']) {
      await expect(
        other.responses.create({ model: 'auto', previous_response_id: id, input: 'Go on.' }),
      ).rejects.toMatchObject({
        status: 404,
        code: 'previous_response_not_found',
        param: 'previous_response_id',
        type: 'invalid_request_error',
      });
    }
    const [item] = mine.output;
    await expect(
      other.responses.create({
        model: 'auto',
        input: [
          { type: 'item_reference', id: item?.id ?? '' },
          { role: 'user', content: 'Go on.' },
        ],
      }),
    ).rejects.toMatchObject({ status: 400, code: 'stored_object' });
  });

  test('nothing is kept with store: false or X-FluxCompute-No-Store', async () => {
    const kept = [
      await gateway.openai.responses.create({ model: 'auto', input: QUESTION, store: false }),
      await gateway.openai.responses.create(
        { model: 'auto', input: QUESTION },
        { headers: { 'x-fluxcompute-no-store': '1' } },
      ),
    ];
    for (const { id, store } of kept as { id: string; store?: boolean }[]) {
      expect(store).toBe(false);
      await expect(
        gateway.openai.responses.create({ model: 'auto', previous_response_id: id, input: 'Go on.' }),
      ).rejects.toMatchObject({ status: 404, code: 'previous_response_not_found' });
    }
  });

  test('an answer that is cut says so', async () => {
    await gateway.script({ answer: { ...said('One two'), stop: 'length' } });
    const answer = await gateway.openai.responses.create({ model: 'auto', input: 'Count.' });
    expect(answer).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    });
    await conforms();
  });

  test('traps T30: a stream that breaks ends with response.failed, metadata on it', async () => {
    await gateway.script({ fault: { kind: 'cut', after_events: 14 }, delay: { first_ms: 0, between_ms: 5 } });
    const stream = await gateway.openai.responses.create({ model: 'auto', input: QUESTION, stream: true });
    const events = await collect(stream);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
    expect(events.at(-1)).toMatchObject({
      type: 'response.failed',
      response: {
        status: 'failed',
        error: { code: 'server_error' },
        fluxcompute: { model_selected: easy },
      },
    });
    await conforms();
    await gateway.script();
  });

  test.skipIf(!hasDescription)("every request upstream is as OpenAI's description says", async () => {
    const bodies = (await gateway.sent()).filter(({ path }) => path === '/v1/responses');
    for (const { body } of bodies) expect(violations('CreateResponse', body)).toEqual([]);
    if (isRelay) expect(bodies.length).toBeGreaterThan(10);
  });

  test('errors have the shape of the API, and name the field', async () => {
    for (const [body, param] of [
      [{ model: 'auto' }, 'input'],
      [{ model: 'auto', input: [{ role: 'robot', content: 'x' }] }, 'input[0].role'],
      [{ model: 'auto', input: QUESTION, temperature: 3 }, 'temperature'],
      [
        {
          model: 'auto',
          input: [
            { role: 'user', content: 'x' },
            { type: 'function_call_output', call_id: 'call_9', output: '' },
          ],
        },
        'input[1].call_id',
      ],
    ] as const) {
      // Bodies that the client's types refuse.
      await expect(gateway.openai.responses.create(body as never)).rejects.toMatchObject({
        status: 400,
        param,
      });
    }
  });
});
