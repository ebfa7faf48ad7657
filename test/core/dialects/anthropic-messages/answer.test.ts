import { describe, expect, test } from 'vitest';
import { usageOf } from '../../../../src/core/accounting/usage.ts';
import { readAnswer } from '../../../../src/core/dialects/anthropic-messages/answer.ts';

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-haiku-5-5',
  content: [
    { type: 'thinking', thinking: '', signature: 's' },
    { type: 'text', text: 'Let me look.', citations: null },
    { type: 'tool_use', id: 'toolu_1', name: 'look_up', input: { key: 'a' } },
    { type: 'tool_use', id: 'toolu_2', name: 'ping', input: {} },
    { type: 'something_new', data: 1 },
  ],
  stop_reason: 'tool_use',
  stop_sequence: null,
  usage: {
    input_tokens: 10,
    cache_creation_input_tokens: 100,
    cache_read_input_tokens: 1000,
    cache_creation: { ephemeral_5m_input_tokens: 70, ephemeral_1h_input_tokens: 30 },
    output_tokens: 5,
    output_tokens_details: { thinking_tokens: 2 },
    service_tier: 'standard',
  },
};

test("reads text, calls, usage and the way it ended; what is the API's own stays as it came", () => {
  expect(readAnswer(message)).toEqual({
    id: 'msg_1',
    model: 'claude-haiku-5-5',
    blocks: [
      { type: 'thinking', wire: 'anthropic-messages', raw: message.content[0] },
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_call', id: 'toolu_1', name: 'look_up', arguments: '{"key":"a"}' },
      { type: 'tool_call', id: 'toolu_2', name: 'ping', arguments: '{}' },
      { type: 'foreign', kind: 'something_new', raw: message.content[4] },
    ],
    stop: 'tool_calls',
    usage: usageOf({ fresh: 10, write_5m: 70, write_1h: 30, read: 1000, output: 5, thinking: 2 }),
    serviceTier: 'standard',
  });
});

test.each([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['pause_turn', 'length'],
  ['refusal', 'refusal'],
])('stop_reason %s is %s', (reason, stop) => {
  expect(readAnswer({ ...message, stop_reason: reason }).stop).toBe(stop);
});

test('a stop sequence is told', () => {
  expect(readAnswer({ ...message, stop_reason: 'stop_sequence', stop_sequence: 'END' }).stopSequence).toBe(
    'END',
  );
});

test('a refusal drops what was said before it', () => {
  const refused = {
    ...message,
    stop_reason: 'refusal',
    stop_details: { category: 'cyber', explanation: 'Not that.' },
  };
  expect(readAnswer(refused).blocks).toEqual([{ type: 'refusal', text: 'Not that.' }]);
  expect(readAnswer({ ...refused, stop_details: null }).blocks).toEqual([
    { type: 'refusal', text: 'The model declined to answer this request.' },
  ]);
});

test('writes without a split are five-minute writes; no usage stays unknown', () => {
  const { cache_creation: _split, ...usage } = message.usage;
  expect(readAnswer({ ...message, usage }).usage).toMatchObject({ write_5m: 100, write_1h: 0 });
  expect(readAnswer({ ...message, usage: undefined })).not.toHaveProperty('usage');
});

describe('a 200 that is no answer', () => {
  test.each([
    ['overloaded_error', 529],
    ['rate_limit_error', 429],
    ['not_found_error', 404],
    ['a_new_one', 500],
  ])('%s has status %i', (type, status) => {
    const body = { type: 'error', error: { type, message: 'Busy.' } };
    expect(() => readAnswer(body)).toThrow(expect.objectContaining({ status, code: type, message: 'Busy.' }));
  });

  test.each([
    null,
    'text',
    [],
    {},
    { ...message, content: 'x' },
    { ...message, id: 1 },
    { ...message, content: [{ type: 'text' }] },
  ])('is a 502: %j', (body) => {
    expect(() => readAnswer(body)).toThrow(
      expect.objectContaining({ status: 502, code: 'invalid_provider_answer' }),
    );
  });
});

test('arguments of a whole answer stay as they stood there', () => {
  const input = '{"10": 1, "id": 12345678901234567890, "ratio": 1.0}';
  const raw = JSON.stringify({
    ...message,
    content: [
      { type: 'text', text: '"input": {}' },
      { type: 'tool_use', id: 'toolu_1', name: 'a', input: 'INPUT' },
    ],
  }).replace('"INPUT"', input);
  expect(readAnswer(JSON.parse(raw), raw).blocks[1]).toMatchObject({ arguments: input });
});
