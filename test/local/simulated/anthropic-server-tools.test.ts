import type Anthropic from '@anthropic-ai/sdk';
import { expect, test } from 'vitest';
import { eventsOf, simulated } from './running.ts';

const sim = simulated();

const params = {
  model: 'claude-sonnet-5-5',
  max_tokens: 500,
  tools: [{ type: 'web_search_20260318' as const, name: 'web_search' as const }],
};
const ask: Anthropic.MessageParam = { role: 'user', content: 'Who won?' };
const search = {
  type: 'server_tool_use',
  id: 'srvtoolu_1',
  name: 'web_search',
  input: { query: 'who won' },
  caller: { type: 'direct' },
};
const found = {
  type: 'web_search_tool_result',
  tool_use_id: 'srvtoolu_1',
  caller: { type: 'direct' },
  content: [{ type: 'web_search_result', title: 'News', url: 'https://example.com' }],
};
const searching = {
  parts: [
    { type: 'thinking' },
    { type: 'block', block: search },
    { type: 'block', block: found },
    { type: 'text', text: 'Rome won.' },
  ],
};

test('is declared and not called, unless scripted; then its blocks go back as they came', async () => {
  const plain = await sim.claude.messages.create({ ...params, messages: [ask] });
  expect(plain.content.at(-1)).toMatchObject({ type: 'text' });
  expect(plain.usage.server_tool_use).toBeNull();

  await sim.script({ answer: searching, times: 2 });
  const message = await sim.claude.messages.create({ ...params, messages: [ask] });
  expect(message.content).toMatchObject([
    { type: 'thinking' },
    search,
    { ...found, content: [{ title: 'News', encrypted_content: expect.any(String) }] },
    { type: 'text', text: 'Rome won.' },
  ]);
  expect(message.usage.server_tool_use).toEqual({ web_search_requests: 1, web_fetch_requests: 0 });
  expect(message.stop_reason).toBe('end_turn');
  const streamed = await sim.claude.messages.stream({ ...params, messages: [ask] }).finalMessage();
  expect(streamed.content).toMatchObject(message.content);
  expect(streamed.usage.server_tool_use).toEqual(message.usage.server_tool_use);

  const next = await sim.claude.messages.create({
    ...params,
    // Answers are sent back as they came.
    messages: [ask, { role: 'assistant', content: message.content as Anthropic.ContentBlockParam[] }, ask],
  });
  expect(next.stop_reason).toBe('end_turn');
});

test('a paused turn goes back as it is, and goes on', async () => {
  await sim.script({ answer: { parts: [{ type: 'block', block: search }], stop: 'pause' } });
  const paused = await sim.claude.messages.create({ ...params, messages: [ask] });
  expect(paused.stop_reason).toBe('pause_turn');
  const content = paused.content as Anthropic.ContentBlockParam[];
  const messages: Anthropic.MessageParam[] = [ask, { role: 'assistant', content }];
  const on = await sim.claude.messages.create({ ...params, messages });
  expect(on.stop_reason).toBe('end_turn');
});

test('a refusal in the middle says why, after what was said', async () => {
  await sim.script({
    answer: { text: 'First you', refusal: 'Not this.', refusal_category: 'bio' },
    times: 2,
  });
  const message = await sim.claude.messages.create({ ...params, messages: [ask] });
  expect(message).toMatchObject({
    stop_reason: 'refusal',
    stop_details: { type: 'refusal', category: 'bio', explanation: 'Not this.' },
  });
  const events = await eventsOf(await sim.post('/v1/messages', { ...params, messages: [ask], stream: true }));
  expect(events.at(-2)?.[1]).toMatchObject({
    delta: { stop_reason: 'refusal', stop_details: { category: 'bio' } },
  });
});

test('a tool taken away in the middle is no longer called', async () => {
  const tool = { name: 'get_score', input_schema: { type: 'object' as const } };
  const send = (content: unknown[]) =>
    sim.post(
      '/v1/messages',
      {
        model: 'claude-opus-4-8',
        max_tokens: 500,
        tools: [tool],
        messages: [
          { role: 'user', content: 'What is the score?' },
          { role: 'system', content },
        ],
      },
      { 'anthropic-beta': 'mid-conversation-tool-changes-2026-07-01' },
    );
  const change = (type: string) => ({ type, tool: { type: 'tool_reference', name: 'get_score' } });
  expect(await (await send([change('tool_removal')])).json()).toMatchObject({ stop_reason: 'end_turn' });
  expect(await (await send([change('tool_addition')])).json()).toMatchObject({ stop_reason: 'tool_use' });
});

test('diagnostics name what changed since an earlier message', async () => {
  const before = await sim.claude.messages.create({ ...params, messages: [ask], diagnostics: {} });
  expect(before.diagnostics).toEqual({ cache_miss_reason: null });
  const reason = async (fields: object, previous_message_id = before.id) => {
    const diagnostics = { previous_message_id };
    const message = await sim.claude.messages.create({ ...params, messages: [ask], diagnostics, ...fields });
    return message.diagnostics?.cache_miss_reason?.type ?? null;
  };
  const more: Anthropic.MessageParam[] = [ask, { role: 'assistant', content: 'Rome.' }, ask];
  expect(await reason({ messages: more })).toBeNull();
  expect(await reason({ model: 'claude-opus-5-5' })).toBe('model_changed');
  expect(await reason({ tools: [] })).toBe('tools_changed');
  expect(await reason({ tools: [], system: 'Be brief.' })).toBe('tools_changed');
  expect(await reason({ system: 'Be brief.' })).toBe('system_changed');
  expect(await reason({ messages: [{ role: 'user', content: 'Who lost?' }] })).toBe('messages_changed');
  expect(await reason({ output_config: { effort: 'low' } })).toBe('unavailable');
  expect(await reason({}, 'msg_unknown')).toBe('previous_message_not_found');
});
