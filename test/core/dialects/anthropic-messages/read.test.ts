import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { writeAnthropicError } from '../../../../src/core/dialects/anthropic-messages/error.ts';
import {
  readCountRequest,
  readMessagesRequest,
} from '../../../../src/core/dialects/anthropic-messages/read.ts';
import { writeRequest } from '../../../../src/core/dialects/anthropic-messages/request.ts';
import { writeRequest as writeChat } from '../../../../src/core/dialects/openai-chat/request.ts';
import { writeRequest as writeResponses } from '../../../../src/core/dialects/openai-responses/request.ts';
import { FluxError } from '../../../../src/core/errors.ts';
import { excludedBy, needsOf } from '../../../../src/core/routing/capability.ts';
import { prepare } from '../../../../src/pipeline/prepare.ts';
import { conversation } from '../arbitraries.ts';
import { LOOK_UP, model } from '../conversations.ts';
import { accepted } from '../simulators.ts';

const HAIKU = model('anthropic', 'claude-haiku-5-5');
const TOOL = { name: 'look_up', description: 'Looks a thing up.', input_schema: LOOK_UP.parameters };

/** A request with nothing but what the test is about. */
function read(more: Record<string, unknown>, content: unknown = 'Hi') {
  return readMessagesRequest({
    model: 'auto',
    max_tokens: 100,
    messages: [{ role: 'user', content }],
    ...more,
  });
}

function refusal(body: Record<string, unknown>): FluxError {
  try {
    readMessagesRequest({
      model: 'auto',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'Hi' }],
      ...body,
    });
  } catch (error) {
    if (error instanceof FluxError) return error;
    throw error;
  }
  throw new Error('not refused');
}

