import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lastMessageHash, stepKey, type Turn } from '../../../src/local/simulated/ask.ts';
import { answerOf, DAY, eventsOf, simulated } from './running.ts';

const sim = simulated();

const hello = { role: 'user', content: 'Hello there' };
const claude = { model: 'claude-opus-4-8', max_tokens: 500, messages: [hello] };
const chat = { model: 'gpt-4o', messages: [hello] };
const responses = { model: 'gpt-4.1', input: 'Hello there' };

/** The text each wire's answer carries. */
async function say(path: string, body: object): Promise<string> {
  const answer = await answerOf(await sim.post(path, body));
  const text =
    answer.content?.at(-1)?.text ??
    answer.choices?.[0]?.message.content ??
    answer.output?.at(-1)?.content?.[0]?.text;
  return String(text);
}
const sayClaude = (text: string) =>
  say('/v1/messages', { ...claude, messages: [{ role: 'user', content: text }] });

describe('a script', () => {
  test('answers in order, then runs out', async () => {
    await sim.script({ answer: { text: 'one' } }, { answer: { text: 'two' }, times: 2 });
    expect([
      await sayClaude('x'),
      await say('/v1/chat/completions', chat),
      await say('/v1/responses', responses),
    ]).toEqual(['one', 'two', 'two']);
    expect(await sayClaude('x')).toContain('simulated answer');
  });

  test('matches by api, model, text, stream and count', async () => {
    await sim.script(
      { match: { api: 'openai-responses' }, answer: { text: 'by api' } },
      { match: { model: 'gpt-4o' }, answer: { text: 'by model' } },
      { match: { contains: 'weather' }, answer: { text: 'by text' } },
      { match: { nth: 5 }, answer: { text: 'by count' } },
      { match: { stream: true }, answer: { text: 'by stream' } },
    );
    expect(await sayClaude('the weather?')).toBe('by text');
    expect(await say('/v1/chat/completions', chat)).toBe('by model');
    expect(await say('/v1/responses', responses)).toBe('by api');
    expect(await sayClaude('the weather?')).toContain('simulated answer');
    expect(await sayClaude('fifth')).toBe('by count');
  });

  test('matches by the last message and by the results sent back', async () => {
    await sim.script(
      {
        match: { last_message_hash: lastMessageHash([{ role: 'user', text: 'exactly this' }]) },
        answer: { text: 'hash' },
      },
      { match: { call_ids: ['a', 'b'] }, answer: { text: 'ids' } },
    );
    const call = (id: string) => ({ type: 'tool_use', id, name: 'look', input: {} });
    const result = (tool_use_id: string) => ({ type: 'tool_result', tool_use_id, content: 'x' });
    const messages = [
      hello,
      { role: 'assistant', content: [call('a'), call('b')] },
      { role: 'user', content: [result('b'), result('a')] },
    ];
    expect(await say('/v1/messages', { ...claude, messages })).toBe('ids');
    expect(await sayClaude(' exactly this\n')).toBe('hash');
  });

  test('a step has one key on all three wires', async () => {
    const turns: Turn[] = [
      { role: 'user', text: 'Weather in Rome? ' },
      {
        role: 'assistant',
        text: '',
        calls: [
          { name: 'look', arguments: '{"b": 1, "a": "x"}' },
          { name: 'look', arguments: '{}' },
        ],
      },
      { role: 'tool', text: 'sunny' },
      { role: 'tool', text: '' },
    ];
    await sim.script({ match: { key: stepKey(turns) }, times: 3, answer: { text: 'keyed' } });
    const use = (id: string, input: object) => ({ type: 'tool_use', id, name: 'look', input });
    const fn = (id: string, args: string) => ({
      id,
      type: 'function',
      function: { name: 'look', arguments: args },
    });
    const item = (id: string, args: string) => ({
      type: 'function_call',
      call_id: id,
      name: 'look',
      arguments: args,
    });
    const asked = { role: 'user', content: 'Weather in Rome?' };
    expect(
      await say('/v1/messages', {
        ...claude,
        system: 'You are a weather man.',
        messages: [
          asked,
          { role: 'assistant', content: [use('p', { a: 'x', b: 1 }), use('q', {})] },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'p', content: 'sunny' },
              { type: 'tool_result', tool_use_id: 'q' },
            ],
          },
        ],
      }),
    ).toBe('keyed');
    expect(
      await say('/v1/chat/completions', {
        ...chat,
        messages: [
          { role: 'system', content: 'You are a weather man.' },
          asked,
          { role: 'assistant', content: null, tool_calls: [fn('p', '{"a":"x","b":1}'), fn('q', '{}')] },
          { role: 'tool', tool_call_id: 'p', content: 'sunny' },
          { role: 'tool', tool_call_id: 'q', content: '' },
        ],
      }),
    ).toBe('keyed');
    expect(
      await say('/v1/responses', {
        ...responses,
        input: [
          asked,
          item('p', '{"b":1,"a":"x"}'),
          item('q', ' {} '),
          { type: 'function_call_output', call_id: 'p', output: 'sunny' },
          { type: 'function_call_output', call_id: 'q', output: '' },
        ],
      }),
    ).toBe('keyed');
  });

  test('keeps thousands of keyed answers apart, in order within a key', async () => {
    const entries = Array.from({ length: 2_000 }, (_, n) => ({
      match: { key: stepKey([{ role: 'user', text: `step ${n % 1_000}` }]) },
      answer: { text: `answer ${n}` },
    }));
    await sim.script(...entries);
    expect([await sayClaude('step 999'), await sayClaude('step 3'), await sayClaude('step 999')]).toEqual([
      'answer 999',
      'answer 3',
      'answer 1999',
    ]);
  });

  test('a refused request uses nothing up', async () => {
    await sim.script({ answer: { text: 'kept' } });
    await sim.post('/v1/messages', { ...claude, foo: 1 });
    expect(await sayClaude('x')).toBe('kept');
  });

  test('gives a refusal, a stop reason and a usage of its own', async () => {
    await sim.script(
      { answer: { refusal: 'I will not.' } },
      { answer: { refusal: 'I will not.' } },
      { answer: { text: 'part', stop: 'length', usage: { fresh: 7, read: 5, write_1h: 3, output: 2 } } },
      { answer: { text: 'none', usage: null } },
      { answer: { text: 'cut', stop: 'content_filter' } },
    );
    expect(await (await sim.post('/v1/messages', claude)).json()).toMatchObject({
      stop_reason: 'refusal',
      stop_details: { type: 'refusal', explanation: 'I will not.' },
      content: [],
      usage: { output_tokens: 0 },
    });
    expect(await (await sim.post('/v1/chat/completions', chat)).json()).toMatchObject({
      choices: [{ finish_reason: 'stop', message: { content: null, refusal: 'I will not.' } }],
    });
    expect(await (await sim.post('/v1/messages', claude)).json()).toMatchObject({
      stop_reason: 'max_tokens',
      usage: {
        input_tokens: 7,
        cache_read_input_tokens: 5,
        cache_creation_input_tokens: 3,
        output_tokens: 2,
      },
    });
    expect(await (await sim.post('/v1/chat/completions', chat)).json()).not.toHaveProperty('usage');
    expect(await (await sim.post('/v1/responses', responses)).json()).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'content_filter' },
    });
  });

  test('that is no script is refused with what is wrong', async () => {
    await expect(sim.script({ answer: { txt: 'x' } })).rejects.toThrow('txt');
    await expect(sim.script({ fault: { kind: 'explode' } })).rejects.toThrow('kind');
    await expect(sim.script({ answer: {}, fault: { kind: 'hang' } })).rejects.toThrow('not both');
  });
});

