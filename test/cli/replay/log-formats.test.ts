import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type LogEntry,
  type LoggedRequest,
  type LoggedTrace,
  UnreadableRecord,
} from '../../../src/cli/replay/log-entry.ts';
import { readLogEntry } from '../../../src/cli/replay/log-formats.ts';

const read = (record: unknown): LogEntry => readLogEntry(JSON.stringify(record));
const request = (record: unknown): LoggedRequest => {
  const entry = read(record);
  if (entry.kind !== 'request') throw new Error(`read as ${entry.kind}`);
  return entry;
};
const trace = (record: unknown): LoggedTrace => {
  const entry = read(record);
  if (entry.kind !== 'trace') throw new Error(`read as ${entry.kind}`);
  return entry;
};
const roles = ({ conversation }: { conversation: LoggedTrace['conversation'] }) =>
  conversation.messages.map(({ role, content }) => [role, ...content.map(({ type }) => type)]);

const ASK = [{ role: 'user', content: 'Where is order 7?' }];
const TOOL = { type: 'function', function: { name: 'order', parameters: { type: 'object' } } };
/** One round of two parallel calls, as each API writes it. */
const CHAT_ROUND = [
  ...ASK,
  {
    role: 'assistant',
    content: null,
    tool_calls: ['a', 'b'].map((id) => ({
      ...{ id, type: 'function' },
      function: { name: 'order', arguments: '{"n":7}' },
    })),
  },
  { role: 'tool', tool_call_id: 'a', content: 'sent' },
  { role: 'tool', tool_call_id: 'b', content: [{ type: 'text', text: 'sent' }] },
  { role: 'assistant', content: 'It was sent.' },
];
const MESSAGES_ROUND = [
  ...ASK,
  {
    role: 'assistant',
    content: [
      { type: 'thinking', thinking: 'hm', signature: 's' },
      ...['a', 'b'].map((id) => ({ type: 'tool_use', id, name: 'order', input: { n: 7 } })),
    ],
  },
  {
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 'a', content: 'sent' },
      { type: 'tool_result', tool_use_id: 'b', content: [{ type: 'text', text: 'sent' }], is_error: true },
    ],
  },
  { role: 'assistant', content: [{ type: 'text', text: 'It was sent.' }] },
];
const RESPONSES_ROUND = [
  { role: 'user', content: [{ type: 'input_text', text: 'Where is order 7?' }] },
  { type: 'reasoning', summary: [] },
  { type: 'function_call', call_id: 'a', name: 'order', arguments: '{"n":7}' },
  { type: 'function_call', call_id: 'b', name: 'order', arguments: '{"n":7}' },
  { type: 'function_call_output', call_id: 'a', output: 'sent' },
  { type: 'function_call_output', call_id: 'b', output: 'sent' },
  { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'It was sent.' }] },
];
const ROUND = [
  ['user', 'text'],
  ['assistant', 'tool_call', 'tool_call'],
  ['tool', 'tool_result', 'tool_result'],
  ['assistant', 'text'],
];

describe('traces', () => {
  it.each([
    ['OpenAI', { messages: CHAT_ROUND }],
    ['Anthropic', { messages: MESSAGES_ROUND }],
    ['Responses items', { messages: RESPONSES_ROUND }],
  ])('in the format of %s read alike', (_name, record) => {
    const entry = trace({ id: 1, ...record });
    expect([entry.id, roles(entry)]).toEqual(['1', ROUND]);
  });

  it('keep the times of messages where results share one and the system stands apart', () => {
    const at = ['2026-11-01T10:00:00Z', 1793527201, null, '2026-11-01T10:00:03Z', '2026-11-01T10:00:04Z'];
    const entry = trace({ id: 'a', system: 'Be brief.', messages: CHAT_ROUND, at });
    const ten = Date.parse('2026-11-01T10:00:00Z');
    expect(entry.at).toEqual([null, ten, 1793527201000, ten + 3_000, ten + 4_000]);
  });

  it('take one usage for each answer', () => {
    const usage = [1, 2].map((n) => ({ prompt_tokens: 10, completion_tokens: n }));
    const { bills } = trace({ messages: CHAT_ROUND, model: 'gpt-6-luna', usage });
    expect(bills.map((bill) => [bill.model, bill.usage?.fresh, bill.usage?.output])).toEqual([
      ['gpt-6-luna', 10, 1],
      ['gpt-6-luna', 10, 2],
    ]);
  });
});