describe('every form of a request', () => {
  test('system as a string and as blocks, and system messages in their places', () => {
    const text = (words: string) => ({ type: 'text', text: words });
    expect(read({ system: 'Be terse.' }).conversation.messages[0]).toEqual({
      role: 'system',
      content: [text('Be terse.')],
    });
    const { conversation: read_ } = read({
      system: [
        { ...text('One.'), cache_control: { type: 'ephemeral', ttl: '1h' } },
        { ...text('Two.'), cache_control: { type: 'ephemeral' } },
      ],
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'system', content: 'Now in French.' },
        { role: 'assistant', content: 'Salut' },
        { role: 'user', content: 'Bye' },
      ],
    });
    expect(read_.messages.map(({ role }) => role)).toEqual(['system', 'user', 'system', 'assistant', 'user']);
    expect(read_.messages[0]?.content).toEqual([
      { ...text('One.'), cache: { ttl: '1h' } },
      { ...text('Two.'), cache: {} },
    ]);
    expect(read({ system: '' }).conversation.messages).toHaveLength(1);
  });

  test('images, documents of every source, search results', () => {
    const {
      conversation: said,
      ownFields,
      unknownFields,
    } = read({}, [
      { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'AAAA' } },
      {
        type: 'document',
        title: 'T',
        context: 'C',
        source: { type: 'base64', media_type: 'application/pdf', data: 'BBBB' },
      },
      { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } },
      {
        type: 'document',
        citations: { enabled: true },
        source: { type: 'text', media_type: 'text/plain', data: 'words' },
      },
      {
        type: 'document',
        source: {
          type: 'content',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      },
      {
        type: 'search_result',
        source: 'https://example.com',
        title: 'Page',
        content: [{ type: 'text', text: 'says' }],
      },
    ]);
    expect(said.messages[0]?.content).toEqual([
      { type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } },
      { type: 'image', source: { kind: 'base64', mediaType: 'image/webp', data: 'AAAA' } },
      {
        type: 'document',
        title: 'T',
        context: 'C',
        source: { kind: 'base64', mediaType: 'application/pdf', data: 'BBBB' },
      },
      { type: 'document', source: { kind: 'url', url: 'https://example.com/a.pdf' } },
      { type: 'document', citations: true, source: { kind: 'text', text: 'words' } },
      { type: 'document', source: { kind: 'text', text: 'a\n\nb' } },
      { type: 'text', text: '[Search result: Page (https://example.com)]\nsays' },
    ]);
    expect(ownFields).toEqual([]);
    expect(unknownFields).toEqual(['messages.content.citations']);
  });

  test('a tool loop with thinking, redacted and signature-only too; results before what is said with them', () => {
    const thinking = { type: 'thinking', thinking: '', signature: 'sig' };
    const redacted = { type: 'redacted_thinking', data: 'xxx' };
    const { conversation: said } = read({
      tools: [TOOL],
      messages: [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: [
            thinking,
            redacted,
            { type: 'tool_use', id: 'toolu_1', name: 'look_up', input: { b: 1, a: 2 } },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'toolu_1',
              is_error: true,
              content: [
                { type: 'text', text: 'no' },
                { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
              ],
            },
            { type: 'text', text: 'Go on.' },
          ],
        },
      ],
    });
    expect(said.messages.slice(1)).toEqual([
      {
        role: 'assistant',
        content: [
          { type: 'thinking', wire: 'anthropic-messages', raw: thinking },
          { type: 'thinking', wire: 'anthropic-messages', raw: redacted },
          { type: 'tool_call', id: 'toolu_1', name: 'look_up', arguments: '{"b":1,"a":2}' },
        ],
      },
      {
        role: 'tool',
        content: [
          {
            type: 'tool_result',
            callId: 'toolu_1',
            isError: true,
            content: [
              { type: 'text', text: 'no' },
              { type: 'image', source: { kind: 'url', url: 'https://example.com/a.png' } },
            ],
          },
        ],
      },
      { role: 'user', content: [{ type: 'text', text: 'Go on.' }] },
    ]);
  });

  test('tools, choices and settings', () => {
    const choice = (tool_choice: object) => {
      const { toolChoice, parallelToolCalls } = read({ tools: [TOOL], tool_choice }).conversation;
      return [toolChoice, parallelToolCalls];
    };
    expect(choice({ type: 'auto', disable_parallel_tool_use: true })).toEqual([{ type: 'auto' }, false]);
    expect(choice({ type: 'any', disable_parallel_tool_use: false })).toEqual([{ type: 'required' }, true]);
    expect(choice({ type: 'tool', name: 'look_up' })).toEqual([{ type: 'tool', name: 'look_up' }, undefined]);
    expect(choice({ type: 'none' })).toEqual([{ type: 'none' }, undefined]);
    const schema = { type: 'object', properties: {}, additionalProperties: false };
    const { conversation: set, unknownFields } = read({
      tools: [{ ...TOOL, strict: true, eager_input_streaming: true, cache_control: { type: 'ephemeral' } }],
      thinking: { type: 'enabled', budget_tokens: 2_000, display: 'summarized' },
      output_config: { effort: 'low', format: { type: 'json_schema', schema } },
      stop_sequences: ['END', ''],
      temperature: 0.5,
      top_p: 0.9,
      top_k: 5,
      service_tier: 'standard_only',
    });
    expect(set.tools).toEqual([
      {
        name: 'look_up',
        description: TOOL.description,
        parameters: LOOK_UP.parameters,
        strict: true,
        cache: {},
      },
    ]);
    expect(set.reasoning).toEqual({ effort: 'low', mode: 'enabled', budgetTokens: 2_000 });
    expect(set.output).toMatchObject({
      maxTokens: 100,
      stop: ['END'],
      format: { type: 'json_schema', schema },
    });
    expect(set.sampling).toEqual({ temperature: 0.5, topP: 0.9, topK: 5 });
    expect(set.hints).toEqual({ serviceTier: 'default' });
    expect(unknownFields).toEqual(['tools.eager_input_streaming', 'thinking.display']);
    // The old name of the answer's schema.
    expect(read({ output_format: { type: 'json_schema', schema } }).conversation.output.format).toEqual(
      set.output.format,
    );
  });

  test('tokens are counted without max_tokens', () => {
    const { conversation: counted } = readCountRequest({
      model: 'auto',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(counted.output.maxTokens).toBeUndefined();
  });
});

