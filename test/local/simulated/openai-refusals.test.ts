import { describe, expect, test } from 'vitest';
import { answerOf, simulated, textOf } from './running.ts';

const sim = simulated();

type Fields = Record<string, unknown>;
type Row = [rule: string, fields: Fields, message: string | RegExp, code: string | null];

const user = { role: 'user', content: 'Hello there' };
const closed = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
};
const open = { type: 'object', properties: { a: { type: 'string' } } };
const fn = (name: string, more: Fields = {}) => ({ type: 'function', function: { name, ...more } });
const calls = (...ids: string[]) => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => ({ id, type: 'function', function: { name: 'look', arguments: '{}' } })),
});
const result = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'seen' });
const breakpoint = { prompt_cache_breakpoint: { mode: 'explicit' } };

const chatRows: Row[] = [
  ['unknown top-level field', { foo: 1 }, 'Unrecognized request argument supplied: foo', null],
  [
    'unknown nested field',
    { messages: [{ ...user, foo: 1 }] },
    "Unknown parameter: 'messages[0].foo'.",
    'unknown_parameter',
  ],
  [
    'missing messages',
    { messages: undefined },
    "Missing required parameter: 'messages'.",
    'missing_required_parameter',
  ],
  [
    'no messages',
    { messages: [] },
    "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    'empty_array',
  ],
  [
    'wrong type',
    { messages: [{ role: 'user', content: 5 }] },
    "Invalid type for 'messages[0].content': expected a string or an array, but got an integer instead.",
    'invalid_type',
  ],
  [
    'unknown role',
    { messages: [{ role: 'robot', content: 'hi' }] },
    /^Invalid value: 'robot'\./,
    'invalid_value',
  ],
  [
    'image from the assistant',
    { messages: [user, { role: 'assistant', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
    /^Invalid value: 'image_url'/,
    'invalid_value',
  ],
  [
    'image in a tool result',
    {
      messages: [
        user,
        calls('a'),
        { ...result('a'), content: [{ type: 'image_url', image_url: { url: 'x' } }] },
      ],
    },
    /image_url/,
    'invalid_value',
  ],
  [
    'assistant without anything',
    { messages: [user, { role: 'assistant', content: null }, user] },
    "Invalid value for 'content': expected a string, got null.",
    null,
  ],
  [
    'calls without results',
    { messages: [user, calls('a', 'b'), result('a')] },
    /^An assistant message with 'tool_calls' must be followed by tool messages.*did not have response messages: b$/,
    null,
  ],
  [
    'result without call',
    { messages: [user, result('a')] },
    /messages with role 'tool' must be a response to a preceeding message with 'tool_calls'/,
    null,
  ],
  [
    'traps T19: call id of 41 characters',
    { messages: [user, calls('c'.repeat(41)), result('a')] },
    /^Invalid 'messages\[1\]\.tool_calls\[0\]\.id': string too long\. Expected a string with maximum length 40, but got a string with length 41/,
    'string_above_max_length',
  ],
  [
    'tool name with a dot',
    { tools: [fn('look.up')] },
    /^Invalid 'tools\[0\]\.function\.name': string does not match pattern/,
    'invalid_value',
  ],
  [
    'tool name of 65 characters',
    { tools: [fn('x'.repeat(65))] },
    /maximum length 64/,
    'string_above_max_length',
  ],
  [
    '129 tools',
    { tools: Array.from({ length: 129 }, (_, n) => fn(`t${n}`)) },
    /^Invalid 'tools': array too long\. Expected an array with maximum length 128/,
    'array_above_max_length',
  ],
  ['empty tools', { tools: [] }, /^Invalid 'tools': empty array/, 'empty_array'],
  [
    'tool_choice without tools',
    { tool_choice: 'auto' },
    /'tool_choice' is only allowed when 'tools' are specified/,
    null,
  ],
  [
    'parallel_tool_calls without tools',
    { parallel_tool_calls: false },
    /'parallel_tool_calls' is only allowed/,
    null,
  ],
  [
    'tool_choice of no tool',
    { tools: [fn('look')], tool_choice: { type: 'function', function: { name: 'touch' } } },
    /'touch' not found in 'tools'/,
    null,
  ],
  [
    'parameters that are no object',
    { tools: [fn('look', { parameters: { type: 'string' } })] },
    /schema must be a JSON Schema of 'type: "object"', got 'type: "string"'/,
    'invalid_function_parameters',
  ],
  [
    'strict without additionalProperties',
    { tools: [fn('look', { strict: true, parameters: open })] },
    /In context=\(\), 'additionalProperties' is required to be supplied and to be false/,
    'invalid_function_parameters',
  ],
  [
    'strict without required',
    {
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'x', strict: true, schema: { ...open, additionalProperties: false } },
      },
    },
    /Missing 'a'/,
    'invalid_json_schema',
  ],
  [
    'answer schema that is no object',
    { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'array' } } } },
    /got 'type: "array"'/,
    'invalid_json_schema',
  ],
  [
    'json_object without the word',
    { response_format: { type: 'json_object' } },
    /must contain the word 'json'/,
    null,
  ],
  [
    'stream_options without stream',
    { stream_options: { include_usage: true } },
    /only allowed when 'stream' is enabled/,
    null,
  ],
  [
    'max_tokens twice',
    { max_tokens: 5, max_completion_tokens: 5 },
    /at the same time is not supported/,
    null,
  ],
  [
    'max_tokens over the model',
    { max_tokens: 16_385 },
    /^max_tokens is too large: 16385\. This model supports at most 16384/,
    'integer_above_max_value',
  ],
  [
    'no max_tokens at all',
    { max_tokens: 0 },
    /^Invalid 'max_tokens': integer below minimum value\. Expected a value >= 1, but got 0/,
    'integer_below_min_value',
  ],
  [
    'temperature over 2',
    { temperature: 2.5 },
    /^Invalid 'temperature': decimal above maximum value|^Invalid 'temperature': integer above/,
    'decimal_above_max_value',
  ],
  ['n over 128', { n: 129 }, /Expected a value <= 128, but got 129/, 'integer_above_max_value'],
  ['five stops', { stop: ['a', 'b', 'c', 'd', 'e'] }, /maximum length 4/, 'array_above_max_length'],
  ['top_logprobs alone', { top_logprobs: 2 }, /only allowed when 'logprobs' is enabled/, null],
  [
    'long safety_identifier',
    { safety_identifier: 'x'.repeat(65) },
    /maximum length 64/,
    'string_above_max_length',
  ],
  [
    'effort on a model that does not reason',
    { reasoning_effort: 'low' },
    'Unrecognized request argument supplied: reasoning_effort',
    null,
  ],
  [
    'verbosity before GPT-5',
    { verbosity: 'low' },
    /'verbosity' is not supported with this model/,
    'unsupported_parameter',
  ],
  [
    'prediction',
    { prediction: { type: 'content', content: 'x' } },
    /'prediction' is not supported/,
    'unsupported_parameter',
  ],
  [
    'traps T55: breakpoint before 5.6',
    { messages: [{ role: 'user', content: [{ type: 'text', text: 'hi', ...breakpoint }] }] },
    "Unsupported parameter: 'messages[0].content[0].prompt_cache_breakpoint' is not supported with this model.",
    'unsupported_parameter',
  ],
  [
    'traps T55: prompt_cache_options before 5.6',
    { prompt_cache_options: { mode: 'explicit' } },
    /'prompt_cache_options' is not supported/,
    'unsupported_parameter',
  ],
  [
    'context window',
    { messages: [{ role: 'user', content: textOf('long', 512_004) }] },
    /^This model's maximum context length is 128000 tokens\. However, your messages resulted in 128001 tokens/,
    'context_length_exceeded',
  ],
  // Reasoning models
  [
    'max_tokens on a reasoning model',
    { model: 'gpt-5.1', max_tokens: 100 },
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    'unsupported_parameter',
  ],
  [
    'traps T37: temperature while reasoning',
    { model: 'gpt-6-luna', temperature: 0.2 },
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
    'unsupported_value',
  ],
  [
    'top_p while reasoning',
    { model: 'gpt-6-luna', top_p: 0.5 },
    /'top_p' is not supported/,
    'unsupported_parameter',
  ],
  [
    'logprobs while reasoning',
    { model: 'gpt-6-luna', logprobs: true },
    /'logprobs' is not supported/,
    'unsupported_parameter',
  ],
  [
    'stop on a reasoning model',
    { model: 'gpt-6-luna', stop: 'x' },
    /'stop' is not supported/,
    'unsupported_parameter',
  ],
  [
    'effort none on 6.2 Sol',
    { model: 'gpt-6.2-sol', reasoning_effort: 'none' },
    /^Unsupported value: 'reasoning_effort' does not support 'none' with this model\. Supported values are: 'low'/,
    'unsupported_value',
  ],
  [
    'minimal on GPT-5.1',
    { model: 'gpt-5.1', reasoning_effort: 'minimal' },
    /does not support 'minimal'/,
    'unsupported_value',
  ],
  [
    'traps T66: function tools without effort',
    { model: 'gpt-6-sol', tools: [fn('look')] },
    /^Function tools with reasoning_effort are not supported for gpt-6-sol in \/v1\/chat\/completions/,
    null,
  ],
  [
    'traps T66: function tools with effort low',
    { model: 'gpt-5.4', tools: [fn('look')], reasoning_effort: 'low' },
    /use \/v1\/responses or set reasoning_effort to 'none'/,
    null,
  ],
  [
    'system and developer on the o-series',
    { model: 'o3', messages: [{ role: 'system', content: 'a' }, { role: 'developer', content: 'b' }, user] },
    /cannot be used together/,
    null,
  ],
  [
    'in_memory on 5.5',
    { model: 'gpt-5.5', prompt_cache_retention: 'in_memory' },
    /Supported values are: '24h'/,
    'unsupported_value',
  ],
  [
    'ttl and retention together',
    { model: 'gpt-6-luna', prompt_cache_retention: '24h', prompt_cache_options: { ttl: '30m' } },
    /cannot be set together/,
    'invalid_value',
  ],
];

