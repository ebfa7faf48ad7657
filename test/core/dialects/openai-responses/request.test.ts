import { expect, test } from 'vitest';
import type { Conversation } from '../../../../src/core/conversation.ts';
import { writeRequest } from '../../../../src/core/dialects/openai-responses/request.ts';
import { prepare } from '../../../../src/pipeline/prepare.ts';
import { answer, calls, conversationOf, LOOK_UP, model, results, say } from '../conversations.ts';

const LUNA = model('openai', 'gpt-6-luna');

function send(conversation: Conversation, target = LUNA, stream = false, userHash?: string) {
  const {
    conversation: prepared,
    adapted,
    gatewayStop,
  } = prepare(conversation, target, { defaultMaxTokens: 16_384 });
  return {
    body: JSON.parse(
      writeRequest(prepared, target, {
        stream,
        modelId: target.id,
        ...(userHash === undefined ? {} : { userHash }),
      }),
    ),
    adapted,
    gatewayStop,
  };
}

const output = { stop: [], n: 1, logprobs: false };

test('messages, calls and results are items in their order; system messages stay where they are', () => {
  const { body, adapted } = send(
    conversationOf([
      say('system', 'S'),
      say('user', 'Hi'),
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'One moment.' },
          { type: 'tool_call', id: 'c1', name: 'look_up', arguments: '{"key": 1.0' },
        ],
      },
      results(['c1', 'found']),
      say('developer', 'D'),
      answer('Done.'),
      say('user', 'Thanks'),
    ]),
  );
  expect(body).toEqual({
    model: 'gpt-6-luna',
    input: [
      { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'S' }] },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
      { type: 'message', role: 'assistant', content: 'One moment.' },
      { type: 'function_call', call_id: 'c1', name: 'look_up', arguments: '{"key": 1.0' },
      { type: 'function_call_output', call_id: 'c1', output: 'found' },
      { type: 'message', role: 'developer', content: [{ type: 'input_text', text: 'D' }] },
      { type: 'message', role: 'assistant', content: 'Done.' },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Thanks' }] },
    ],
    store: false,
  });
  expect(adapted).toEqual([]);
});

test('tools say whether they are strict; the choice is flat', () => {
  const conversation = conversationOf([say('user', 'Hi')], {
    tools: [LOOK_UP, { name: 'ping', strict: true }],
    toolChoice: { type: 'allowed', mode: 'auto', names: ['ping'] },
    parallelToolCalls: false,
  });
  expect(send(conversation).body).toMatchObject({
    tools: [
      {
        type: 'function',
        name: 'look_up',
        description: 'Looks a thing up.',
        parameters: LOOK_UP.parameters,
        strict: false,
      },
      {
        type: 'function',
        name: 'ping',
        parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
        strict: true,
      },
    ],
    tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'ping' }] },
    parallel_tool_calls: false,
  });
  const named = { ...conversation, toolChoice: { type: 'tool' as const, name: 'ping' } };
  expect(send(named).body.tool_choice).toEqual({ type: 'function', name: 'ping' });
});

test('formats, verbosity, effort and hints; the end user as a hash only', () => {
  const schema = { type: 'object' };
  const { body } = send(
    conversationOf([say('user', 'Hi')], {
      output: {
        ...output,
        format: { type: 'json_schema', name: 'x', schema },
        verbosity: 'low',
        maxTokens: 100,
      },
      reasoning: { effort: 'high' },
      hints: { promptCacheKey: 'k', safetyIdentifier: 's', serviceTier: 'flex' },
    }),
    LUNA,
    true,
    'f00d',
  );
  expect(body).toMatchObject({
    text: { format: { type: 'json_schema', name: 'x', schema, strict: false }, verbosity: 'low' },
    reasoning: { effort: 'high' },
    max_output_tokens: 100,
    prompt_cache_key: 'k',
    safety_identifier: 'f00d',
    service_tier: 'flex',
    stream: true,
    store: false,
  });
});

test('fewer output tokens than the API takes become the least it takes', () => {
  const { body, adapted } = send(
    conversationOf([say('user', 'Hi')], { output: { ...output, maxTokens: 1 } }),
  );
  expect(body.max_output_tokens).toBe(16);
  expect(adapted).toEqual([{ field: 'max_tokens', action: 'clamped', from: 1, to: 16 }]);
});