describe('requests with their answers', () => {
  it('of Chat Completions', () => {
    const entry = request({
      id: 'r1',
      at: '2026-11-01T10:00:00Z',
      request: { model: 'gpt-6-luna', messages: ASK, tools: [TOOL], tool_choice: 'required', max_tokens: 3 },
      response: {
        choices: [{ message: { role: 'assistant', content: 'Sent.' } }],
        usage: { prompt_tokens: 100, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 60 } },
      },
    });
    expect(entry.conversation).toMatchObject({
      tools: [{ name: 'order', parameters: { type: 'object' } }],
      toolChoice: { type: 'required' },
      output: { maxTokens: 3 },
    });
    expect(entry.answer).toEqual({ role: 'assistant', content: [{ type: 'text', text: 'Sent.' }] });
    expect(entry.bill).toMatchObject({ provider: 'openai', usage: { fresh: 40, read: 60, output: 5 } });
    expect(entry.at).toBe(Date.parse('2026-11-01T10:00:00Z'));
  });

  it('of Messages', () => {
    const entry = request({
      body: {
        model: 'claude-haiku-5-5',
        system: [{ type: 'text', text: 'Be brief.' }],
        messages: ASK,
        max_tokens: 9,
      },
      response: {
        ...{ type: 'message', role: 'assistant', model: 'claude-haiku-5-5-20261007' },
        content: [{ type: 'tool_use', id: 'a', name: 'order', input: {} }],
        usage: {
          input_tokens: 10,
          cache_read_input_tokens: 60,
          cache_creation_input_tokens: 30,
          output_tokens: 5,
        },
      },
      timestamp: 1793527200,
    });
    expect(roles(entry)).toEqual([
      ['system', 'text'],
      ['user', 'text'],
    ]);
    expect(entry.answer?.content).toMatchObject([{ type: 'tool_call', name: 'order', arguments: '{}' }]);
    expect(entry.bill).toMatchObject({
      ...{ model: 'claude-haiku-5-5-20261007', provider: 'anthropic' },
      usage: { fresh: 10, read: 60, write_5m: 30, output: 5 },
    });
    expect(entry.at).toBe(1793527200000);
  });

  it('of Responses', () => {
    const entry = request({
      input: { model: 'gpt-6-luna', instructions: 'Be brief.', input: RESPONSES_ROUND.slice(0, -1) },
      output: {
        ...{ object: 'response', model: 'gpt-6-luna' },
        output: RESPONSES_ROUND.slice(-1),
        usage: {
          input_tokens: 90,
          output_tokens: 5,
          total_tokens: 95,
          input_tokens_details: { cached_tokens: 40 },
        },
      },
    });
    expect(roles(entry)).toEqual([['system', 'text'], ...ROUND.slice(0, 3)]);
    expect(entry.answer?.content).toEqual([{ type: 'text', text: 'It was sent.' }]);
    expect(entry.bill?.usage).toMatchObject({ fresh: 50, read: 40, output: 5 });
  });

  it('with what HTTP kept around the body, or flat', () => {
    const answer = { choices: [{ message: { role: 'assistant', content: 'Sent.' } }] };
    expect(
      request({ request: { url: '/v1', body: { messages: ASK } }, response: { status: 200, body: answer } }),
    ).toEqual(request({ messages: ASK, response: answer }));
  });
});