const call = (id: string, more: Fields = {}) => ({
  type: 'function_call',
  call_id: id,
  name: 'look',
  arguments: '{}',
  ...more,
});
const output = (id: string) => ({ type: 'function_call_output', call_id: id, output: 'seen' });

chatRows.push(
  ['a cache of 12 hours', { prompt_cache_options: { ttl: '12h' } }, /^Invalid value: '12h'/, 'invalid_value'],
  [
    'a custom tool of an older model',
    { tools: [{ type: 'custom', custom: { name: 'run' } }] },
    /^Invalid value: 'custom'/,
    'invalid_value',
  ],
  [
    'allowed tools that are not offered',
    {
      tools: [fn('look')],
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'touch' } }] },
      },
    },
    "Tool choice 'touch' not found in 'tools' parameter.",
    null,
  ],
  [
    'file data that is no data URL',
    { messages: [{ role: 'user', content: [{ type: 'file', file: { file_data: 'JVBERi0=' } }] }] },
    /^Invalid 'messages\[0\]\.content\[0\]\.file\.file_data'/,
    'invalid_value',
  ],
);

const responsesRows: Row[] = [
  ['unknown field', { foo: 1 }, "Unknown parameter: 'foo'.", 'unknown_parameter'],
  ['stop', { stop: ['x'] }, "Unknown parameter: 'stop'.", 'unknown_parameter'],
  ['seed', { seed: 1 }, "Unknown parameter: 'seed'.", 'unknown_parameter'],
  ['n', { n: 2 }, "Unknown parameter: 'n'.", 'unknown_parameter'],
  ['max_tokens', { max_tokens: 100 }, /has moved to 'max_output_tokens'/, 'unsupported_parameter'],
  [
    'response_format',
    { response_format: { type: 'text' } },
    /has moved to 'text\.format'/,
    'unsupported_parameter',
  ],
  ['no input', { input: undefined }, "Missing required parameter: 'input'.", 'missing_required_parameter'],
  [
    'max_output_tokens under 16',
    { max_output_tokens: 15 },
    "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 15 instead.",
    'integer_below_min_value',
  ],
  [
    'call without output',
    { input: [user, call('call_a')] },
    'No tool output found for function call call_a.',
    null,
  ],
  [
    'output without call',
    { input: [user, output('call_a')] },
    'No tool call found for function call output with call_id call_a.',
    null,
  ],
  [
    'call id of 65 characters',
    { input: [user, call('c'.repeat(65))] },
    /maximum length 64/,
    'string_above_max_length',
  ],
  ['empty call id', { input: [user, call('')] }, /too short/, 'string_below_min_length'],
  [
    'Chat tools',
    { tools: [fn('look')] },
    "Missing required parameter: 'tools[0].name'.",
    'missing_required_parameter',
  ],
  [
    'input_text of the assistant',
    { input: [user, { role: 'assistant', content: [{ type: 'input_text', text: 'x' }] }] },
    /^Invalid value: 'input_text'/,
    'invalid_value',
  ],
  [
    'output_text of the user',
    { input: [{ role: 'user', content: [{ type: 'output_text', text: 'x' }] }] },
    /^Invalid value: 'output_text'/,
    'invalid_value',
  ],
  ['unknown role', { input: [{ role: 'tool', content: 'x' }] }, /^Invalid value: 'tool'/, 'invalid_value'],
  ['unknown item', { input: [{ type: 'telepathy' }] }, /^Invalid value: 'telepathy'/, 'invalid_value'],
  [
    'reasoning without what followed',
    { input: [user, { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' }] },
    /could not be verified/,
    'invalid_encrypted_content',
  ],
  [
    'include of encrypted content on GPT-4.1',
    { model: 'gpt-4.1', include: ['reasoning.encrypted_content'] },
    'Encrypted content is not supported with this model.',
    'unsupported_parameter',
  ],
  ['tool_choice required without tools', { tool_choice: 'required' }, /must be specified with 'tools'/, null],
  [
    'strict true with an open schema',
    { tools: [{ type: 'function', name: 'look', parameters: open, strict: true }] },
    /'additionalProperties' is required/,
    'invalid_function_parameters',
  ],
  [
    'strict format with an open schema',
    { text: { format: { type: 'json_schema', name: 'x', schema: open, strict: true } } },
    /'additionalProperties' is required/,
    'invalid_json_schema',
  ],
  [
    'json_object named in instructions only',
    { instructions: 'JSON please', text: { format: { type: 'json_object' } } },
    /must contain the word 'json'/,
    null,
  ],
  [
    'temperature while reasoning',
    { temperature: 0 },
    /'temperature' does not support 0/,
    'unsupported_value',
  ],
  [
    'effort none on 6.1 Sol',
    { model: 'gpt-6.1-sol', reasoning: { effort: 'none' } },
    /'reasoning\.effort' does not support 'none'/,
    'unsupported_value',
  ],
  [
    'effort on GPT-4.1',
    { model: 'gpt-4.1', reasoning: { effort: 'low' } },
    /'reasoning\.effort' is not supported/,
    'unsupported_parameter',
  ],
  [
    'traps T55: breakpoint before 5.6',
    {
      model: 'gpt-5.4',
      input: [{ role: 'user', content: [{ type: 'input_text', text: 'hi', ...breakpoint }] }],
    },
    /input\[0\]\.content\[0\]\.prompt_cache_breakpoint/,
    'unsupported_parameter',
  ],
  [
    'unknown previous response',
    { previous_response_id: 'resp_1' },
    "Previous response with id 'resp_1' not found.",
    'previous_response_not_found',
  ],
  ['background without store', { background: true, store: false }, /requires 'store'/, 'invalid_value'],
  [
    'two histories',
    { conversation: 'conv_1', previous_response_id: 'resp_1' },
    /^Mutually exclusive parameters: 'conversation' and/,
    'mutually_exclusive_parameters',
  ],
  [
    'an update before GPT-6',
    {
      model: 'gpt-5.6',
      input: [{ type: 'configuration_update', reasoning: { effort: 'low' } }, user],
    },
    /^Invalid value: 'configuration_update'/,
    'invalid_value',
  ],
  [
    'an update to an effort there is none of',
    {
      model: 'gpt-6.2-sol',
      input: [{ type: 'configuration_update', reasoning: { effort: 'none' } }, user],
    },
    /does not support 'none'/,
    'unsupported_value',
  ],
  [
    'an id of another kind',
    {
      input: [
        user,
        { type: 'function_call', id: 'call_1', call_id: 'call_1', name: 'look', arguments: '{}' },
        { type: 'function_call_output', call_id: 'call_1', output: 'x' },
      ],
    },
    "Invalid 'input[1].id': 'call_1'. Expected an ID that begins with 'fc'.",
    'invalid_value',
  ],
  [
    'a custom tool of an older model',
    { model: 'gpt-4.1', tools: [{ type: 'custom', name: 'run' }] },
    /^Invalid value: 'custom'/,
    'invalid_value',
  ],
  [
    'a grammar of no syntax',
    {
      tools: [{ type: 'custom', name: 'run', format: { type: 'grammar', syntax: 'ebnf', definition: 'a' } }],
    },
    /^Invalid value: 'ebnf'/,
    'invalid_value',
  ],
  [
    'allowed tools that are not offered',
    {
      tools: [{ type: 'function', name: 'look' }],
      tool_choice: {
        type: 'allowed_tools',
        mode: 'auto',
        tools: [{ type: 'function', name: 'touch' }],
      },
    },
    "Tool choice 'touch' not found in 'tools' parameter.",
    null,
  ],
  [
    'a hosted tool forced and not offered',
    { tools: [{ type: 'function', name: 'look' }], tool_choice: { type: 'web_search' } },
    "Tool choice 'web_search' not found in 'tools' parameter.",
    null,
  ],
  [
    'a file without anything',
    { input: [{ role: 'user', content: [{ type: 'input_file', filename: 'a.pdf' }] }] },
    "Missing required parameter: 'input[0].content[0].file_id'.",
    'missing_required_parameter',
  ],
  [
    'a file twice',
    {
      input: [
        {
          role: 'user',
          content: [{ type: 'input_file', file_id: 'file-1', file_url: 'https://a/b.pdf' }],
        },
      ],
    },
    /^Mutually exclusive parameters: 'input\[0\]\.content\[0\]'/,
    'mutually_exclusive_parameters',
  ],
  [
    'an image that is no URL',
    { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'cat.png' }] }] },
    /^Invalid 'input\[0\]\.content\[0\]\.image_url'/,
    'invalid_value',
  ],
  [
    'ultrafast on another model',
    { service_tier: 'ultrafast' },
    /does not support 'ultrafast'/,
    'unsupported_value',
  ],
  [
    'context window',
    { model: 'gpt-5.4-mini', input: textOf('long', 272_001 * 4) },
    /^Your input exceeds the context window/,
    'context_length_exceeded',
  ],
];

