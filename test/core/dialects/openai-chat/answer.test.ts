import { expect, test } from 'vitest';
import { usageOf } from '../../../../src/core/accounting/usage.ts';
import { readAnswer } from '../../../../src/core/dialects/openai-chat/answer.ts';

const call = (id: string | undefined, args: unknown) => ({
  id,
  type: 'function',
  function: { name: 'look_up', arguments: args },
});
const completion = (message: object, finish_reason = 'stop') => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-4o-2024-08-06',
  choices: [
    { index: 0, message: { role: 'assistant', content: null, refusal: null, ...message }, finish_reason },
  ],
  usage: {
    prompt_tokens: 1110,
    prompt_tokens_details: { cached_tokens: 1000, cache_write_tokens: 100 },
    completion_tokens: 50,
    completion_tokens_details: { reasoning_tokens: 20 },
  },
  service_tier: 'default',
});

test('reads text, calls and usage', () => {
  expect(
    readAnswer(
      completion({ content: 'Let me look.', tool_calls: [call('call_1', '{"key": 1.0}')] }, 'tool_calls'),
    ),
  ).toEqual({
    id: 'chatcmpl-1',
    model: 'gpt-4o-2024-08-06',
    blocks: [
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_call', id: 'call_1', name: 'look_up', arguments: '{"key": 1.0}' },
    ],
    stop: 'tool_calls',
    usage: usageOf({ fresh: 10, write_30m: 100, read: 1000, output: 50, thinking: 20 }),
    serviceTier: 'default',
  });
});

test.each([
  [completion({ content: 'Hi' }), 'stop'],
  [completion({ content: 'Hi' }, 'length'), 'length'],
  [completion({ content: 'Hi' }, 'content_filter'), 'refusal'],
  [completion({ refusal: 'No.' }), 'refusal'],
  [completion({ tool_calls: [call('c', '{}')] }, 'stop'), 'tool_calls'],
])('%j ends in %s', (body, stop) => {
  expect(readAnswer(body).stop).toBe(stop);
});

test('servers that give no ids, or arguments as an object, are understood', () => {
  const { blocks } = readAnswer(completion({ tool_calls: [call(undefined, { key: 'a' }), call('', '{}')] }));
  expect(blocks).toEqual([
    { type: 'tool_call', id: 'call_chatcmpl-1_0', name: 'look_up', arguments: '{"key":"a"}' },
    { type: 'tool_call', id: 'call_chatcmpl-1_1', name: 'look_up', arguments: '{}' },
  ]);
});

test.each([
  [{ error: { message: 'Busy.', type: 'server_error', code: null } }, 500],
  [{ error: { message: 'Busy.', code: 'insufficient_quota' } }, 429],
  [{ error: { message: 'Busy.', type: 'BadRequestError', code: 400 } }, 400],
  [{ error: 'Busy.' }, 500],
])('an error inside a 200 is the error it is: %j', (body, status) => {
  expect(() => readAnswer(body)).toThrow(expect.objectContaining({ status, message: 'Busy.' }));
});

test.each([
  null,
  1,
  {},
  { choices: [] },
  { choices: [{}] },
  completion({ tool_calls: [{ id: 'c', function: {} }] }),
])('a 200 that is no answer is a 502: %j', (body) => {
  expect(() => readAnswer(body)).toThrow(
    expect.objectContaining({ status: 502, code: 'invalid_provider_answer' }),
  );
});