describe('exports', () => {
  const litellm = {
    ...{
      id: 'l1',
      call_type: 'acompletion',
      status: 'success',
      startTime: 1793527200.5,
      response_cost: 0.25,
    },
    ...{ model: 'claude-haiku-5-5', custom_llm_provider: 'anthropic', messages: ASK, cache_hit: null },
    model_parameters: { tools: [TOOL] },
    response: {
      choices: [{ message: { role: 'assistant', content: 'Sent.' } }],
      usage: {
        ...{ prompt_tokens: 100, completion_tokens: 5, cache_creation_input_tokens: 30 },
        prompt_tokens_details: { cached_tokens: 60 },
      },
    },
  };

  it("of LiteLLM: Claude's usage in OpenAI's words", () => {
    const entry = request(litellm);
    expect(entry.bill).toMatchObject({
      ...{ provider: 'anthropic', reported: 0.25 },
      usage: { fresh: 10, read: 60, write_5m: 30, output: 5 },
    });
    expect([entry.id, entry.at, entry.conversation.tools.length]).toEqual(['l1', 1793527200500, 1]);
  });

  it("of LiteLLM's spend log, whose columns are JSON text", () => {
    const { id, model_parameters, response_cost, ...row } = litellm;
    const entry = request({
      ...{ ...row, request_id: id, spend: 0.25, startTime: '2026-11-01 10:00:00' },
      ...{ messages: JSON.stringify(ASK), response: JSON.stringify(litellm.response) },
    });
    expect(entry).toMatchObject({
      id: 'l1',
      at: Date.parse('2026-11-01T10:00:00Z'),
      bill: { reported: 0.25 },
    });
    expect(() => read({ ...row, messages: {}, response: {} })).toThrow('store_prompts_in_spend_logs');
  });

  it.each([
    ['a failure', { status: 'failure' }],
    ['an embedding', { call_type: 'aembedding' }],
    ["an answer of LiteLLM's own cache", { cache_hit: true }],
  ])('of LiteLLM pass over %s', (_name, change) => {
    expect(read({ ...litellm, ...change })).toEqual({ kind: 'other' });
  });

  const langfuse = {
    ...{ id: 'g1', trace_id: 't', type: 'GENERATION', start_time: '2026-11-01 10:00:00.500000' },
    ...{ provided_model_name: 'gpt-6-luna', total_cost: 0.5, model_parameters: '{"max_tokens":3}' },
    ...{ input: JSON.stringify(ASK), output: JSON.stringify({ role: 'assistant', content: 'Sent.' }) },
    usage_details: { input: 40, input_cached_tokens: 60, output: 5, total: 105 },
    tool_definitions: { order: '{"description":"Finds one","parameters":{"type":"object"}}' },
  };

  it('of Langfuse to blob storage, and by its API', () => {
    const entry = request(langfuse);
    expect(entry.conversation).toMatchObject({
      ...{ tools: [{ name: 'order', description: 'Finds one' }], output: { maxTokens: 3 } },
    });
    expect(entry.bill).toMatchObject({ reported: 0.5, usage: { fresh: 40, read: 60, output: 5 } });
    expect(entry.at).toBe(Date.parse('2026-11-01T10:00:00.500Z'));
    const { input: _, output: __, ...rest } = langfuse;
    const api = request({
      ...{ ...rest, start_time: undefined, startTime: '2026-11-01T10:00:00.500Z' },
      ...{ input: { messages: ASK, tools: [TOOL] }, output: 'Sent.' },
    });
    expect([api.at, api.answer, api.conversation.tools.length]).toEqual([entry.at, entry.answer, 1]);
  });

  it('of Langfuse pass over spans', () => {
    expect(read({ ...langfuse, type: 'SPAN' })).toEqual({ kind: 'other' });
  });
});

it.each([
  ['{"id":', 'not JSON'],
  ['[1]', 'no JSON object'],
  ['{"hello":1}', 'neither a trace'],
  [JSON.stringify({ messages: [{ role: 'user', content: [{ type: 'input_audio' }] }] }), "'input_audio'"],
  [
    JSON.stringify({ request: { input: 'hi', previous_response_id: 'r' }, response: { output: [] } }),
    'stored at the provider',
  ],
  [JSON.stringify({ messages: [{ role: 'SECRET words', content: 'x' }] }), 'a role that is not known'],
])('says why it cannot read %s, and quotes nothing', (text, why) => {
  expect(() => readLogEntry(text)).toThrow(why);
  expect(() => readLogEntry(text)).not.toThrow('SECRET');
});

it('reads any JSON object, or says why not', () => {
  const names = [
    'id',
    'messages',
    'request',
    'response',
    'input',
    'output',
    'content',
    'role',
    'type',
    'tools',
  ].concat(
    ...[
      ['tool_calls', 'function', 'arguments', 'usage', 'call_type', 'startTime', 'trace_id', 'at', 'choices'],
    ],
    ...[
      [
        'message',
        'model',
        'system',
        'usage_details',
        'prompt_tokens',
        'output_tokens',
        'image_url',
        'source',
      ],
    ],
  );
  const words = fc.constantFrom(
    'user',
    'assistant',
    'tool',
    'text',
    'image',
    'GENERATION',
    'completion',
    'tool_use',
  );
  const { record } = fc.letrec<{ record: Record<string, unknown>; value: unknown }>((tie) => ({
    record: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 8 }),
    value: fc.oneof(
      { depthSize: 'medium' },
      ...[words, fc.integer(), fc.constant(null), fc.boolean()],
      ...[fc.array(tie('value'), { maxLength: 4 }), tie('record')],
    ),
  }));
  fc.assert(
    fc.property(record, (value) => {
      try {
        read(value);
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableRecord);
      }
    }),
    { numRuns: 2_000 },
  );
});
