import { describe, expect, test } from 'vitest';
import { simulated, textOf } from './running.ts';

const sim = simulated();

type Fields = Record<string, unknown>;
const ask = { role: 'user', content: 'Hello there' };
const base: Fields = { model: 'claude-opus-5-5', max_tokens: 1_000, messages: [ask] };
const tool = (name: string, more: Fields = {}) => ({ name, input_schema: { type: 'object' }, ...more });
const call = (id: string) => ({ type: 'tool_use', id, name: 'look', input: {} });
const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'seen' });
const text = (words: string, more: Fields = {}) => ({ type: 'text', text: words, ...more });
const said = (...content: unknown[]) => ({ role: 'assistant', content });
const told = (...content: unknown[]) => ({ role: 'user', content });
const mark = (ttl?: string) => ({
  cache_control: { type: 'ephemeral', ...(ttl === undefined ? {} : { ttl }) },
});
const closed = (properties: Fields, required = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});
const strictTool = (name: string, properties: Fields, required?: string[]) =>
  tool(name, { strict: true, input_schema: closed(properties, required) });
const format = (schema: unknown) => ({ output_config: { format: { type: 'json_schema', schema } } });
const cited = {
  type: 'char_location',
  cited_text: 'x',
  document_index: 0,
  document_title: null,
  start_char_index: 0,
  end_char_index: 1,
};
const OLD = { 'anthropic-version': '2023-06-01' };

const searched = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } };
const found = (content: unknown) => ({
  type: 'web_search_tool_result',
  tool_use_id: 'srvtoolu_1',
  content,
});
const removed = (name: string) => ({ type: 'tool_removal', tool: { type: 'tool_reference', name } });