describe('what only Anthropic has', () => {
  test('pins the step: its own tools and blocks, what the API holds, where data may go', () => {
    expect(read({ tools: [TOOL, { type: 'web_search_20260318', name: 'web_search' }] }).ownFields).toEqual([
      'tools.1',
    ]);
    const search = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} };
    const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] };
    const { ownFields, conversation: said } = read({
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: [search, found, { type: 'text', text: 'So.' }] },
        { role: 'user', content: [{ type: 'container_upload', x: 1 }] },
      ],
    });
    expect(ownFields).toEqual(['messages.1.content.0', 'messages.1.content.1', 'messages.2.content.0']);
    expect(said.messages[1]?.content[0]).toEqual({ type: 'foreign', kind: 'server_tool_use', raw: search });
    expect(
      read({ container: 'c', mcp_servers: [{}], inference_geo: 'us', compaction: {} }).ownFields,
    ).toEqual([...['container', 'mcp_servers', 'compaction', 'inference_geo']]);
    expect(read({ container: null, mcp_servers: [], inference_geo: 'global' }).ownFields).toEqual([]);
    expect(read({ max_tokens: 0 }).ownFields).toEqual(['max_tokens']);
  });

  test('traps T35: what saves or hastens is told where it is dropped', () => {
    const { ownFields, unknownFields } = read({
      context_management: { edits: [] },
      speed: 'fast',
      diagnostics: null,
      of_next_year: 1,
    });
    expect(ownFields).toEqual([]);
    expect(unknownFields).toEqual(['context_management', 'speed', 'of_next_year']);
  });

  test('who is asking, and in which session', () => {
    const id = '3b8b2c7e-58a5-4e9f-9f30-0d3d2c1b0a99';
    const of = (user_id: string) => {
      const { endUser, sessionName } = read({ metadata: { user_id } });
      return [endUser, sessionName];
    };
    expect(of(JSON.stringify({ device_id: 'd', account_uuid: 'a', session_id: id }))).toEqual(['a', id]);
    expect(of(JSON.stringify({ device_id: 'd', account_uuid: '', session_id: 'no good ✗' }))).toEqual([
      'd',
      undefined,
    ]);
    expect(of(`user_x_account_y_session_${id}`)).toEqual(['user_x_account_y', id]);
    // T23: a bare user is no session.
    expect(of('ada')).toEqual(['ada', undefined]);
    expect(of('{broken')).toEqual(['{broken', undefined]);
  });
});