describe.each<[string, string, Fields, Row[]]>([
  ['Chat Completions', '/v1/chat/completions', { model: 'gpt-4o', messages: [user] }, chatRows],
  ['Responses', '/v1/responses', { model: 'gpt-6-luna', input: 'Hello there' }, responsesRows],
])('%s refuses with a 400', (_name, path, base, rows) => {
  test.each(rows)('%s', async (_rule, fields, message, code) => {
    const response = await sim.post(path, { ...base, ...fields });
    const body = await answerOf(response);
    expect(body).toEqual({
      error: {
        message: typeof message === 'string' ? message : expect.stringMatching(message),
        type: 'invalid_request_error',
        param: body.error?.param,
        code,
      },
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    expect(response.headers.get('x-simulated-provider')).toBe('fluxcompute');
  });
});

describe('OpenAI refuses with another status', () => {
  test.each<[string, string, Fields, Record<string, string>, number, string | null, RegExp]>([
    [
      'unknown model',
      '/v1/chat/completions',
      { model: 'gpt-9' },
      {},
      404,
      'model_not_found',
      /^The model `gpt-9` does not exist or you do not have access to it\.$/,
    ],
    [
      'traps T71: retired model',
      '/v1/responses',
      { model: 'o1', input: 'x' },
      {},
      404,
      'model_not_found',
      /`o1`/,
    ],
    [
      'a pro model in Chat',
      '/v1/chat/completions',
      { model: 'gpt-5.5-pro' },
      {},
      404,
      null,
      /only supported in v1\/responses/,
    ],
    [
      'reasoning that is not stored',
      '/v1/responses',
      {
        model: 'gpt-6-luna',
        input: [user, { type: 'reasoning', id: 'rs_1', summary: [] }, { role: 'assistant', content: 'x' }],
      },
      {},
      404,
      null,
      /Items are not persisted/,
    ],
    ['no key', '/v1/responses', {}, { authorization: '' }, 401, null, /didn't provide an API key/],
    [
      'wrong key, quoted',
      '/v1/responses',
      {},
      { authorization: 'Bearer sk-invalid-key-9876' },
      401,
      'invalid_api_key',
      /^Incorrect API key provided: sk-inval\*+9876\.$/,
    ],
    ['unknown path', '/v1/nowhere', {}, {}, 404, null, /^Invalid URL \(POST \/v1\/nowhere\)$/],
  ])('%s', async (_rule, path, fields, headers, status, code, message) => {
    const response = await sim.post(
      path,
      { messages: path.includes('chat') ? [user] : undefined, ...fields },
      headers,
    );
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code, message: expect.stringMatching(message) } });
  });
});