describe('control', () => {
  test('tells what was sent, with the last four characters of the key', async () => {
    await sim.post('/v1/messages', claude, { 'x-api-key': 'sk-ant-secret-9876', authorization: '' });
    await sim.post('/v1/chat/completions', { ...chat, foo: 1 });
    const [first, second] = await sim.requests();
    expect(first).toMatchObject({
      method: 'POST',
      path: '/v1/messages',
      body: claude,
      model: 'claude-opus-4-8',
      status: 200,
      error: null,
      ended: 'complete',
      usage: { fresh: 4, read: 0, write_5m: 0 },
      headers: { 'x-api-key': '…9876', 'anthropic-version': '2026-10-21' },
    });
    expect(second).toMatchObject({
      status: 400,
      error: 'Unrecognized request argument supplied: foo',
      usage: null,
      headers: { authorization: '…1234' },
    });
    expect(JSON.stringify([first, second])).not.toContain('secret');
    await sim.control('DELETE', 'requests');
    expect(await sim.requests()).toEqual([]);
  });

  test('the clock goes forward only, and models retire by it', async () => {
    const before = Date.parse(String((await sim.control('GET', 'health')).now));
    await sim.advance(60_000);
    expect(Date.parse(String((await sim.control('GET', 'health')).now))).toBeGreaterThanOrEqual(
      before + 60_000,
    );
    await expect(sim.control('POST', 'clock', { at: '2020-01-01T00:00:00Z' })).rejects.toThrow('forward');
    const old = { ...claude, model: 'claude-sonnet-4-5' };
    expect((await sim.post('/v1/messages', old)).status).toBe(200);
    await sim.control('POST', 'clock', { at: '2026-11-30T00:00:00Z' });
    expect((await sim.post('/v1/messages', old)).status).toBe(404);
  });
});