/** What is sent beyond the base, and the message of the 400. */
const rows: [rule: string, fields: Fields, message: string | RegExp, headers?: Record<string, string>][] = [
  // Shape
  ['unknown top-level field', { foo: 1 }, 'foo: Extra inputs are not permitted'],
  [
    'unknown field of a block',
    { messages: [told(text('hi', { foo: 1 }))] },
    'messages.0.content.0.text.foo: Extra inputs are not permitted',
  ],
  [
    'unknown field of a tool',
    { tools: [tool('look', { foo: 1 })] },
    'tools.0.custom.foo: Extra inputs are not permitted',
  ],
  [
    'unknown field of cache_control',
    { messages: [told(text('hi', { cache_control: { type: 'ephemeral', scope: 'x' } }))] },
    'messages.0.content.0.text.cache_control.ephemeral.scope: Extra inputs are not permitted',
  ],
  ['missing max_tokens', { max_tokens: undefined }, 'max_tokens: Field required'],
  ['missing messages', { messages: undefined }, 'messages: Field required'],
  ['wrong type', { max_tokens: 'many' }, 'max_tokens: Input should be a valid number'],
  [
    'content of a wrong type',
    { messages: [{ role: 'user', content: 5 }] },
    'messages.0.content: Input should be a valid string or list',
  ],
  [
    'unknown role',
    { messages: [{ role: 'robot', content: 'hi' }] },
    "messages.0.role: Input should be 'user' or 'assistant' or 'system'",
  ],
  [
    'unknown block type',
    { messages: [told({ type: 'audio' })] },
    /^messages\.0\.content\.0\.audio\.type|^messages\.0\.content\.0.*does not match any/,
  ],
  ['no messages', { messages: [] }, 'messages: at least one message is required'],
  ['negative max_tokens', { max_tokens: -1 }, 'max_tokens: Input should be greater than or equal to 0'],
  [
    'traps T34: empty text block',
    { messages: [told(text(''))] },
    'messages: text content blocks must be non-empty',
  ],
  [
    'whitespace-only text block',
    { messages: [told(text(' \n'))] },
    'messages: text content blocks must contain non-whitespace text',
  ],
  [
    'empty user content',
    { messages: [{ role: 'user', content: '' }] },
    'messages.0: user messages must have non-empty content',
  ],
  [
    'empty assistant message inside',
    { messages: [ask, said(), ask] },
    /^messages\.1: all messages must have non-empty content/,
  ],
  [
    'empty text in a tool result',
    { messages: [ask, said(call('a')), told({ ...result('a'), content: [text('')] })] },
    'messages: text content blocks must be non-empty',
  ],
  ['empty system block', { system: [text('')] }, 'system: text content blocks must be non-empty'],
  [
    'assistant first',
    { messages: [said(text('hi')), ask] },
    'messages: first message must use the "user" role',
  ],
  [
    'a call from the user',
    { messages: [told(call('a'))] },
    'messages.0: `tool_use` blocks can only be in `assistant` messages',
  ],
  [
    'a result from the assistant',
    { messages: [ask, said(result('a')), ask] },
    'messages.1: `tool_result` blocks can only be in `user` messages',
  ],
  [
    'stop sequence of spaces',
    { stop_sequences: [' '] },
    'stop_sequences: each stop sequence must contain non-whitespace',
  ],
  [
    'image over http',
    { messages: [told({ type: 'image', source: { type: 'url', url: 'http://x/y.png' } })] },
    /Only HTTPS URLs/,
  ],
  [
    'image that is no base64',
    { messages: [told({ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'é' } })] },
    /Invalid base64 data/,
  ],
  [
    'beta field without header',
    { context_management: { edits: [] } },
    'context_management: Extra inputs are not permitted',
  ],
  [
    'block_binding without header',
    { thinking: { type: 'adaptive', block_binding: {} } },
    'thinking.adaptive.block_binding: Extra inputs are not permitted',
  ],
  [
    'output_config of a message without header',
    { messages: [ask, { role: 'system', content: 'be brief', output_config: {} }] },
    'messages.1.output_config: Extra inputs are not permitted',
  ],
  [
    'clear_at without header',
    { messages: [ask, { role: 'system', content: 'be brief', clear_at: 'never' }] },
    'messages.1.clear_at: Extra inputs are not permitted',
  ],
  [
    'not simulated, said plainly',
    { thread: { type: 'create' } },
    /simulated provider/,
    { 'anthropic-beta': 'message-threads-2026-08-12' },
  ],
  ['a strange beta', {}, /Unexpected value\(s\) `nonsense`/, { 'anthropic-beta': 'nonsense' }],
  [
    'document of the assistant (2026-10-21)',
    {
      messages: [
        ask,
        said({ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } }),
        ask,
      ],
    },
    /`document` blocks are not supported in assistant messages/,
  ],
  [
    'citations on user text (2026-10-21)',
    { messages: [told(text('hi', { citations: [cited] }))] },
    /`citations` are not supported on user text/,
  ],
  // System messages inside
  [
    'system message on an older model',
    { model: 'claude-sonnet-5', messages: [ask, { role: 'system', content: 'x' }] },
    "role 'system' is not supported on this model",
  ],
  [
    'system message first',
    { messages: [{ role: 'system', content: 'x' }, ask] },
    /must follow a `user` message/,
  ],
  [
    'system message before a user turn',
    { messages: [ask, { role: 'system', content: 'x' }, ask] },
    /must be last or be followed by an `assistant` message/,
  ],
  [
    'image in a system message',
    {
      messages: [
        ask,
        { role: 'system', content: [{ type: 'image', source: { type: 'url', url: 'https://x/y' } }] },
      ],
    },
    /may only contain text/,
  ],
  // Tools
  [
    'tool name with a dot',
    { tools: [tool('look.up')] },
    "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'",
  ],
  [
    'tool name of 65 characters',
    { tools: [tool('x'.repeat(65))] },
    /tools\.0\.custom\.name: String should match pattern/,
  ],
  [
    'schema that is no object',
    { tools: [{ name: 'look', input_schema: { type: 'string' } }] },
    "tools.0.custom.input_schema.type: Input should be 'object'",
  ],
  ['two tools of one name', { tools: [tool('look'), tool('look')] }, 'tools: Tool names must be unique.'],
  [
    'tool_choice without tools',
    { tool_choice: { type: 'auto' } },
    /may only be specified while providing `tools`/,
  ],
  [
    'tool_choice of no tool',
    { model: 'claude-haiku-5-5', tools: [tool('look')], tool_choice: { type: 'tool', name: 'touch' } },
    "Tool 'touch' not found in provided tools",
  ],
  [
    'disable_parallel_tool_use on none',
    { tools: [tool('look')], tool_choice: { type: 'none', disable_parallel_tool_use: true } },
    'tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted',
  ],
  [
    'traps T19: call id with a dot',
    { messages: [ask, said(call('a.b')), told(result('a'))] },
    "messages.1.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
  ],
  [
    'call without result',
    { messages: [ask, said(call('a'), call('b')), told(result('a'))] },
    /^messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: b\./,
  ],
  [
    'text before the results',
    { messages: [ask, said(call('a')), told(text('well'), result('a'))] },
    /immediately after: a\./,
  ],
  [
    'results spread over two messages',
    { messages: [ask, said(call('a'), call('b')), told(result('a')), told(result('b'))] },
    /immediately after: b\./,
  ],
  [
    'system message between call and result',
    { messages: [ask, said(call('a')), { role: 'system', content: 'x' }, told(result('a'))] },
    /system` message must follow|immediately after: a\./,
  ],
  [
    'result without call',
    { messages: [told(result('a'))] },
    /^messages\.0\.content\.0: unexpected `tool_use_id` found in `tool_result` blocks: a\./,
  ],
  [
    'two results of one call',
    { messages: [ask, said(call('a')), told(result('a'), result('a'))] },
    /each tool_use must have a single result/,
  ],
  [
    'a call id used twice',
    { messages: [ask, said(call('a')), told(result('a')), said(call('a')), told(result('a'))] },
    /`tool_use` ids must be unique/,
  ],
  // Models
  [
    'traps T68: temperature under 2026-10-21',
    { temperature: 0.5 },
    '`temperature` is not supported in API version 2026-10-21.',
  ],
  [
    'top_k under 2026-10-21, old model too',
    { model: 'claude-haiku-4-5', top_k: 5 },
    '`top_k` is not supported in API version 2026-10-21.',
  ],
  ['temperature on a new model', { temperature: 0.5 }, '`temperature` is deprecated for this model.', OLD],
  [
    'top_p on Sonnet 5',
    { model: 'claude-sonnet-5', top_p: 0.5 },
    '`top_p` is deprecated for this model.',
    OLD,
  ],
  [
    'temperature and top_p on 4.5',
    { model: 'claude-haiku-4-5', temperature: 0.5, top_p: 0.5 },
    /cannot both be specified/,
    OLD,
  ],
  [
    'temperature over 1',
    { model: 'claude-haiku-4-5', temperature: 1.5 },
    'temperature: Input should be less than or equal to 1',
    OLD,
  ],
  [
    'temperature while thinking',
    {
      model: 'claude-haiku-4-5',
      max_tokens: 4_000,
      thinking: { type: 'enabled', budget_tokens: 2_000 },
      temperature: 0,
    },
    /may only be set to 1 when thinking is enabled/,
    OLD,
  ],
  [
    'traps T37: thinking enabled on Opus 5.5',
    { thinking: { type: 'enabled', budget_tokens: 1_024 }, max_tokens: 4_000 },
    /"thinking.type.enabled" is not supported for this model/,
  ],
  [
    'adaptive on Haiku 4.5',
    { model: 'claude-haiku-4-5', thinking: { type: 'adaptive' } },
    'adaptive thinking is not supported on this model',
  ],
  ['disabled on Opus 5.5', { thinking: { type: 'disabled' } }, /"thinking.type.disabled" is not supported/],
  [
    'disabled on Sonnet 5.5 points to between_tools',
    { model: 'claude-sonnet-5-5', thinking: { type: 'disabled' } },
    /between_tools/,
  ],
  [
    'between_tools with xhigh',
    { model: 'claude-sonnet-5-5', thinking: { type: 'between_tools' }, output_config: { effort: 'xhigh' } },
    /not supported with effort 'xhigh'/,
  ],
  [
    'disabled with max on Opus 5',
    { model: 'claude-opus-5', thinking: { type: 'disabled' }, output_config: { effort: 'max' } },
    /not supported with effort 'max'/,
  ],
  [
    'effort on Haiku 4.5',
    { model: 'claude-haiku-4-5', output_config: { effort: 'low' } },
    'This model does not support the effort parameter.',
  ],
  [
    'xhigh on Opus 4.6',
    { model: 'claude-opus-4-6', output_config: { effort: 'xhigh' } },
    /does not support effort level 'xhigh'/,
  ],
  [
    'traps T67: forced tool on Opus 5.5',
    { tools: [tool('look')], tool_choice: { type: 'any' } },
    /tool_choice: type 'any' is not supported on this model/,
  ],
  [
    'traps T67: named tool on Sonnet 5.5',
    { model: 'claude-sonnet-5-5', tools: [tool('look')], tool_choice: { type: 'tool', name: 'look' } },
    /type 'tool' is not supported/,
  ],
  [
    'forced tool while thinking is enabled',
    {
      model: 'claude-haiku-4-5',
      max_tokens: 4_000,
      thinking: { type: 'enabled', budget_tokens: 1_024 },
      tools: [tool('look')],
      tool_choice: { type: 'any' },
    },
    /Thinking may not be enabled when tool_choice forces tool use/,
  ],
  [
    'prefill from 4.6 on',
    { messages: [ask, said(text('Sure'))] },
    /does not support assistant message prefill/,
  ],
  [
    'prefill with trailing space',
    { model: 'claude-haiku-4-5', messages: [ask, said(text('Sure '))] },
    /cannot end with trailing whitespace/,
  ],
  [
    'max_tokens over the model',
    { model: 'claude-haiku-4-5', max_tokens: 64_001 },
    /^max_tokens: 64001 > 64000, which is the maximum/,
  ],
  [
    'budget under 1,024',
    { model: 'claude-haiku-4-5', thinking: { type: 'enabled', budget_tokens: 1_000 } },
    'thinking.enabled.budget_tokens: Input should be greater than or equal to 1024',
  ],
  [
    'budget not under max_tokens',
    { model: 'claude-haiku-4-5', max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 2_000 } },
    /`max_tokens` must be greater than `thinking.budget_tokens`/,
  ],
  ['pre-warm with stream', { max_tokens: 0, stream: true }, 'max_tokens: 0 cannot be combined with stream'],
  [
    'prompt over the window',
    { model: 'claude-haiku-4-5', messages: [{ role: 'user', content: textOf('long', 800_004) }] },
    'prompt is too long: 200001 tokens > 200000 maximum',
  ],
  // Schemas
  [
    'strict tool without additionalProperties',
    { tools: [tool('look', { strict: true })] },
    /'additionalProperties' must be explicitly set to false/,
  ],
  [
    '21 strict tools',
    { tools: Array.from({ length: 21 }, (_, n) => strictTool(`t${n}`, {})) },
    'Schema is too complex for compilation.',
  ],
  [
    '25 optional parameters',
    {
      tools: [
        strictTool(
          'look',
          Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`p${n}`, { type: 'string' }])),
          [],
        ),
      ],
    },
    'Schema is too complex for compilation.',
  ],
  [
    '17 unions',
    {
      tools: [
        strictTool(
          'look',
          Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`p${n}`, { type: ['string', 'null'] }])),
        ),
      ],
    },
    'Schema is too complex for compilation.',
  ],
  [
    'numeric limit',
    format(closed({ n: { type: 'integer', minimum: 1 } })),
    /For 'integer' type, properties minimum are not supported/,
  ],
  [
    'minItems over 1',
    format(closed({ n: { type: 'array', items: { type: 'string' }, minItems: 2 } })),
    /'minItems' values other than 0 or 1/,
  ],
  ['recursive schema', format({ ...closed({ next: { $ref: '#' } }) }), /Recursive schemas are not supported/],
  [
    'format with citations',
    {
      ...format(closed({})),
      messages: [
        told(
          {
            type: 'document',
            source: { type: 'text', media_type: 'text/plain', data: 'x' },
            citations: { enabled: true },
          },
          text('sum up'),
        ),
      ],
    },
    /cannot be used with citations/,
  ],
  [
    'format with prefill',
    { model: 'claude-haiku-4-5', ...format(closed({})), messages: [ask, said(text('{'))] },
    /prefilled assistant message/,
  ],
  // Cache markers
  [
    'traps T20: five markers over tools, system and messages',
    {
      tools: [tool('look', mark())],
      system: [text('a', mark()), text('b', mark())],
      messages: [told(text('c', mark()), text('d', mark()))],
    },
    'A maximum of 4 blocks with cache_control may be provided. Found 5.',
  ],
  [
    'traps T20: five markers, those inside a tool result too',
    {
      messages: [
        told(text('a', mark()), text('b', mark())),
        said(call('a')),
        told({ ...result('a'), content: [text('c', mark()), text('d', mark())], ...mark() }),
      ],
    },
    'A maximum of 4 blocks with cache_control may be provided. Found 5.',
  ],
  [
    'traps T20: four markers and the automatic one',
    { ...mark(), system: [text('a', mark()), text('b', mark()), text('c', mark()), text('d', mark())] },
    'A maximum of 4 blocks with cache_control may be provided. Found 5.',
  ],
  [
    'automatic marker of another ttl',
    { ...mark('1h'), messages: [told(text('hi', mark('5m')))] },
    /differs from the automatic ttl '1h'/,
  ],
  [
    '1h after 5m',
    { system: [text('a', mark('5m'))], messages: [told(text('b', mark('1h')))] },
    /must not come after a ttl='5m'/,
  ],
  [
    'unknown ttl',
    { messages: [told(text('hi', mark('2h')))] },
    "messages.0.content.0.text.cache_control.ephemeral.ttl: Input should be '5m' or '1h'",
  ],
  [
    'marker on a thinking block',
    { messages: [ask, said({ type: 'thinking', thinking: '', signature: 'x', ...mark() }, text('hi')), ask] },
    'messages.1.content.0.thinking.cache_control: Extra inputs are not permitted',
  ],
  // Server tools
  [
    'a server tool there is none of',
    { tools: [{ type: 'web_search_20991231', name: 'web_search' }] },
    /^tools\.0/,
  ],
  [
    'a server tool under another name',
    { tools: [{ type: 'web_search_20260318', name: 'search' }] },
    "tools.0.web_search_20260318.name: Input should be 'web_search'",
  ],
  [
    'a beta tool without its header',
    { tools: [{ type: 'computer_20251124', name: 'computer' }] },
    /^tools\.0: Input tag 'computer_20251124'/,
  ],
  [
    'a search without its result',
    { messages: [ask, said(searched), ask] },
    'messages.1: `web_search` tool use with id `srvtoolu_1` was found without a corresponding `web_search_tool_result` block',
  ],
  [
    'a result without its search',
    { messages: [ask, said(found([])), ask] },
    /^messages\.1\.content\.0: unexpected `tool_use_id` found in `web_search_tool_result` blocks: srvtoolu_1/,
  ],
  [
    'a search result that was made up',
    { messages: [ask, said(searched, found([{ type: 'web_search_result', encrypted_content: 'x' }])), ask] },
    'messages.1.content.1: Invalid `encrypted_content` in `web_search_result` block',
  ],
  // Betas
  [
    'fallbacks on Haiku 5.5',
    { model: 'claude-haiku-5-5', fallbacks: ['claude-opus-5'] },
    'fallbacks: a list is not supported on this model',
    { 'anthropic-beta': 'server-side-fallback-2026-07-01' },
  ],
  [
    'display updates without its header',
    { thinking: { type: 'adaptive', display: 'updates' } },
    "thinking.adaptive.display: Input should be 'summarized' or 'omitted'",
  ],
  [
    'task budget without its header',
    { output_config: { task_budget: { type: 'tokens', total: 9 } } },
    'output_config.task_budget: Extra inputs are not permitted',
  ],
  [
    'a tool taken away without its header',
    { tools: [tool('look')], messages: [ask, { role: 'system', content: [removed('look')] }] },
    /^messages\.1\.content\.0: Input tag 'tool_removal'/,
  ],
  [
    'a tool taken away that there is none of',
    { messages: [ask, { role: 'system', content: [removed('look')] }] },
    "messages.1.content.0: tool 'look' is not declared in `tools`",
    { 'anthropic-beta': 'mid-conversation-tool-changes-2026-07-01' },
  ],
  // Thinking
  [
    'signature that is not ours',
    { messages: [ask, said({ type: 'thinking', thinking: 'x', signature: 'abc' }, text('hi')), ask] },
    'messages.1.content.0: Invalid `signature` in `thinking` block',
  ],
];

describe('Anthropic refuses with a 400', () => {
  test.each(rows)('%s', async (_rule, fields, message, headers) => {
    const response = await sim.post('/v1/messages', { ...base, ...fields }, headers);
    const body = await response.json();
    expect(body).toEqual({
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: typeof message === 'string' ? message : expect.stringMatching(message),
      },
      request_id: response.headers.get('request-id'),
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('x-simulated-provider')).toBe('fluxcompute');
  });
});

describe('Anthropic refuses with another status', () => {
  test.each([
    ['unknown model', { model: 'claude-nine' }, {}, 404, 'not_found_error', 'model: claude-nine'],
    [
      'traps T71: retired model',
      { model: 'claude-opus-4-1' },
      {},
      404,
      'not_found_error',
      'model: claude-opus-4-1',
    ],
    ['no key', {}, { authorization: '' }, 401, 'authentication_error', 'x-api-key header is required'],
    [
      'wrong key',
      {},
      { authorization: 'Bearer sk-invalid-1' },
      401,
      'authentication_error',
      'invalid x-api-key',
    ],
    [
      'no version',
      {},
      { 'anthropic-version': '' },
      400,
      'invalid_request_error',
      'anthropic-version: header is required',
    ],
    [
      'unknown version',
      {},
      { 'anthropic-version': '2020-01-01' },
      400,
      'invalid_request_error',
      'anthropic-version: "2020-01-01" is not a valid version',
    ],
  ])('%s', async (_rule, fields, headers, status, type, message) => {
    const response = await sim.post('/v1/messages', { ...base, ...fields }, headers);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { type, message } });
  });

  test('a body that is no JSON', async () => {
    const response = await sim.post('/v1/messages', '{"model":');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { message: 'The request body is not valid JSON.' },
    });
  });

  test('a body over 32 MB', async () => {
    const response = await sim.post('/v1/messages', ' '.repeat(32 * 1024 * 1024 + 1));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { type: 'request_too_large' } });
  });

  test('an unknown path', async () => {
    const response = await sim.post('/v1/messages/nowhere', base);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: { type: 'not_found_error' } });
  });
});

describe('Anthropic accepts', () => {
  test.each<[string, Fields, Record<string, string>?]>([
    ['x-api-key', {}, { authorization: '', 'x-api-key': 'sk-test-1' }],
    ['the older version with temperature on 4.5', { model: 'claude-haiku-4-5', temperature: 0.5 }, OLD],
    [
      'a forced tool on Haiku 5.5',
      { model: 'claude-haiku-5-5', tools: [tool('look')], tool_choice: { type: 'any' } },
    ],
    ['disabled thinking on Haiku 5.5', { model: 'claude-haiku-5-5', thinking: { type: 'disabled' } }],
    ['between_tools at high', { model: 'claude-sonnet-5-5', thinking: { type: 'between_tools' } }],
    ['a prefill on Haiku 4.5', { model: 'claude-haiku-4-5', messages: [ask, said(text('Sure'))] }],
    [
      'a system message in the middle',
      { messages: [ask, { role: 'system', content: 'be brief' }, said(text('ok')), ask] },
    ],
    [
      'an empty tool result, and text after the results',
      { messages: [ask, said(call('a')), told({ type: 'tool_result', tool_use_id: 'a' }, text('go on'))] },
    ],
    [
      'the automatic marker on a marked block',
      {
        ...mark(),
        system: [text('a', mark()), text('b', mark()), text('c', mark())],
        messages: [told(text('d', mark()))],
      },
    ],
    [
      'a budget over max_tokens when interleaved',
      { model: 'claude-haiku-4-5', thinking: { type: 'enabled', budget_tokens: 2_000 } },
      { 'anthropic-beta': 'interleaved-thinking-2025-05-14' },
    ],
    [
      'beta field with its header',
      { context_management: { edits: [] } },
      { 'anthropic-beta': 'context-management-2025-06-27' },
    ],
    ['consecutive user messages', { messages: [ask, ask] }],
    [
      'the effort of a turn, as Claude Code sends it',
      { messages: [ask, { role: 'system', content: 'be brief', output_config: { effort: 'medium' } }] },
      { 'anthropic-beta': 'per-turn-control-2026-07-01' },
    ],
  ])('%s', async (_what, fields, headers) => {
    const response = await sim.post('/v1/messages', { ...base, ...fields }, headers);
    expect([response.status, await response.json()]).toEqual([
      200,
      expect.objectContaining({ type: 'message' }),
    ]);
  });

  test('nothing in count_tokens that belongs to an answer', async () => {
    const response = await sim.post('/v1/messages/count_tokens', base);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { message: 'max_tokens: Extra inputs are not permitted' },
    });
  });
});
