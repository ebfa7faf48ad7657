import { describe, expect, test } from 'vitest';
import type { Message, TextBlock, Tool } from '../../../src/core/conversation.ts';
import { failureSignals } from '../../../src/core/routing/failure-signals.ts';

const text = (text: string): TextBlock => ({ type: 'text', text });
const user = (words: string): Message => ({ role: 'user', content: [text(words)] });
const says = (words: string): Message => ({ role: 'assistant', content: [text(words)] });
const calls = (json: string, id = 'a', name = 'look_up'): Message => ({
  role: 'assistant',
  content: [{ type: 'tool_call', id, name, arguments: json }],
});
const found = (words: string, id = 'a'): Message => ({
  role: 'tool',
  content: [{ type: 'tool_result', callId: id, content: [text(words)] }],
});
const tools: Tool[] = [
  {
    name: 'look_up',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
];
const of = (...messages: Message[]) => failureSignals({ messages, tools }, null);
const ASK = user('What is the weather in Paris?');

describe('what shows that a step went wrong', () => {
  test('arguments that are no JSON or break the schema', () => {
    expect(of(ASK, calls('{"city":'), found('?'))).toEqual(['invalid_arguments']);
    expect(of(ASK, calls('{"town":"Paris"}'), found('?'))).toEqual(['invalid_arguments']);
    expect(of(ASK, calls('{"city":"Paris"}'), found('18 °C'))).toEqual([]);
    // Of a tool nobody offers any more nothing is known.
    expect(of(ASK, calls('{"town":1}', 'a', 'other'), found('18 °C'))).toEqual([]);
  });

  test('the same call again, and tools that fail round after round', () => {
    const same = calls('{"city":"Paris"}');
    expect(of(ASK, same, found('18 °C'), same, found('18 °C'))).toEqual(['repeated_call']);
    const failed = (city: string) => [calls(`{"city":"${city}"}`), found('Error: no such city')];
    expect(of(ASK, ...failed('Pa'), ...failed('Par'))).toEqual(['tool_errors']);
    expect(of(ASK, ...failed('Pa'))).toEqual([]);
  });

  test('traps T38: a call written as text, and no text that only speaks of one', () => {
    const wrote = (words: string) => of(ASK, says(words), user('go on'));
    expect(wrote('{"name": "look_up", "arguments": {"city": "Paris"}}')).toEqual(['call_as_text']);
    expect(wrote('```json\n{"tool": "look_up", "parameters": {"city": "Paris"}}\n```')).toEqual([
      'call_as_text',
    ]);
    expect(wrote('<tool_call>{"name":"look_up","arguments":{}}</tool_call>')).toEqual(['call_as_text']);
    expect(wrote('<function=look_up>{"city":"Paris"}</function>')).toEqual(['call_as_text']);
    expect(wrote('You could use look_up with the argument city.')).toEqual([]);
    expect(wrote('{"name": "Paris", "arguments": 3}')).toEqual([]);
    expect(wrote('Models write <tool_call> when they fail.')).toEqual([]);
  });

  test.each([
    "That's wrong, it is in Texas.",
    'that is not what I asked',
    'No, wrong file.',
    'It still fails with the same error',
    "This doesn't work.",
    'You misunderstood me: I want the other one',
    'incorrect',
  ])('the user sends it back: %s', (words) => {
    expect(of(ASK, says('18 °C'), user(words))).toEqual(['rejected']);
  });

  test.each([
    'Thanks! And in Rome?',
    'Is it wrong to say that Paris is hot?',
    'Fix the test that fails in CI',
    'What went wrong in 1929?',
    'Write a function that finds incorrect dates',
    'no',
  ])('the user goes on: %s', (words) => {
    expect(of(ASK, says('18 °C'), user(words))).toEqual([]);
  });

  test('what only the gateway saw of the answer', () => {
    const messages = [ASK, says('It is'), user('go on')];
    expect(failureSignals({ messages, tools }, { truncated: true, refused: false })).toEqual(['truncated']);
    expect(failureSignals({ messages, tools }, { truncated: false, refused: true })).toEqual(['refusal']);
    const refused: Message = { role: 'assistant', content: [{ type: 'refusal', text: 'No.' }] };
    expect(of(ASK, refused, user('please'))).toEqual(['refusal']);
  });

  test('traps T51: a task that recovered shows nothing, and neither does a first step or a prefill', () => {
    const broken = [ASK, calls('{"city":'), found('Error: not JSON')];
    expect(of(...broken, calls('{"city":"Paris"}', 'b'), found('18 °C', 'b'))).toEqual([]);
    expect(of(...broken, says('18 °C'), user("that's wrong"), says('19 °C'), user('thanks'))).toEqual([]);
    expect(of(ASK)).toEqual([]);
    expect(of(ASK, says('{"name":"look_up","arguments":{}}'))).toEqual([]);
  });
});
