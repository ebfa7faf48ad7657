import { expect, test } from 'vitest';
import { inputTokens } from '../../src/core/accounting/usage.ts';
import type { Conversation } from '../../src/core/conversation.ts';
import { readAnswer as readAnthropicAnswer } from '../../src/core/dialects/anthropic-messages/answer.ts';
import { createEventReader as readAnthropicEvents } from '../../src/core/dialects/anthropic-messages/events.ts';
import * as anthropic from '../../src/core/dialects/anthropic-messages/request.ts';
import { createEventReader as readChatEvents } from '../../src/core/dialects/openai-chat/events.ts';
import { readChatRequest } from '../../src/core/dialects/openai-chat/read.ts';
import * as chat from '../../src/core/dialects/openai-chat/request.ts';
import { readAnswer as readResponsesAnswer } from '../../src/core/dialects/openai-responses/answer.ts';
import { createEventReader as readResponsesEvents } from '../../src/core/dialects/openai-responses/events.ts';
import * as responses from '../../src/core/dialects/openai-responses/request.ts';
import { spliceMembers } from '../../src/core/json-splice.ts';
import type { CatalogModel } from '../../src/core/routing/catalog.ts';
import { prepare } from '../../src/pipeline/prepare.ts';
import {
  answer,
  calls,
  conversationOf,
  LOOK_UP,
  model,
  results,
  say,
} from '../core/dialects/conversations.ts';
import { readAll } from '../core/dialects/frames.ts';

const HAIKU = model('anthropic', 'claude-haiku-5-5');
const OPUS = model('anthropic', 'claude-opus-5-5');
const LUNA = model('openai', 'gpt-6-luna');
const SOL = model('openai', 'gpt-6.2-sol');
const GPT_5 = model('openai', 'gpt-5');
const GPT_4O = model('openai', 'gpt-4o');

const WRITE = {
  'anthropic-messages': anthropic.writeRequest,
  'openai-responses': responses.writeRequest,
  'openai-chat': chat.writeRequest,
};

function send(conversation: Conversation, target: CatalogModel) {
  const prepared = prepare(conversation, target, { defaultMaxTokens: 16_384 });
  const text = WRITE[target.wire](prepared.conversation, target, { stream: false, modelId: target.id });
  return { text, body: JSON.parse(text), fields: prepared.adapted.map(({ field }) => field) };
}

test('traps T19: any id reaches every provider in its form, the same in call and result, and no two meet', () => {
  const long = 'x'.repeat(90);
  const ids = ['toolu_01', 'functions.get:0', 'functions.get:1', `${long}a`, `${long}b`, 'ключ'];
  const history = conversationOf([
    say('user', 'Hi'),
    calls(...ids.map((id): [string, string] => [id, '{}'])),
    results(...ids.map((id): [string, string] => [id, 'ok'])),
  ]);

  const onAnthropic = send(history, HAIKU).body.messages;
  const used = onAnthropic[1].content.map((block: { id: string }) => block.id);
  expect(onAnthropic[2].content.map((block: { tool_use_id: string }) => block.tool_use_id)).toEqual(used);
  expect(new Set(used).size).toBe(ids.length);
  for (const id of used) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  expect(used[0]).toBe('toolu_01');

  const items = send(history, LUNA).body.input.filter(
    (item: { call_id?: string }) => item.call_id !== undefined,
  );
  const called = items.slice(0, ids.length).map((item: { call_id: string }) => item.call_id);
  expect(items.slice(ids.length).map((item: { call_id: string }) => item.call_id)).toEqual(called);
  expect(new Set(called).size).toBe(ids.length);
  for (const id of called) expect(id.length).toBeLessThanOrEqual(64);

  const onChat = send(history, GPT_4O).body.messages;
  for (const call of onChat[1].tool_calls) expect(call.id.length).toBeLessThanOrEqual(40);
});

test("traps T20: a client's markers are kept as they are, none is added to them, a fifth is a 400 that says so", () => {
  const marked = (count: number) =>
    conversationOf(
      Array.from({ length: count }, (_, i) => ({
        role: 'user' as const,
        content: [{ type: 'text' as const, text: `${i}`, cache: { ttl: '1h' as const } }],
      })),
    );
  const { body } = send(marked(4), HAIKU);
  expect(body.cache_control).toBeUndefined();
  expect(
    body.messages.map(
      (message: { content: { cache_control: unknown }[] }) => message.content[0]?.cache_control,
    ),
  ).toEqual(Array(4).fill({ type: 'ephemeral', ttl: '1h' }));
  expect(() => send(marked(5), HAIKU)).toThrow(
    expect.objectContaining({ status: 400, code: 'too_many_cache_markers' }),
  );
});

