import { beforeEach, describe, expect, test } from 'vitest';
import { answerOf, type Block, eventsOf, simulated, textOf } from './running.ts';

const sim = simulated();

const ask = { role: 'user', content: 'Look it up' };
const results = (content: Block[]) => ({
  role: 'user',
  content: content
    .filter((block) => block.type === 'tool_use')
    .map((block) => ({ type: 'tool_result', tool_use_id: block.id, content: 'found' })),
});
const tools = [{ name: 'look', input_schema: { type: 'object' } }];

async function send(fields: object, headers: Record<string, string> = {}) {
  const response = await sim.post(
    '/v1/messages',
    { model: 'claude-opus-5-5', max_tokens: 500, tools, ...fields },
    headers,
  );
  const body = await answerOf(response);
  return { status: response.status, message: body.error?.message, content: body.content, usage: body.usage };
}

/** A turn that thinks and calls. */
async function turn(fields: object = {}): Promise<Block[]> {
  await sim.script({ answer: { text: '', calls: [{ name: 'look' }] } });
  return (await send({ messages: [ask], ...fields })).content;
}

describe('thinking of an open tool loop', () => {
  let content: Block[] = [];
  beforeEach(async () => {
    content = await turn();
  });
  const back = (blocks: Block[]) => [ask, { role: 'assistant', content: blocks }, results(content)];

  test('goes back unmodified and is billed as input', async () => {
    const withThinking = await send({ messages: back(content) });
    const without = await send({ messages: back(content.slice(1)) });
    expect([withThinking.status, without.status]).toEqual([200, 200]);
    // Effort medium: 32 tokens of thinking.
    expect(withThinking.usage.input_tokens - without.usage.input_tokens).toBe(32);
  });

  test('may come back with text in an omitted block: it is ignored', async () => {
    const [thinking, ...rest] = content;
    expect(
      (await send({ messages: back([{ ...thinking, type: 'thinking', thinking: 'mine' }, ...rest]) })).status,
    ).toBe(200);
  });

  test('traps T17: not behind the call', async () => {
    const refused = await send({ messages: back(content.toReversed()) });
    expect(refused.status).toBe(400);
    expect(refused.message).toContain('must start with a thinking block');
  });

  test('not twice', async () => {
    const [thinking] = content;
    const refused = await send({ messages: back([...(thinking ? [thinking] : []), ...content]) });
    expect(refused.message).toContain('blocks in the latest assistant message cannot be modified');
  });

  test('not with a signature that was cut', async () => {
    const [thinking, ...rest] = content;
    const cut = { ...thinking, type: 'thinking', signature: String(thinking?.signature).slice(0, -1) };
    expect((await send({ messages: back([cut, ...rest]) })).message).toBe(
      'messages.1.content.0: Invalid `signature` in `thinking` block',
    );
  });

  test('traps T16: an edited prefix is a 400, unless such blocks may be dropped', async () => {
    const edited = [{ role: 'user', content: 'Look something else up' }, ...back(content).slice(1)];
    expect((await send({ messages: edited })).message).toMatch(
      /^messages\.1\.content\.0: the content before this/,
    );
    const dropped = await send(
      {
        messages: edited,
        thinking: { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } },
      },
      { 'anthropic-beta': 'thinking-binding-controls-2026-08-01' },
    );
    expect(dropped.status).toBe(200);
    expect((await send({ messages: back(content), tools: [] })).message).toMatch(
      /^messages\.1\.content\.0: the content/,
    );
  });

  test("traps T16: another model drops it without an error and doesn't bill it", async () => {
    const fields = { model: 'claude-sonnet-5-5' };
    const withThinking = await send({ ...fields, messages: back(content) });
    const without = await send({ ...fields, messages: back(content.slice(1)) });
    expect(withThinking.status).toBe(200);
    expect(withThinking.usage.input_tokens).toBe(without.usage.input_tokens);
  });

  test('Fable 5.1 reads it', async () => {
    const fields = { model: 'claude-fable-5-1' };
    const withThinking = await send({ ...fields, messages: back(content) });
    const without = await send({ ...fields, messages: back(content.slice(1)) });
    expect(withThinking.usage.input_tokens - without.usage.input_tokens).toBe(32);
  });
});

