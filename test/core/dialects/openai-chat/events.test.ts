import { expect, test } from 'vitest';
import { usageOf } from '../../../../src/core/accounting/usage.ts';
import { createEventReader } from '../../../../src/core/dialects/openai-chat/events.ts';
import { MALFORMED, readAll, said } from '../frames.ts';

const chunk = (delta: object, finish_reason: string | null = null, more: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  model: 'gpt-4o',
  choices: [{ index: 0, delta, finish_reason }],
  usage: null,
  ...more,
});
const toolDelta = (
  index: number | undefined,
  id: string | undefined,
  name: string | undefined,
  args: string,
) => ({
  tool_calls: [{ index, id, function: { name, arguments: args } }],
});
const usage = { prompt_tokens: 10, prompt_tokens_details: { cached_tokens: 4 }, completion_tokens: 3 };
const start = { type: 'start', id: 'chatcmpl-1', model: 'gpt-4o' };

test('reads a whole stream, the usage chunk with its empty choices too', () => {
  const events = readAll(createEventReader(), [
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Hi' }),
    chunk({ reasoning_content: 'hm' }),
    chunk({ content: ' there' }),
    chunk({}, 'stop'),
    { ...chunk({}), choices: [], usage },
    '[DONE]',
  ]);
  expect(said(events)).toEqual([
    start,
    { type: 'text', text: 'Hi' },
    { type: 'text', text: ' there' },
    { type: 'stop', reason: 'stop' },
    { type: 'usage', usage: usageOf({ fresh: 6, read: 4, output: 3 }) },
    { type: 'end' },
  ]);
});

test('calls are told apart by index, or by id where a server gives none or repeats it', () => {
  const read = (frames: object[]) => said(readAll(createEventReader(), frames)).slice(1);
  const two = [
    { type: 'tool_call', index: 0, id: 'a', name: 'f' },
    { type: 'tool_arguments', index: 0, delta: '{"x"' },
    { type: 'tool_arguments', index: 0, delta: ':1}' },
    { type: 'tool_call', index: 1, id: 'b', name: 'g' },
    { type: 'tool_arguments', index: 1, delta: '{}' },
    { type: 'stop', reason: 'tool_calls' },
  ];
  for (const indices of [
    [0, 1],
    [undefined, undefined],
    [0, 0],
    [3, 7],
  ]) {
    const [first, second] = indices;
    expect(
      read([
        chunk(toolDelta(first, 'a', 'f', '{"x"')),
        chunk(toolDelta(first, undefined, undefined, ':1}')),
        chunk(toolDelta(second, 'b', 'g', '{}')),
        chunk({}, 'stop'),
      ]),
    ).toEqual(two);
  }
});

test('a refusal ends as one', () => {
  const events = said(readAll(createEventReader(), [chunk({ refusal: 'No.' }), chunk({}, 'stop')]));
  expect(events.slice(1)).toEqual([
    { type: 'refusal', text: 'No.' },
    { type: 'stop', reason: 'refusal' },
  ]);
});

test('of several choices the first is read', () => {
  const second = { ...chunk({}), choices: [{ index: 1, delta: { content: 'other' }, finish_reason: null }] };
  expect(said(readAll(createEventReader(), [second]))).toEqual([start]);
});

test.each([
  [{ error: { message: 'Busy.', code: 'rate_limit_exceeded' } }, 429],
  [{ error: { message: 'Busy.', code: 503 } }, 503],
  [{ error: 'Busy.' }, 500],
])('an error chunk has its status: %j', (frame, status) => {
  expect(readAll(createEventReader(), [frame])).toMatchObject([{ type: 'error', status, message: 'Busy.' }]);
});

test.each([...MALFORMED, { id: 'x' }, chunk(toolDelta(0, 'a', undefined, '{'))])(
  'a malformed frame is an error event: %j',
  (frame) => {
    const events = readAll(createEventReader(), [frame]);
    expect(events).toMatchObject([{ type: 'error', status: 502, code: 'invalid_provider_answer' }]);
  },
);
