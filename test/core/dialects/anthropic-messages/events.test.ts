import { expect, test } from 'vitest';
import { usageOf } from '../../../../src/core/accounting/usage.ts';
import { createEventReader } from '../../../../src/core/dialects/anthropic-messages/events.ts';
import { MALFORMED, readAll, said } from '../frames.ts';

const start = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    model: 'claude-haiku-5-5',
    usage: {
      input_tokens: 10,
      cache_creation_input_tokens: 100,
      cache_read_input_tokens: 0,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 100 },
      output_tokens: 1,
    },
  },
};
const block = (index: number, content_block: object) => ({
  type: 'content_block_start',
  index,
  content_block,
});
const delta = (index: number, value: object) => ({ type: 'content_block_delta', index, delta: value });
const stop = (index: number) => ({ type: 'content_block_stop', index });
const json = (index: number, partial_json: string) =>
  delta(index, { type: 'input_json_delta', partial_json });

test('reads a whole stream; usage is cumulative and keeps the split of the writes', () => {
  const events = readAll(createEventReader(), [
    start,
    { type: 'ping' },
    block(0, { type: 'thinking', thinking: '', signature: '' }),
    delta(0, { type: 'thinking_delta', thinking: 'Let me ' }),
    delta(0, { type: 'thinking_delta', thinking: 'see.' }),
    delta(0, { type: 'signature_delta', signature: 'abc' }),
    stop(0),
    block(1, { type: 'text', text: '' }),
    delta(1, { type: 'text_delta', text: 'Hi' }),
    delta(1, { type: 'text_delta', text: ' there' }),
    stop(1),
    {
      type: 'message_delta',
      delta: { stop_reason: 'stop_sequence', stop_sequence: 'END' },
      usage: {
        input_tokens: 10,
        cache_creation_input_tokens: 100,
        cache_read_input_tokens: null,
        output_tokens: 7,
        output_tokens_details: null,
      },
    },
    { type: 'message_stop' },
  ]);
  const usage = { fresh: 10, write_1h: 100 };
  expect(said(events)).toEqual([
    { type: 'start', id: 'msg_1', model: 'claude-haiku-5-5', usage: usageOf({ ...usage, output: 1 }) },
    {
      type: 'block',
      block: {
        type: 'thinking',
        wire: 'anthropic-messages',
        raw: { type: 'thinking', thinking: 'Let me see.', signature: 'abc' },
      },
    },
    { type: 'text', text: 'Hi' },
    { type: 'text', text: ' there' },
    { type: 'usage', usage: usageOf({ ...usage, output: 7 }) },
    { type: 'stop', reason: 'stop', stopSequence: 'END' },
    { type: 'end' },
  ]);
  expect(events.filter((event) => event.type === 'progress').length).toBeGreaterThan(3);
});

test('a call without arguments has an empty object, with or without an empty delta', () => {
  const events = readAll(createEventReader(), [
    start,
    block(0, { type: 'tool_use', id: 'toolu_1', name: 'ping', input: {} }),
    stop(0),
    block(1, { type: 'tool_use', id: 'toolu_2', name: 'ping', input: {} }),
    json(1, ''),
    stop(1),
  ]);
  expect(events.filter((event) => event.type === 'tool_arguments')).toEqual([
    { type: 'tool_arguments', index: 0, delta: '{}' },
    { type: 'tool_arguments', index: 1, delta: '{}' },
  ]);
});

test('a stream that tells no usage has none, not zero', () => {
  const { usage: _usage, ...message } = start.message;
  const events = readAll(createEventReader(), [
    { ...start, message },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' } },
  ]);
  expect(events).toEqual([
    { type: 'start', id: 'msg_1', model: 'claude-haiku-5-5' },
    { type: 'stop', reason: 'stop' },
  ]);
});

test('a refusal says why', () => {
  const events = readAll(createEventReader(), [
    start,
    {
      type: 'message_delta',
      delta: { stop_reason: 'refusal', stop_details: { category: 'bio', explanation: 'No.' } },
      usage: { output_tokens: 0 },
    },
  ]);
  expect(events.slice(2)).toEqual([
    { type: 'refusal', text: 'No.' },
    { type: 'stop', reason: 'refusal' },
  ]);
});

test('an error event has the status it would have had over HTTP', () => {
  const events = readAll(createEventReader(), [
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  ]);
  expect(events).toEqual([{ type: 'error', status: 529, code: 'overloaded_error', message: 'Overloaded' }]);
});

test('events nobody knows are ignored', () => {
  expect(readAll(createEventReader(), [{ type: 'something_new', index: 'x' }])).toEqual([]);
});

test.each([
  ...MALFORMED,
  { type: 'message_start' },
  { type: 'content_block_start', index: 0 },
  { type: 'content_block_start', content_block: { type: 'text', text: '' } },
  { type: 'content_block_delta', index: 0 },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 5 } },
  json(0, '{"orphan":'),
])('a malformed frame is an error event: %j', (frame) => {
  const [event, ...more] = readAll(createEventReader(), [frame]);
  expect(event).toMatchObject({ type: 'error', status: 502, code: 'invalid_provider_answer' });
  expect(more).toEqual([]);
});

test('redacted thinking and server tools are told whole once they ended; their input is no call of ours', () => {
  const server = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} };
  const found = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [{ title: 'A' }] };
  const redacted = { type: 'redacted_thinking', data: 'xyz' };
  const events = readAll(createEventReader(), [
    start,
    block(0, redacted),
    stop(0),
    block(1, server),
    json(1, '{"query": '),
    json(1, '"a"}'),
    stop(1),
    block(2, found),
    stop(2),
    { type: 'message_delta', delta: { stop_reason: 'pause_turn' } },
    { type: 'message_stop' },
  ]);
  expect(said(events).slice(1)).toEqual([
    { type: 'block', block: { type: 'thinking', wire: 'anthropic-messages', raw: redacted } },
    {
      type: 'block',
      block: { type: 'foreign', kind: 'server_tool_use', raw: { ...server, input: { query: 'a' } } },
    },
    { type: 'block', block: { type: 'foreign', kind: 'web_search_tool_result', raw: found } },
    { type: 'usage', usage: usageOf({ fresh: 10, write_1h: 100, output: 1 }) },
    { type: 'stop', reason: 'length' },
    { type: 'end' },
  ]);
});