const BINDING = { 'anthropic-beta': 'thinking-binding-controls-2026-08-01' };

describe('what a thinking block is bound to', () => {
  const edited = (content: Block[]) => [
    { role: 'user', content: 'Look something else up' },
    { role: 'assistant', content },
    results(content),
  ];
  /** The answer's report of blocks that failed a check. */
  const reported = async (fields: object, headers = BINDING) => {
    const body = { model: 'claude-opus-5-5', max_tokens: 500, tools, ...fields };
    const response = await sim.post('/v1/messages', body, headers);
    // Every answer is an object.
    const answer = (await response.json()) as object;
    return { input_transformations: undefined, ...answer, status: response.status };
  };

  test('the same answer to the same request has the same signature', async () => {
    expect((await turn())[0]).toEqual((await turn())[0]);
    expect((await turn({ system: 'Another' }))[0]).not.toEqual((await turn())[0]);
  });

  test('an answer says under its beta what was dropped, and in a stream at its start', async () => {
    const content = await turn();
    const drop = { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' } };
    const path = 'messages.1.content.0';
    expect((await reported({ messages: edited(content), thinking: drop })).input_transformations).toEqual([
      { type: 'thinking_dropped', path, reason: 'prefix_binding_mismatch' },
    ]);
    const messages = [ask, { role: 'assistant', content }, results(content)];
    expect((await reported({ messages })).input_transformations).toEqual([]);
    expect((await reported({ messages }, { 'anthropic-beta': '' })).input_transformations).toBeUndefined();
    const other = { model: 'claude-sonnet-5-5', max_tokens: 500, tools, messages, stream: true };
    const [start] = await eventsOf(await sim.post('/v1/messages', other, BINDING));
    expect(start?.[1]).toMatchObject({
      message: {
        input_transformations: [{ type: 'thinking_dropped', path, reason: 'model_binding_mismatch' }],
      },
    });
  });

  test('an older account lets an edited prefix pass, unless the request asks for the check', async () => {
    const content = await turn();
    await sim.control('POST', 'account', { prefix_check: false });
    try {
      const passed = await reported({ messages: edited(content) });
      expect(passed).toMatchObject({
        status: 200,
        input_transformations: [{ type: 'thinking_mismatch_allowed', reason: 'prefix_binding_mismatch' }],
      });
      const checked = { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'error' } };
      expect((await reported({ messages: edited(content), thinking: checked })).status).toBe(400);
    } finally {
      await sim.control('POST', 'account', { prefix_check: true });
    }
  });

  test('redacted blocks and several of one turn go back all or not at all, in their kind', async () => {
    await sim.script({
      answer: {
        parts: [
          { type: 'thinking', text: 'First', tokens: 10 },
          { type: 'thinking', redacted: true, tokens: 20 },
          { type: 'text', text: 'I look.' },
          { type: 'call', name: 'look' },
        ],
      },
    });
    const { content } = await send({ messages: [ask] });
    expect(content.map((block) => block.type)).toEqual(['thinking', 'redacted_thinking', 'text', 'tool_use']);
    const back = (blocks: Block[]) =>
      send({ messages: [ask, { role: 'assistant', content: blocks }, results(content)] });
    const without = await back(content.slice(2));
    const whole = await back(content);
    expect(whole.usage.input_tokens - without.usage.input_tokens).toBe(30);
    expect((await back(content.slice(1))).message).toContain('cannot be modified');
    expect((await back([...content.slice(0, 1), ...content.slice(2)])).message).toContain(
      'cannot be modified',
    );
    const [thinking, redacted, ...rest] = content;
    const swapped = { type: 'redacted_thinking', data: thinking?.signature };
    expect((await back([swapped, { ...redacted, type: 'redacted_thinking' }, ...rest])).message).toBe(
      'messages.1.content.0: Invalid `data` in `redacted_thinking` block',
    );
  });

  test('thinking that is shown is streamed, and may not be edited', async () => {
    const thinking = { type: 'adaptive', display: 'summarized' };
    const content = await turn({ thinking });
    expect(content[0]).toMatchObject({ type: 'thinking', thinking: expect.stringContaining('Simulated') });
    const [shown, ...rest] = content;
    const changed = [{ ...shown, type: 'thinking', thinking: 'Mine' }, ...rest];
    const messages = [ask, { role: 'assistant', content: changed }, results(content)];
    expect((await send({ messages, thinking })).message).toContain('cannot be modified');
  });
});

