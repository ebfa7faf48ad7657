import { expect, test } from 'vitest';
import type { Answer, AnswerEvent } from '../../../src/core/answer.ts';
import { createUnwrapper, unwrapAnswer, type Wrapping } from '../../../src/core/dialects/unwrap.ts';

const CUSTOM: Wrapping = { custom: new Set(['patch']), answer: null };
const ANSWER: Wrapping = { custom: new Set(), answer: 'final_answer' };

function answerOf(blocks: Answer['blocks']): Answer {
  return { id: 'a', model: 'm', blocks, stop: 'tool_calls' };
}
const call = (name: string, args: string) => ({
  type: 'tool_call' as const,
  id: name,
  name,
  arguments: args,
});

/** What a stream of calls, cut into single characters, adds up to. */
function streamed(wrapping: Wrapping, ...calls: [name: string, args: string][]): AnswerEvent[] {
  const events: AnswerEvent[] = calls.flatMap(([name, args], index) => [
    { type: 'tool_call', index, id: name, name },
    ...Array.from(args, (delta): AnswerEvent => ({ type: 'tool_arguments', index, delta })),
  ]);
  const all: AnswerEvent[] = [...events, { type: 'stop', reason: 'tool_calls' }, { type: 'end' }];
  const joined: AnswerEvent[] = [];
  for (const event of all.flatMap(createUnwrapper(wrapping))) {
    const last = joined.at(-1);
    if (event.type === 'progress') continue;
    if (event.type === 'text' && last?.type === 'text') last.text += event.text;
    else if (event.type === 'tool_arguments' && last?.type === 'tool_arguments') last.delta += event.delta;
    else joined.push({ ...event });
  }
  return joined;
}

test('a custom tool that was sent as a function is called with its free text', () => {
  const text = 'line 1\n"quoted" \\ é';
  const wrapped = JSON.stringify({ input: text });
  expect(unwrapAnswer(answerOf([call('patch', wrapped), call('ping', '{}')]), CUSTOM)).toEqual(
    answerOf([{ ...call('patch', text), custom: true }, call('ping', '{}')]),
  );
  expect(streamed(CUSTOM, ['patch', wrapped], ['ping', '{}'])).toEqual([
    { type: 'tool_call', index: 0, id: 'patch', name: 'patch', custom: true },
    { type: 'tool_arguments', index: 0, delta: text },
    { type: 'tool_call', index: 1, id: 'ping', name: 'ping' },
    { type: 'tool_arguments', index: 1, delta: '{}' },
    { type: 'stop', reason: 'tool_calls' },
    { type: 'end' },
  ]);
});

test('what a model wrote in place of the wrapping stays readable', () => {
  expect(unwrapAnswer(answerOf([call('patch', '{"inp')]), CUSTOM).blocks).toEqual([
    { ...call('patch', '{"inp'), custom: true },
  ]);
});

test('an answer given through a tool is text', () => {
  const json = '{"city": "Paris"}';
  const talked = [{ type: 'text' as const, text: 'Here it is:' }, call('final_answer', json)];
  expect(unwrapAnswer(answerOf(talked), ANSWER)).toEqual({
    ...answerOf([{ type: 'text', text: json }]),
    stop: 'stop',
  });
  expect(streamed(ANSWER, ['final_answer', json])).toEqual([
    { type: 'text', text: json },
    { type: 'stop', reason: 'stop' },
    { type: 'end' },
  ]);
});

test("a call of the client's own in place of an answer is a call, and keeps its index", () => {
  expect(streamed(ANSWER, ['ping', '{}'])).toEqual([
    { type: 'tool_call', index: 0, id: 'ping', name: 'ping' },
    { type: 'tool_arguments', index: 0, delta: '{}' },
    { type: 'stop', reason: 'tool_calls' },
    { type: 'end' },
  ]);
});

test('words are held back only until it is clear that no tool takes the answer', () => {
  const events: AnswerEvent[] = [
    { type: 'text', text: 'No ' },
    { type: 'text', text: 'tool.' },
    { type: 'stop', reason: 'stop' },
  ];
  expect(events.flatMap(createUnwrapper(ANSWER))).toEqual([
    { type: 'progress' },
    { type: 'progress' },
    { type: 'text', text: 'No tool.' },
    { type: 'stop', reason: 'stop' },
  ]);
});