test('a process of its own reads a script file and stops when told', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'simulated-'));
  const file = join(folder, 'script.json');
  await writeFile(file, JSON.stringify({ entries: [{ answer: { text: 'from a file' } }] }));
  const args = [
    'src/local/simulated/server.ts',
    '--port',
    '0',
    '--script',
    file,
    '--at',
    new Date(DAY).toISOString(),
  ];
  // The Node this project pins, whatever runs the tests.
  const child = spawn('node_modules/.bin/node', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = await once(child.stdout, 'data');
    const url = /Anthropic at (\S+),/.exec(String(line))?.[1];
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: 'Bearer sk-1' },
      body: JSON.stringify({ ...chat, stream: true }),
    });
    const said = JSON.stringify(await eventsOf(response)).matchAll(/"content":"([^"]*)"/g);
    expect([...said].map(([, word]) => word).join('')).toBe('from a file');
  } finally {
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    await rm(folder, { recursive: true });
  }
});

describe('parts, and what no wire knows', () => {
  const parts = [
    { type: 'thinking', text: 'Hm.', tokens: 8 },
    { type: 'text', text: 'First. ' },
    { type: 'call', name: 'look', arguments: { at: 'x' } },
    { type: 'text', text: 'Second.' },
  ];

  test('are answered in their order on every wire', async () => {
    await sim.script({ answer: { parts }, times: 3 });
    const tools = [{ type: 'custom', custom: { name: 'other' } }];
    const claude = await answerOf(
      await sim.post('/v1/messages', { model: 'claude-opus-5-5', max_tokens: 500, messages: [hello] }),
    );
    expect(claude.content.map((block) => block.type)).toEqual(['thinking', 'text', 'tool_use', 'text']);
    const gpt = await sim.post('/v1/responses', {
      model: 'gpt-6.2-sol',
      input: 'Hello',
      reasoning: { summary: 'auto' },
    });
    expect((await answerOf(gpt)).output).toMatchObject([
      { type: 'reasoning', summary: [{ text: 'Hm.' }] },
      { type: 'message', content: [{ text: 'First. ' }] },
      { type: 'function_call', name: 'look', arguments: '{"at":"x"}' },
      { type: 'message', content: [{ text: 'Second.' }] },
    ]);
    const chat = await sim.post('/v1/chat/completions', { model: 'gpt-5.2', messages: [hello], tools });
    expect((await answerOf(chat)).choices?.[0]?.message).toMatchObject({
      content: 'First. Second.',
      tool_calls: [{ function: { name: 'look' } }],
    });
  });

  test('fields and events of the future are put where a client has to bear them', async () => {
    const answer = {
      text: 'Good morning',
      extra: { future: 1 },
      inject: [{ after_events: 1, event: 'future.event', data: { type: 'future.event', n: 1 } }],
    };
    await sim.script({ answer, times: 'always' });
    for (const [path, body] of [
      ['/v1/messages', claude],
      ['/v1/chat/completions', chat],
      ['/v1/responses', responses],
    ] as const) {
      expect(await (await sim.post(path, body)).json()).toMatchObject({ future: 1 });
      const events = await eventsOf(await sim.post(path, { ...body, stream: true }));
      expect(events[1]).toEqual(['future.event', { type: 'future.event', n: 1 }]);
      expect(JSON.stringify(events[0])).toContain('"future":1');
    }
  });

  test("a long stream waits for a client that doesn't read, and says how much it took", async () => {
    const characters = 20_000_000;
    await sim.script({ answer: { text: 'long ', characters, event_characters: 4_000 } });
    const response = await sim.post('/v1/messages', { ...claude, stream: true });
    const reader = response.body?.getReader();
    await reader?.read();
    const sent = async () =>
      (await sim.requests()).find((one) => one.path === '/v1/messages')?.sent_bytes ?? 0;
    // Until the buffers between here and there are full.
    let before = -1;
    while ((await sent()) !== before) {
      before = await sent();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(before).toBeLessThan(characters);
    let text = '';
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done) break;
      text += decoder.decode(value, { stream: true });
    }
    expect(text.slice(-2_000)).toContain('"stop_reason":"end_turn"');
    expect(await sent()).toBeGreaterThan(characters);
  });
});