test.each([HAIKU, OPUS, LUNA, SOL, model('anthropic', 'claude-sonnet-5')])(
  'traps T22: a system message in the middle stays in the middle, and every step extends the one before ($id)',
  (target) => {
    const steps = [
      [say('system', 'S'), say('user', 'one')],
      [answer('1'), say('user', 'two'), say('system', 'M')],
      [calls(['c1', '{}']), results(['c1', 'r'])],
      [answer('2'), say('system', 'N'), say('user', 'three')],
    ];
    let before: unknown[] = [];
    let system: unknown;
    for (let count = 1; count <= steps.length; count += 1) {
      const { body } = send(conversationOf(steps.slice(0, count).flat()), target);
      const sent: unknown[] = body.messages ?? body.input;
      expect(sent.slice(0, before.length)).toEqual(before);
      if (count > 1) expect(body.system).toEqual(system);
      [before, system] = [sent, body.system];
    }
  },
);

test('traps T27: usage is asked for in every stream', () => {
  const raw = '{"model":"auto","messages":[{"role":"user","content":"Hi"}],"stream":true}';
  const { conversation } = readChatRequest(JSON.parse(raw));
  const prepared = prepare(conversation, GPT_4O, { defaultMaxTokens: 1 });
  const edits = chat.requestEdits({ original: conversation, prepared: prepared.conversation }, GPT_4O, {
    stream: true,
    modelId: 'gpt-4o',
  });
  expect(JSON.parse(spliceMembers(raw, edits)).stream_options).toEqual({ include_usage: true });
});

test('traps T28: an error in the first frame of a 200 is an error with a status', () => {
  const first = (events: { type: string; status?: number }[]) => events[0];
  expect(
    first(
      readAll(readAnthropicEvents(), [{ type: 'error', error: { type: 'overloaded_error', message: 'x' } }]),
    ),
  ).toMatchObject({ type: 'error', status: 529 });
  expect(
    first(readAll(readResponsesEvents(), [{ type: 'error', code: 'rate_limit_exceeded', message: 'x' }])),
  ).toMatchObject({ type: 'error', status: 429 });
  expect(first(readAll(readChatEvents(), [{ error: { code: 'server_error', message: 'x' } }]))).toMatchObject(
    { type: 'error', status: 500 },
  );
});

test('traps T32: parallel calls keep their index between text, thinking and each other', () => {
  const frames = [
    { type: 'message_start', message: { id: 'm', model: 'x', usage: {} } },
    {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'thinking', thinking: '', signature: '' },
    },
    {
      type: 'content_block_start',
      index: 1,
      content_block: { type: 'tool_use', id: 'a', name: 'f', input: {} },
    },
    { type: 'content_block_start', index: 2, content_block: { type: 'text', text: '' } },
    {
      type: 'content_block_start',
      index: 3,
      content_block: { type: 'tool_use', id: 'b', name: 'g', input: {} },
    },
    { type: 'content_block_delta', index: 3, delta: { type: 'input_json_delta', partial_json: '{"y":2}' } },
    { type: 'content_block_delta', index: 2, delta: { type: 'text_delta', text: 'between' } },
    { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"x":1}' } },
  ];
  const ofCalls = readAll(readAnthropicEvents(), frames).filter(({ type }) => type.startsWith('tool_'));
  expect(ofCalls).toEqual([
    { type: 'tool_call', index: 0, id: 'a', name: 'f' },
    { type: 'tool_call', index: 1, id: 'b', name: 'g' },
    { type: 'tool_arguments', index: 1, delta: '{"y":2}' },
    { type: 'tool_arguments', index: 0, delta: '{"x":1}' },
  ]);
});

test('traps T34: results of parallel calls go into one user message, results first; empty ones stay empty', () => {
  const history = conversationOf([
    say('user', 'Hi'),
    {
      role: 'assistant',
      content: [
        { type: 'text', text: '' },
        ...calls(['a', '{}'], ['b', '{}'], ['c', '{}']).content.filter((block) => block.type === 'tool_call'),
      ],
    },
    results(['a', 'one'], ['b', '']),
    results(['c', ' ']),
    say('user', 'And?'),
  ]);
  const { messages } = send(history, HAIKU).body;
  expect(messages[1].content.map((block: { type: string }) => block.type)).toEqual([
    'tool_use',
    'tool_use',
    'tool_use',
  ]);
  expect(messages[2]).toEqual({
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 'a', content: [{ type: 'text', text: 'one' }] },
      { type: 'tool_result', tool_use_id: 'b' },
      { type: 'tool_result', tool_use_id: 'c' },
    ],
  });
  expect(messages[3]).toEqual({ role: 'user', content: [{ type: 'text', text: 'And?' }] });
});

