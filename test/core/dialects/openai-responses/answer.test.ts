import { expect, test } from 'vitest';
import { usageOf } from '../../../../src/core/accounting/usage.ts';
import { readAnswer } from '../../../../src/core/dialects/openai-responses/answer.ts';

const text = (value: string) => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'output_text', text: value, annotations: [] }],
});
const call = {
  type: 'function_call',
  id: 'fc_1',
  call_id: 'call_1',
  name: 'look_up',
  arguments: '{"key": 1.0}',
};
const response = {
  id: 'resp_1',
  object: 'response',
  model: 'gpt-6-luna-2026-09-22',
  status: 'completed',
  error: null,
  incomplete_details: null,
  service_tier: 'default',
  output: [{ type: 'reasoning', id: 'rs_1', summary: [] }, text('Let me look.'), call],
  usage: {
    input_tokens: 1110,
    input_tokens_details: {
      cached_tokens: 1000,
      cache_write_tokens: 100,
      cache_write_tokens_details: { ttl_30m_tokens: 70, ttl_12h_tokens: 30 },
    },
    output_tokens: 50,
    output_tokens_details: { reasoning_tokens: 20 },
    total_tokens: 1160,
  },
};

test('reads text, calls and usage; reasoning stays as it came', () => {
  expect(readAnswer(response)).toEqual({
    id: 'resp_1',
    model: 'gpt-6-luna-2026-09-22',
    blocks: [
      { type: 'thinking', wire: 'openai-responses', raw: response.output[0] },
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_call', id: 'call_1', name: 'look_up', arguments: '{"key": 1.0}' },
    ],
    stop: 'tool_calls',
    usage: usageOf({ fresh: 10, write_30m: 70, write_12h: 30, read: 1000, output: 50, thinking: 20 }),
    serviceTier: 'default',
  });
});

test.each([
  [{ output: [text('Hi')] }, 'stop'],
  [{ output: [call] }, 'tool_calls'],
  [{ output: [{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }] }, 'refusal'],
  [{ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } }, 'length'],
  [{ status: 'incomplete', incomplete_details: { reason: 'content_filter' } }, 'refusal'],
])('%j ends in %s', (more, stop) => {
  expect(readAnswer({ ...response, ...more }).stop).toBe(stop);
});

test.each([
  [{ code: 'rate_limit_exceeded', message: 'Slow.' }, 429],
  [{ code: 'server_error', message: 'Slow.' }, 500],
  [{ code: 'invalid_prompt', message: 'Slow.' }, 400],
  [{ code: 'image_too_large', message: 'Slow.' }, 400],
  [{ code: 'something_new', message: 'Slow.' }, 500],
])('a failed response is the error it holds: %j', (error, status) => {
  const failed = { ...response, status: 'failed', error };
  expect(() => readAnswer(failed)).toThrow(
    expect.objectContaining({ status, code: error.code, message: 'Slow.' }),
  );
});

test.each([
  null,
  'x',
  {},
  { ...response, status: 'in_progress' },
  { ...response, output: null },
  { ...response, id: undefined },
  { ...response, output: [{ type: 'function_call' }] },
])('a 200 that is no finished answer is a 502: %j', (body) => {
  expect(() => readAnswer(body)).toThrow(
    expect.objectContaining({ status: 502, code: 'invalid_provider_answer' }),
  );
});

test('a custom tool is called with free text; what else the API has of its own stays as it came', () => {
  const custom = {
    type: 'custom_tool_call',
    id: 'ctc_1',
    call_id: 'call_2',
    name: 'patch',
    input: '*** Begin',
  };
  const search = { type: 'web_search_call', id: 'ws_1', status: 'completed' };
  expect(readAnswer({ ...response, output: [search, custom] })).toMatchObject({
    blocks: [
      { type: 'foreign', kind: 'web_search_call', raw: search },
      { type: 'tool_call', id: 'call_2', name: 'patch', arguments: '*** Begin', custom: true },
    ],
    stop: 'tool_calls',
  });
});
