import { expect, test } from 'vitest';
import { usageOf } from '../../../../src/core/accounting/usage.ts';
import { createEventReader } from '../../../../src/core/dialects/openai-responses/events.ts';
import { MALFORMED, readAll, said } from '../frames.ts';

const created = {
  type: 'response.created',
  response: { id: 'resp_1', model: 'gpt-6-luna', status: 'in_progress' },
};
const usage = {
  input_tokens: 10,
  input_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
  output_tokens: 3,
};
const ended = (type: string, more: object) => ({
  type,
  response: { id: 'resp_1', model: 'gpt-6-luna', usage, output: [], ...more },
});
const counted = { type: 'usage', usage: usageOf({ fresh: 6, read: 4, output: 3 }) };

// What was encrypted is only whole when the item is done.
const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'whole' };

test('reads a whole stream of text', () => {
  const events = readAll(createEventReader(), [
    created,
    { type: 'response.in_progress', response: {} },
    { type: 'response.output_item.added', output_index: 0, item: { type: 'reasoning', id: 'rs_1' } },
    { type: 'response.output_item.done', output_index: 0, item: reasoning },
    { type: 'response.output_item.added', output_index: 1, item: { type: 'message', id: 'msg_1' } },
    { type: 'response.output_text.delta', output_index: 1, delta: 'Hi', obfuscation: 'xx' },
    { type: 'response.output_text.delta', output_index: 1, delta: ' there' },
    { type: 'response.output_text.done', output_index: 1, text: 'Hi there' },
    ended('response.completed', { status: 'completed' }),
  ]);
  expect(said(events)).toEqual([
    { type: 'start', id: 'resp_1', model: 'gpt-6-luna' },
    { type: 'block', block: { type: 'thinking', wire: 'openai-responses', raw: reasoning } },
    { type: 'text', text: 'Hi' },
    { type: 'text', text: ' there' },
    counted,
    { type: 'stop', reason: 'stop' },
    { type: 'end' },
  ]);
});

test('arguments come once, whether in deltas or only at the end', () => {
  const added = (output_index: number) => ({
    type: 'response.output_item.added',
    output_index,
    item: { type: 'function_call', call_id: `call_${output_index}`, name: 'ping', arguments: '' },
  });
  const events = readAll(createEventReader(), [
    created,
    added(0),
    { type: 'response.function_call_arguments.delta', output_index: 0, delta: '{"a"' },
    { type: 'response.function_call_arguments.delta', output_index: 0, delta: ':1}' },
    { type: 'response.function_call_arguments.done', output_index: 0, arguments: '{"a":1}' },
    added(2),
    { type: 'response.function_call_arguments.done', output_index: 2, arguments: '{}' },
    ended('response.completed', { status: 'completed' }),
  ]);
  expect(said(events).slice(1, -3)).toEqual([
    { type: 'tool_call', index: 0, id: 'call_0', name: 'ping' },
    { type: 'tool_arguments', index: 0, delta: '{"a"' },
    { type: 'tool_arguments', index: 0, delta: ':1}' },
    { type: 'tool_call', index: 1, id: 'call_2', name: 'ping' },
    { type: 'tool_arguments', index: 1, delta: '{}' },
  ]);
  expect(events).toContainEqual({ type: 'stop', reason: 'tool_calls' });
});

test('an incomplete answer and a refusal end as what they are', () => {
  const cut = readAll(createEventReader(), [
    ended('response.incomplete', {
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    }),
  ]);
  expect(cut).toEqual([counted, { type: 'stop', reason: 'length' }, { type: 'end' }]);
  const refused = readAll(createEventReader(), [
    { type: 'response.refusal.delta', delta: 'No.' },
    ended('response.completed', { status: 'completed' }),
  ]);
  expect(refused).toEqual([
    { type: 'refusal', text: 'No.' },
    counted,
    { type: 'stop', reason: 'refusal' },
    { type: 'end' },
  ]);
});

test.each([
  [
    ended('response.failed', {
      status: 'failed',
      usage: null,
      error: { code: 'server_error', message: 'Broke.' },
    }),
    500,
    'server_error',
  ],
  [
    { type: 'error', code: 'rate_limit_exceeded', message: 'Broke.', param: null, sequence_number: 1 },
    429,
    'rate_limit_exceeded',
  ],
  [
    { type: 'error', error: { type: 'invalid_request_error', code: null, message: 'Broke.' } },
    400,
    'invalid_request_error',
  ],
])('errors have the status they would have had over HTTP: %j', (frame, status, code) => {
  expect(readAll(createEventReader(), [frame])).toEqual([{ type: 'error', status, code, message: 'Broke.' }]);
});

test('events nobody knows carry nothing', () => {
  expect(readAll(createEventReader(), [{ type: 'keepalive' }, { hello: 1 }])).toEqual([]);
  expect(readAll(createEventReader(), [{ type: 'response.something.new' }])).toEqual([{ type: 'progress' }]);
});

test.each([
  ...MALFORMED,
  { type: 'response.created' },
  { type: 'response.completed' },
  { type: 'response.output_item.added', output_index: 0 },
  { type: 'response.output_text.delta' },
  { type: 'response.function_call_arguments.delta', output_index: 0, delta: '{' },
])('a malformed frame is an error event: %j', (frame) => {
  const [event, ...more] = readAll(createEventReader(), [frame]);
  expect(event).toMatchObject({ type: 'error', status: 502, code: 'invalid_provider_answer' });
  expect(more).toEqual([]);
});

test('the free text of a custom tool comes in deltas, and once', () => {
  const custom = { type: 'custom_tool_call', id: 'ctc_1', call_id: 'call_1', name: 'patch', input: '' };
  const events = readAll(createEventReader(), [
    created,
    { type: 'response.output_item.added', output_index: 0, item: custom },
    { type: 'response.custom_tool_call_input.delta', output_index: 0, delta: '*** ' },
    { type: 'response.custom_tool_call_input.delta', output_index: 0, delta: 'Begin' },
    { type: 'response.custom_tool_call_input.done', output_index: 0, input: '*** Begin' },
    { type: 'response.output_item.done', output_index: 0, item: { ...custom, input: '*** Begin' } },
    ended('response.completed', { status: 'completed' }),
  ]);
  expect(said(events)).toEqual([
    { type: 'start', id: 'resp_1', model: 'gpt-6-luna' },
    { type: 'tool_call', index: 0, id: 'call_1', name: 'patch', custom: true },
    { type: 'tool_arguments', index: 0, delta: '*** ' },
    { type: 'tool_arguments', index: 0, delta: 'Begin' },
    counted,
    { type: 'stop', reason: 'tool_calls' },
    { type: 'end' },
  ]);
});