test('under between_tools the effort stays what it was', async () => {
  const fields = { model: 'claude-sonnet-5-5', thinking: { type: 'between_tools' } };
  const call = await turn(fields);
  const looped = [ask, { role: 'assistant', content: call }, results(call)];
  await sim.script({ answer: { text: '', calls: [{ name: 'look' }] } });
  const { content } = await send({ ...fields, messages: looped });
  expect(content[0]).toMatchObject({ type: 'thinking' });
  const messages = [...looped, { role: 'assistant', content }, results(content)];
  expect((await send({ ...fields, messages })).status).toBe(200);
  const refused = await send({ ...fields, messages, output_config: { effort: 'low' } });
  expect(refused.message).toMatch(/changing effort mid-conversation/);
});

test('thinking of Sonnet 5.5 is dropped under another key', async () => {
  const model = 'claude-sonnet-5-5';
  const content = await turn({ model });
  const messages = [ask, { role: 'assistant', content }, results(content)];
  const own = await send({ model, messages });
  const other = await send({ model, messages }, { authorization: 'Bearer sk-other' });
  expect(own.usage.input_tokens - other.usage.input_tokens).toBe(64);
});

test.each([
  ['claude-haiku-4-5', 0],
  ['claude-opus-4-5', 64],
])('%s counts %i tokens of thinking of a finished turn', async (model, kept) => {
  const thinking = { type: 'enabled', budget_tokens: 1_024 };
  const fields = { model, thinking, max_tokens: 4_000 };
  const content = await turn(fields);
  expect(content[0]).toMatchObject({ thinking: expect.stringContaining('Simulated thinking') });
  const after = { role: 'user', content: 'Thanks. And now?' };
  const count = async (blocks: Block[]) =>
    (
      await send({
        ...fields,
        messages: [
          ask,
          { role: 'assistant', content: blocks },
          results(content),
          { role: 'assistant', content: 'Done.' },
          after,
        ],
      })
    ).usage.input_tokens;
  expect((await count(content)) - (await count(content.slice(1)))).toBe(kept);
});

test('user text after a tool loop loses the messages of models that strip thinking, and of no others', async () => {
  const read = async (model: string) => {
    const fields = {
      model,
      thinking: { type: 'enabled', budget_tokens: 1_024 },
      max_tokens: 4_000,
      cache_control: { type: 'ephemeral' },
      messages: [{ role: 'user', content: textOf('policy', 40_000) }],
    };
    const content = await turn(fields);
    const loop = [...fields.messages, { role: 'assistant', content }, results(content)];
    const { usage } = await send({ ...fields, messages: loop });
    const whole = usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
    const next = [...loop, { role: 'assistant', content: 'Done.' }, { role: 'user', content: 'And now?' }];
    return [(await send({ ...fields, messages: next })).usage.cache_read_input_tokens, whole];
  };
  const [keptRead, keptWhole] = await read('claude-opus-4-5');
  expect(keptRead).toBe(keptWhole);
  // What stood before the stripped block is still there: the first message was a breakpoint.
  // 10,000 tokens, and 12 of the tool: JSON of 48 characters.
  const [strippedRead] = await read('claude-haiku-4-5');
  expect(strippedRead).toBe(10_012);
});