describe('OpenAI accepts', () => {
  test.each<[string, string, Fields]>([
    [
      'function tools with explicit none',
      '/v1/chat/completions',
      { model: 'gpt-6-sol', messages: [user], tools: [fn('look')], reasoning_effort: 'none' },
    ],
    [
      'sampling with effort none',
      '/v1/chat/completions',
      { model: 'gpt-6-luna', messages: [user], temperature: 0.2, reasoning_effort: 'none' },
    ],
    ['temperature 1', '/v1/chat/completions', { model: 'gpt-6-luna', messages: [user], temperature: 1 }],
    [
      'system messages anywhere',
      '/v1/chat/completions',
      { model: 'gpt-4o', messages: [user, { role: 'system', content: 'x' }, user] },
    ],
    [
      'null for what is not set',
      '/v1/chat/completions',
      { model: 'gpt-4o', messages: [user], stop: null, temperature: null, tools: undefined },
    ],
    ['a dated snapshot', '/v1/chat/completions', { model: 'gpt-4o-2024-08-06', messages: [user] }],
    [
      'an open schema with strict left out',
      '/v1/responses',
      { model: 'gpt-6-luna', input: 'x', tools: [{ type: 'function', name: 'look', parameters: open }] },
    ],
    [
      'an output that comes later',
      '/v1/responses',
      { model: 'gpt-6-luna', input: [user, call('a'), call('b'), output('b'), output('a')] },
    ],
    [
      'what Codex sends besides',
      '/v1/responses',
      { model: 'gpt-6-luna', input: [user], client_metadata: { thread_id: 't' } },
    ],
  ])('%s', async (_what, path, body) => {
    const response = await sim.post(path, body);
    expect([response.status, await response.json()]).toEqual([
      200,
      expect.objectContaining({ id: expect.any(String) }),
    ]);
  });

  test('an omitted strict is echoed as what it became', async () => {
    const tools = [closed, open].map((parameters, n) => ({ type: 'function', name: `t${n}`, parameters }));
    const response = await sim.post('/v1/responses', { model: 'gpt-6-luna', input: 'x', tools });
    expect((await answerOf(response)).tools).toMatchObject([{ strict: true }, { strict: false }]);
  });
});