describe("what is no request is a 400 in Anthropic's words", () => {
  const use = {
    role: 'assistant',
    content: [{ type: 'tool_use', id: 'toolu_1', name: 'look_up', input: {} }],
  };
  const result = (id: string) => ({
    role: 'user',
    content: [{ type: 'tool_result', tool_use_id: id, content: 'x' }],
  });
  const hi = { role: 'user', content: 'Hi' };
  test.each<[Record<string, unknown>, string, string]>([
    [{ max_tokens: undefined }, 'max_tokens', 'max_tokens: Field required'],
    [{ model: 7 }, 'model', 'model: Input should be a valid string'],
    [{ messages: [] }, 'messages', 'messages: at least one message is required'],
    [
      { messages: [{ role: 'tool', content: '' }] },
      'messages.0.role',
      "messages.0.role: Input should be 'user', 'assistant' or 'system'",
    ],
    [{ messages: [{ role: 'user' }] }, 'messages.0.content', 'messages.0.content: Field required'],
    [
      { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
      'messages.0.content.0.text',
      'messages.0.content.0.text: Field required',
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'tool_use', id: 'a', name: 'b', input: {} }] }] },
      'messages.0.content.0.type',
      'messages.0.content.0.type: Input tag does not match any of the expected tags',
    ],
    [{ temperature: 2 }, 'temperature', 'temperature: Input should be less than or equal to 1'],
    [
      { thinking: { type: 'enabled', budget_tokens: 5 } },
      'thinking.budget_tokens',
      'thinking.budget_tokens: Input should be greater than or equal to 1024',
    ],
    [
      { output_config: { effort: 'none' } },
      'output_config.effort',
      "output_config.effort: Input should be 'low' or 'medium' or 'high' or 'xhigh' or 'max'",
    ],
    [
      { tool_choice: { type: 'auto' } },
      'tool_choice',
      'tool_choice: may only be specified while providing `tools`',
    ],
    [
      { tools: [TOOL], tool_choice: { type: 'tool', name: 'x' } },
      'tool_choice',
      "tool_choice: Tool 'x' not found in provided tools",
    ],
    [
      { messages: [hi, use] },
      'messages.1',
      'messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1. Each `tool_use` block must have a corresponding `tool_result` block in the next message.',
    ],
    [{ messages: [hi, use, hi] }, 'messages.1', 'messages.1: `tool_use` ids were found without'],
    [
      { messages: [hi, use, { role: 'system', content: 'x' }, result('toolu_1')] },
      'messages.1',
      'messages.1: `tool_use` ids were found without',
    ],
    [
      { messages: [hi, use, result('toolu_2')] },
      'messages.2.content.0',
      'messages.2.content.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_2',
    ],
    [
      { messages: [hi, use, result('toolu_1'), result('toolu_1')] },
      'messages.3.content.0',
      'messages.3.content.0: unexpected `tool_use_id`',
    ],
  ])('%j', (body, param, message) => {
    const error = refusal(body);
    expect([error.status, error.param]).toEqual([400, param]);
    expect(error.message).toContain(message);
    expect(writeAnthropicError(error)).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: error.message },
    });
  });

  test('an error of ours that is not in its words names the field all the same', () => {
    const error = new FluxError('no such output', { status: 400, code: 'x', param: 'response_format' });
    expect(writeAnthropicError(error)).toEqual({
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: 'output_config.format: no such output',
        details: { error_code: 'x' },
      },
      request_id: null,
    });
  });
});

test('what is written for Anthropic is read as what it was: written again, it is the same', () => {
  fc.assert(
    fc.property(conversation, (given) => {
      const { conversation: prepared } = prepare({ ...given, hints: {} }, HAIKU, { defaultMaxTokens: 1_000 });
      const options = { stream: false, modelId: HAIKU.id };
      const once = writeRequest(prepared, HAIKU, options);
      // A hash can't be undone: it stays an id of its own.
      fc.pre(!once.includes('flxh_'));
      const { conversation: again } = readMessagesRequest(JSON.parse(once));
      expect(JSON.parse(writeRequest(again, HAIKU, options))).toEqual(JSON.parse(once));
    }),
    { endOnFailure: true },
  );
});

test("any legal request is taken by another provider's models too", () => {
  const targets = ['gpt-6-luna', 'gpt-6.2-sol', 'gpt-4.1', 'o3'].map((id) => model('openai', id));
  const thinking = fc.constantFrom(
    undefined,
    { type: 'adaptive' },
    { type: 'disabled' },
    { type: 'between_tools' },
    { type: 'enabled', budget_tokens: 1_024 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...targets), conversation, thinking, (target, given, mode) => {
      const { conversation: prepared } = prepare(given, HAIKU, { defaultMaxTokens: 1_000 });
      const options = { stream: false, modelId: target.id };
      const written = { ...JSON.parse(writeRequest(prepared, HAIKU, options)), thinking: mode, top_k: 3 };
      const { output_config: _schema, ...body } = written;
      const { conversation: read_ } = readMessagesRequest(body);
      fc.pre(excludedBy(target, needsOf(read_)) === null);
      const there = prepare(read_, target, { defaultMaxTokens: 1_000 }).conversation;
      const write = target.wire === 'openai-chat' ? writeChat : writeResponses;
      accepted(target, write(there, target, options));
    }),
    { endOnFailure: true },
  );
});