test('images: data URLs for bytes; in a result they are parts', () => {
  const image = {
    type: 'image' as const,
    source: { kind: 'base64' as const, mediaType: 'image/png', data: 'AAAA' },
  };
  const { body } = send(
    conversationOf([
      { role: 'user', content: [{ ...image, detail: 'low' }] },
      calls(['c1', '{}']),
      {
        role: 'tool',
        content: [
          { type: 'tool_result', callId: 'c1', content: [{ type: 'text', text: 'a' }, image], isError: true },
        ],
      },
    ]),
  );
  expect(body.input[0].content).toEqual([
    { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'low' },
  ]);
  expect(body.input[2].output).toEqual([
    { type: 'input_text', text: '[The tool reported an error]' },
    { type: 'input_text', text: 'a' },
    { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' },
  ]);
});

test('an empty message and an empty result stay, and say nothing', () => {
  const { body } = send(
    conversationOf([{ role: 'user', content: [] }, calls(['c1', '{}']), results(['c1', ''])]),
  );
  expect(body.input[0].content).toBe('');
  expect(body.input[2].output).toBe('');
});

test('traps T55: cache marks become breakpoints from GPT-5.6 on, and are dropped before; both is told', () => {
  const marked = conversationOf([
    { role: 'user', content: [{ type: 'text', text: 'Hi', cache: { ttl: '1h' } }] },
    calls(['c1', '{}']),
    {
      role: 'tool',
      content: [
        { type: 'tool_result', callId: 'c1', content: [{ type: 'text', text: 'r' }], cache: { ttl: '5m' } },
      ],
    },
  ]);
  const { body, adapted } = send(marked);
  expect(body.input[0].content[0].prompt_cache_breakpoint).toEqual({ mode: 'explicit', ttl: '12h' });
  expect(body.input[2].output).toEqual([
    { type: 'input_text', text: 'r', prompt_cache_breakpoint: { mode: 'explicit' } },
  ]);
  expect(adapted).toEqual([{ field: 'cache_control', action: 'translated', from: '1h', to: '12h' }]);

  const before = send(marked, model('openai', 'gpt-5.4'));
  expect(JSON.stringify(before.body)).not.toContain('cache');
  expect(before.adapted).toEqual([{ field: 'cache_control', action: 'dropped' }]);
});

test("custom tools, their calls and results are the API's own", () => {
  const format = { type: 'grammar', syntax: 'lark', definition: 'start: "x"' };
  const { body, adapted } = send(
    conversationOf(
      [
        say('user', 'Hi'),
        {
          role: 'assistant',
          content: [{ type: 'tool_call', id: 'c1', name: 'patch', arguments: 'x', custom: true }],
        },
        results(['c1', 'done']),
      ],
      {
        tools: [{ name: 'patch', custom: { format } }, { name: 'ping' }],
        toolChoice: { type: 'allowed', mode: 'auto', names: ['patch', 'ping'] },
      },
    ),
  );
  expect(body.tools[0]).toEqual({ type: 'custom', name: 'patch', format });
  expect(body.tool_choice.tools).toEqual([
    { type: 'custom', name: 'patch' },
    { type: 'function', name: 'ping' },
  ]);
  expect(body.input.slice(1)).toEqual([
    { type: 'custom_tool_call', call_id: 'c1', name: 'patch', input: 'x' },
    { type: 'custom_tool_call_output', call_id: 'c1', output: 'done' },
  ]);
  expect(adapted).toEqual([]);
});

test('documents: files by bytes or address, text as text, also in results', () => {
  const pdf = { kind: 'base64' as const, mediaType: 'application/pdf', data: 'JVBERi0=' };
  const { body, adapted } = send(
    conversationOf([
      {
        role: 'user',
        content: [
          { type: 'document', source: pdf, title: 'Report', context: 'Of last year.', citations: true },
          { type: 'document', source: { kind: 'url', url: 'https://example.com/a.pdf' } },
          { type: 'document', source: { kind: 'text', text: 'plain' }, title: 'notes' },
        ],
      },
      calls(['c1', '{}']),
      {
        role: 'tool',
        content: [{ type: 'tool_result', callId: 'c1', content: [{ type: 'document', source: pdf }] }],
      },
    ]),
  );
  const file = { type: 'input_file', file_data: 'data:application/pdf;base64,JVBERi0=' };
  expect(body.input[0].content).toEqual([
    { type: 'input_text', text: 'Of last year.' },
    { ...file, filename: 'Report.pdf' },
    { type: 'input_file', file_url: 'https://example.com/a.pdf' },
    { type: 'input_text', text: '<document title="notes">\nplain\n</document>' },
  ]);
  expect(body.input[2].output).toEqual([{ ...file, filename: 'document.pdf' }]);
  expect(adapted.map(({ field }) => field)).toEqual(['messages.citations', 'messages.content.document']);
});

test("strict only where OpenAI's compiler takes the schema so", () => {
  const closed = {
    type: 'object',
    properties: { a: { type: 'string' } },
    required: ['a'],
    additionalProperties: false,
  };
  const optional = { ...closed, required: [] };
  const { body, adapted } = send(
    conversationOf([say('user', 'Hi')], {
      tools: [
        { name: 'one', strict: true, parameters: closed },
        { name: 'two', strict: true, parameters: optional },
      ],
      output: { ...output, format: { type: 'json_schema', name: 'x', schema: optional, strict: true } },
    }),
  );
  expect(body.tools.map((tool: { strict: boolean }) => tool.strict)).toEqual([true, false]);
  expect(body.text.format.strict).toBe(false);
  expect(adapted).toEqual([
    { field: 'tools.strict', action: 'dropped' },
    { field: 'response_format.json_schema.strict', action: 'dropped' },
  ]);
});

test('temperature rides only where the model does not reason', () => {
  const asked = (effort?: string) =>
    send(
      conversationOf([say('user', 'Hi')], {
        sampling: { temperature: 0.5 },
        reasoning: effort === undefined ? {} : { effort },
      }),
    );
  expect(asked('none').body.temperature).toBe(0.5);
  expect(asked().body.temperature).toBeUndefined();
  expect(asked().adapted).toEqual([{ field: 'temperature', action: 'dropped', from: 0.5 }]);
});
