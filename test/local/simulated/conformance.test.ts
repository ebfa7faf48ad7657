import { describe, expect, test } from 'vitest';
import { hasDescription, violations } from '../../journeys/conformance.ts';
import { eventsOf, simulated } from './running.ts';

const sim = simulated();

/** Answers of every kind: text, calls, a refusal, a custom call, reasoning, a hosted tool, a cut. */
const tools = [
  { type: 'function', name: 'look', parameters: { type: 'object', properties: {} } },
  { type: 'custom', name: 'run' },
  { type: 'web_search' },
];
const hosted = {
  type: 'web_search_call',
  id: 'ws_1',
  status: 'completed',
  action: { type: 'search', query: 'x' },
};
const answers: [name: string, answer: object][] = [
  ['a text', { text: 'Good morning' }],
  ['calls', { text: 'I look.', calls: [{ name: 'look' }, { name: 'run', arguments: 'ls' }] }],
  ['a refusal', { text: 'First', refusal: 'Not this.' }],
  ['an answer that was cut', { text: 'x'.repeat(1_000) }],
  ['reasoning and a hosted tool', { parts: [{ type: 'thinking' }, { type: 'block', block: hosted }] }],
];

describe.skipIf(!hasDescription)("OpenAI's description holds for", () => {
  test.each(answers)('%s, on either API, whole and streamed', async (_name, answer) => {
    await sim.script({ answer, times: 'always' });
    const chat = {
      model: 'gpt-5.2',
      messages: [{ role: 'user', content: 'Hello' }],
      tools: [
        { type: 'function', function: { name: 'look' } },
        { type: 'custom', custom: { name: 'run' } },
      ],
      max_completion_tokens: 100,
    };
    const whole = await (await sim.post('/v1/chat/completions', chat)).json();
    expect(violations('CreateChatCompletionResponse', whole)).toEqual([]);
    // The description has no chunk for a custom call, so none is offered here.
    const streamed = {
      ...chat,
      tools: chat.tools.slice(0, 1),
      stream: true,
      stream_options: { include_usage: true },
    };
    for (const [, chunk] of await eventsOf(await sim.post('/v1/chat/completions', streamed))) {
      if (chunk !== '[DONE]') expect(violations('CreateChatCompletionStreamResponse', chunk)).toEqual([]);
    }
    const body = {
      model: 'gpt-5.4',
      input: 'Hello',
      tools,
      max_output_tokens: 100,
      reasoning: { effort: 'low', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
    };
    const response = await (await sim.post('/v1/responses', body)).json();
    expect(violations('Response', response)).toEqual([]);
    for (const [, event] of await eventsOf(await sim.post('/v1/responses', { ...body, stream: true }))) {
      expect(violations('ResponseStreamEvent', event)).toEqual([]);
    }
  });

  test('log probabilities, several choices, models and errors', async () => {
    const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] };
    const sure = { ...chat, n: 2, logprobs: true, top_logprobs: 2 };
    const body = await (await sim.post('/v1/chat/completions', sure)).json();
    expect(violations('CreateChatCompletionResponse', body)).toEqual([]);
    const headers = { authorization: `Bearer ${sim.key}` };
    const list = await (await fetch(`${sim.url}/v1/models`, { headers })).json();
    expect(violations('ListModelsResponse', list)).toEqual([]);
    const refused = await (await sim.post('/v1/chat/completions', { ...chat, foo: 1 })).json();
    expect(violations('ErrorResponse', refused)).toEqual([]);
  });
});