test('traps T35: no meaning is dropped in silence', () => {
  const conversation = conversationOf(
    [
      say('developer', 'D'),
      { role: 'user', name: 'ana', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'assistant', content: [{ type: 'refusal', text: 'No.' }] },
      say('user', 'Why?'),
    ],
    {
      tools: [
        { ...LOOK_UP, strict: true, parameters: { ...LOOK_UP.parameters, additionalProperties: false } },
        { name: 'ping' },
      ],
      toolChoice: { type: 'allowed', mode: 'auto', names: ['look_up'] },
      parallelToolCalls: false,
    },
  );
  const onAnthropic = send(conversation, HAIKU);
  expect(onAnthropic.body.tool_choice).toEqual({ type: 'auto', disable_parallel_tool_use: true });
  expect(onAnthropic.body.tools.map((tool: { name: string }) => tool.name)).toEqual(['look_up']);
  expect(onAnthropic.body.tools[0].strict).toBe(true);
  expect(onAnthropic.text).toContain('ana: Hi');
  expect(onAnthropic.text).toContain('No.');
  expect(onAnthropic.fields.toSorted()).toEqual(['messages.name', 'messages.refusal', 'tool_choice']);

  const onResponses = send(conversation, LUNA);
  expect(onResponses.body).toMatchObject({
    tool_choice: { type: 'allowed_tools' },
    parallel_tool_calls: false,
  });
  expect(onResponses.body.input.map((item: { role: string }) => item.role)).toEqual([
    'developer',
    'user',
    'assistant',
    'user',
  ]);
  expect(onResponses.text).toContain('"type":"refusal","refusal":"No."');
  expect(onResponses.fields).toEqual(['messages.name']);
});

test('traps T36: the smaller of both limits is what the model gets, under its own maximum, on every wire', () => {
  const raw = {
    model: 'auto',
    messages: [{ role: 'user', content: 'Hi' }],
    max_tokens: 900_000,
    max_completion_tokens: 800_000,
  };
  const { conversation } = readChatRequest(raw);
  expect(send(conversation, HAIKU).body.max_tokens).toBe(HAIKU.maxOutput);
  expect(send(conversation, LUNA).body.max_output_tokens).toBe(LUNA.maxOutput);
  const prepared = prepare(conversation, GPT_5, { defaultMaxTokens: 1 });
  const edits = chat.requestEdits({ original: conversation, prepared: prepared.conversation }, GPT_5, {
    stream: false,
    modelId: 'gpt-5',
  });
  const spliced = JSON.parse(spliceMembers(JSON.stringify(raw), edits));
  expect(spliced).toMatchObject({ max_completion_tokens: GPT_5.maxOutput });
  expect(spliced).not.toHaveProperty('max_tokens');
});

test.each([HAIKU, OPUS, LUNA, SOL, GPT_5])(
  'traps T37: sampling a model refuses never reaches it, and is told ($id)',
  (target) => {
    const { text, fields } = send(
      conversationOf([say('user', 'Hi')], { sampling: { temperature: 0.2, topP: 0.9 } }),
      target,
    );
    expect(text).not.toMatch(/temperature|top_p/);
    expect(fields).toEqual(['temperature', 'top_p']);
  },
);

test('traps T40: the classes of a usage are disjoint, whoever reports it', () => {
  const fromAnthropic = readAnthropicAnswer({
    id: 'm',
    model: 'x',
    content: [],
    stop_reason: 'end_turn',
    usage: {
      input_tokens: 10,
      cache_creation_input_tokens: 20,
      cache_read_input_tokens: 70,
      output_tokens: 5,
    },
  }).usage;
  const fromOpenAi = readResponsesAnswer({
    id: 'r',
    model: 'x',
    status: 'completed',
    output: [],
    usage: {
      input_tokens: 100,
      input_tokens_details: { cached_tokens: 70, cache_write_tokens: 20 },
      output_tokens: 5,
    },
  }).usage;
  for (const usage of [fromAnthropic, fromOpenAi]) {
    expect(usage).toMatchObject({ fresh: 10, read: 70, output: 5 });
    expect(usage && inputTokens(usage)).toBe(100);
  }
});
