import { describe, expect, test } from 'vitest';
import { answerOf, simulated, textOf } from './running.ts';

const sim = simulated();

// Opus 5.5's tokenizer: characters × 13 / 40. 4,000 characters are 1,300 tokens, 40 are 13.
const LONG = textOf('policy', 4_000);
const SHORT = textOf('question', 40);
const mark = (ttl?: string) => ({
  cache_control: { type: 'ephemeral', ...(ttl === undefined ? {} : { ttl }) },
});
const block = (text: string, more: object = {}) => ({ type: 'text', text, ...more });

type Fields = Record<string, unknown>;

/** Input classes of one request: [fresh, 5m writes, 1h writes, read]. */
async function classes(fields: Fields, headers: Record<string, string> = {}): Promise<number[]> {
  const response = await sim.post(
    '/v1/messages',
    { model: 'claude-opus-5-5', max_tokens: 500, ...fields },
    headers,
  );
  const { usage, error } = await answerOf(response);
  if (error != null) throw new Error(error.message);
  expect(usage.cache_creation_input_tokens).toBe(
    usage.cache_creation.ephemeral_5m_input_tokens + usage.cache_creation.ephemeral_1h_input_tokens,
  );
  return [
    usage.input_tokens,
    usage.cache_creation.ephemeral_5m_input_tokens,
    usage.cache_creation.ephemeral_1h_input_tokens,
    usage.cache_read_input_tokens,
  ];
}

const ask = (text: string): Fields => ({ role: 'user', content: text });
/** A system prompt of 1,300 tokens, marked, and a question of 13. */
const marked: Fields = { system: [block(LONG, mark())], messages: [ask(SHORT)] };

describe('Anthropic keeps prompts', () => {
  test('a marked prefix is written once and read afterwards; what follows is plain input', async () => {
    expect(await classes(marked)).toEqual([13, 1_300, 0, 0]);
    expect(await classes(marked)).toEqual([13, 0, 0, 1_300]);
    expect(await classes({ ...marked, messages: [ask(textOf('another', 80))] })).toEqual([26, 0, 0, 1_300]);
  });

  // The search tool is JSON of 51 characters: 17 tokens.
  test('web search on or off keeps the other tools, and nothing behind them', async () => {
    const tool = { name: 'look', description: LONG, input_schema: { type: 'object' }, ...mark() };
    const search = { type: 'web_search_20260318', name: 'web_search' };
    const send = (tools: object[]) => classes({ ...marked, tools });
    const [, , , before] = await send([tool]);
    const [, written, , read] = await send([tool, search]);
    expect([before, written]).toEqual([0, 1_300 + 17]);
    expect(read).toBeGreaterThan(1_300);
    expect((await send([tool, search]))[3]).toBe((read ?? 0) + 1_300 + 17);
  });

  test('without a marker nothing is written or read', async () => {
    const plain = { system: LONG, messages: [ask(SHORT)] };
    expect(await classes(plain)).toEqual([1_313, 0, 0, 0]);
    expect(await classes(plain)).toEqual([1_313, 0, 0, 0]);
  });

  test('the automatic marker follows the end of a growing conversation', async () => {
    const first = [ask(LONG)];
    const second = [...first, { role: 'assistant', content: SHORT }, ask(SHORT)];
    const third = [...second, { role: 'assistant', content: SHORT }, ask(SHORT)];
    expect(await classes({ ...mark(), messages: first })).toEqual([0, 1_300, 0, 0]);
    expect(await classes({ ...mark(), messages: second })).toEqual([0, 26, 0, 1_300]);
    expect(await classes({ ...mark(), messages: third })).toEqual([0, 26, 0, 1_326]);
  });

  test('traps T53: 19 blocks more are found by look-back, 20 are not', async () => {
    const grown = (more: number) => ({
      ...mark(),
      messages: [
        ask(LONG),
        { role: 'assistant', content: SHORT },
        { role: 'user', content: Array.from({ length: more - 1 }, (_, n) => block(textOf(`part${n}`, 40))) },
      ],
    });
    expect(await classes({ ...mark(), messages: [ask(LONG)] })).toEqual([0, 1_300, 0, 0]);
    expect(await classes(grown(20))).toEqual([0, 1_300 + 20 * 13, 0, 0]);
    await sim.control('DELETE', 'cache');
    await classes({ ...mark(), messages: [ask(LONG)] });
    expect(await classes(grown(19))).toEqual([0, 19 * 13, 0, 1_300]);
  });

  test('traps T53: 11 parallel calls and their results overshoot; an explicit marker in between saves them', async () => {
    const ids = Array.from({ length: 11 }, (_, n) => `call_${n}`);
    const turn = (more: object = {}) => [
      ask(LONG),
      { role: 'assistant', content: ids.map((id) => ({ type: 'tool_use', id, name: 'look', input: {} })) },
      {
        role: 'user',
        content: ids.map((tool_use_id, n) => ({
          type: 'tool_result',
          tool_use_id,
          content: SHORT,
          ...(n === 0 ? more : {}),
        })),
      },
    ];
    // A call is "look{}": 6 characters, 2 tokens.
    const added = 11 * 2 + 11 * 13;
    await classes({ ...mark(), messages: [ask(LONG)] });
    expect(await classes({ ...mark(), messages: turn() })).toEqual([0, 1_300 + added, 0, 0]);
    await sim.control('DELETE', 'cache');
    await classes({ ...mark(), messages: [ask(LONG)] });
    expect(await classes({ ...mark(), messages: turn(mark()) })).toEqual([0, added, 0, 1_300]);
  });

  test.each([
    // model, its minimum, characters of that many tokens, one token less
    ['claude-opus-5-5', 512, 1_575, 1_572],
    ['claude-haiku-5-5', 512, 1_575, 1_572],
    ['claude-sonnet-5', 1_024, 3_150, 3_147],
    ['claude-sonnet-4-6', 1_024, 4_096, 4_092],
    ['claude-opus-4-7', 2_048, 6_301, 6_298],
    ['claude-haiku-4-5', 4_096, 16_384, 16_380],
    ['claude-opus-4-6', 4_096, 16_384, 16_380],
  ])('traps T54: %s caches from %i tokens on, and says nothing below', async (model, least, enough, less) => {
    const request = (characters: number) => ({
      model,
      system: [block(textOf('policy', characters), mark())],
      messages: [ask('Hi')],
    });
    // "Hi" is one token: one under the minimum before the marker makes `least` in all.
    expect(await classes(request(less))).toEqual([least, 0, 0, 0]);
    expect(await classes(request(less))).toEqual([least, 0, 0, 0]);
    expect(await classes(request(enough))).toEqual([1, least, 0, 0]);
    expect(await classes(request(enough))).toEqual([1, 0, 0, least]);
  });

  test('traps T14: five minutes from the start of the request, renewed by each read', async () => {
    await classes(marked);
    await sim.advance(4 * 60_000);
    expect(await classes(marked)).toEqual([13, 0, 0, 1_300]);
    await sim.advance(4 * 60_000);
    expect(await classes(marked)).toEqual([13, 0, 0, 1_300]);
    await sim.advance(5 * 60_000);
    expect(await classes(marked)).toEqual([13, 1_300, 0, 0]);
  });

  test('an hour for ttl 1h', async () => {
    const hour = { system: [block(LONG, mark('1h'))], messages: [ask(SHORT)] };
    expect(await classes(hour)).toEqual([13, 0, 1_300, 0]);
    await sim.advance(59 * 60_000);
    expect(await classes(hour)).toEqual([13, 0, 0, 1_300]);
    await sim.advance(60 * 60_000);
    expect(await classes(hour)).toEqual([13, 0, 1_300, 0]);
  });

  test('mixed ttl: read A, one-hour B − A, five-minute C − B', async () => {
    const a = block(LONG, mark('1h'));
    const b = block(textOf('rules', 400), mark('1h'));
    const c = block(textOf('story', 800), mark());
    expect(await classes({ system: [a], messages: [ask(SHORT)] })).toEqual([13, 0, 1_300, 0]);
    expect(
      await classes({ system: [a, b], messages: [{ role: 'user', content: [c, block(SHORT)] }] }),
    ).toEqual([13, 260, 130, 1_300]);
    expect(
      await classes({ system: [a, b], messages: [{ role: 'user', content: [c, block(SHORT)] }] }),
    ).toEqual([13, 0, 0, 1_690]);
  });

  test('two cold requests at once both write: readable only once the first answer has begun', async () => {
    const slow = { delay: { first_ms: 100, between_ms: 0 }, answer: { text: 'slow' } };
    await sim.script(slow, slow);
    expect(await Promise.all([classes(marked), classes(marked)])).toEqual([
      [13, 1_300, 0, 0],
      [13, 1_300, 0, 0],
    ]);
    expect(await classes(marked)).toEqual([13, 0, 0, 1_300]);
  });

  test('traps T26: another key reads nothing', async () => {
    await classes(marked);
    expect(await classes(marked, { authorization: 'Bearer sk-other' })).toEqual([13, 1_300, 0, 0]);
  });

  test('a fault before the answer writes nothing', async () => {
    await sim.script({ fault: { kind: 'status', status: 529 } });
    await expect(classes(marked)).rejects.toThrow('Overloaded');
    expect(await classes(marked)).toEqual([13, 1_300, 0, 0]);
  });

  test('max_tokens 0 fills the cache and says nothing', async () => {
    const response = await sim.post('/v1/messages', { model: 'claude-opus-5-5', max_tokens: 0, ...marked });
    expect(await response.json()).toMatchObject({
      content: [],
      stop_reason: 'max_tokens',
      usage: { output_tokens: 0 },
    });
    expect(await classes(marked)).toEqual([13, 0, 0, 1_300]);
  });
});

describe('Anthropic loses a prefix', () => {
  // 1,303 tokens of tools (JSON of 4,008 characters), 1,300 of system, 1,300 of messages, each with a marker.
  const tool = { name: 'look', description: '', input_schema: { type: 'object' } };
  const description = textOf('tool', 4_008 - JSON.stringify(tool).length);
  const all: Fields = {
    tools: [{ ...tool, description, ...mark() }],
    system: [block(LONG, mark())],
    messages: [{ role: 'user', content: [block(LONG, mark())] }],
  };
  const image = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } };
  const other = { type: 'image', source: { type: 'url', url: 'https://example.com/b.png' } };
  const showing = (...images: object[]) => ({
    messages: [{ role: 'user', content: [block(LONG, mark()), ...images] }],
  });
  const second = { name: 'find', input_schema: { type: 'object' } };
  const document = (enabled: boolean) => ({
    messages: [
      {
        role: 'user',
        content: [
          block(LONG, mark()),
          {
            type: 'document',
            source: { type: 'text', media_type: 'text/plain', data: SHORT },
            citations: { enabled },
          },
        ],
      },
    ],
  });
  const format = { type: 'json_schema', schema: { type: 'object', additionalProperties: false } };

  test.each<[string, Fields, number]>([
    ['nothing', {}, 3_903],
    ['the model', { model: 'claude-opus-5' }, 0],
    ['a tool', { tools: [{ ...tool, description: `${description}!`, ...mark() }] }, 0],
    ['the system prompt', { system: [block(`${LONG}!`, mark())] }, 1_303],
    ['speed', { speed: 'fast' }, 1_303],
    [
      'web search',
      { tools: [...(all.tools as object[]), { type: 'web_search_20250305', name: 'web_search' }] },
      1_303,
    ],
    ['citations', document(true), 1_303],
    ['a document without them', document(false), 3_903],
    ['tool_choice', { tool_choice: { type: 'none' } }, 2_603],
    ['tool_choice said out loud', { tool_choice: { type: 'auto' } }, 3_903],
    ['parallel calls', { tool_choice: { type: 'auto', disable_parallel_tool_use: true } }, 2_603],
    [
      'parallel calls said out loud',
      { tool_choice: { type: 'auto', disable_parallel_tool_use: false } },
      3_903,
    ],
    ['an image added', showing(image), 2_603],
    ['effort', { output_config: { effort: 'high' } }, 0],
    ['the default effort said out loud', { output_config: { effort: 'medium' } }, 3_903],
    ["the answer's format", { output_config: { format } }, 0],
    ['a message', { messages: [{ role: 'user', content: [block(`${LONG}!`, mark())] }] }, 2_603],
  ])('when %s changes', async (_what, change, read) => {
    await classes(all);
    expect((await classes({ ...all, ...change }))[3]).toBe(read);
  });

  test('when tools change places', async () => {
    const [one] = all.tools as object[];
    await classes({ ...all, tools: [second, one] });
    expect((await classes({ ...all, tools: [one, second] }))[3]).toBe(0);
    expect((await classes({ ...all, tools: [second, one] }))[3]).toBeGreaterThan(3_903);
  });

  test('when the last image goes, not with one more', async () => {
    const [, written = 0] = await classes({ ...all, ...showing(image) });
    expect((await classes({ ...all, ...showing(image, other) }))[3]).toBe(written);
    expect((await classes({ ...all, ...showing() }))[3]).toBe(2_603);
  });

  // 4,096 tokens at least: tools of 16,400 characters. Plain tokenizer: characters / 4.
  test.each<[string, Fields, Fields, string]>([
    ['claude-haiku-4-5', {}, { thinking: { type: 'enabled', budget_tokens: 1_024 } }, 'system'],
    ['claude-opus-4-5', {}, { output_config: { effort: 'low' } }, 'system'],
    ['claude-sonnet-4-6', {}, { thinking: { type: 'adaptive' } }, 'nothing'],
    ['claude-sonnet-5', {}, { thinking: { type: 'disabled' } }, 'nothing'],
    ['claude-sonnet-4-6', { thinking: { type: 'disabled' } }, {}, 'all'],
  ])('when thinking or effort of %s changes from %j to %j: left is %s', async (model, from, to, left) => {
    const [own] = all.tools as object[];
    const request = {
      ...{ ...all, model, max_tokens: 2_000 },
      tools: [{ ...own, description: textOf('tool', 16_400) }],
    };
    const [, written = 0] = await classes({ ...request, ...from });
    const messages = (await classes({ ...request, ...from, tool_choice: { type: 'none' } }))[1] ?? 0;
    expect((await classes({ ...request, ...to }))[3]).toBe(
      { all: written, system: written - messages, nothing: 0 }[left],
    );
  });

  test.each([
    ['claude-haiku-4-5', false],
    ['claude-sonnet-4-5', false],
    ['claude-opus-4-5', true],
    ['claude-sonnet-4-6', true],
    ['claude-opus-5-5', true],
  ])('when the user speaks after a tool loop of %s: thinking kept %s', async (model, kept) => {
    const thinking = /4-[56]$/.test(model) ? { thinking: { type: 'enabled', budget_tokens: 1_024 } } : {};
    const long = { ...ask(textOf('ask', 20_000)) };
    const request = (messages: Fields[]) => ({
      ...{ model, max_tokens: 2_000, ...mark(), ...thinking },
      ...{ tools: [tool], messages },
    });
    await sim.script({ answer: { calls: [{ name: 'look', arguments: {} }] } });
    const turn = await answerOf(await sim.post('/v1/messages', request([long])));
    const call = turn.content.find((one) => one.type === 'tool_use');
    const result = { type: 'tool_result', tool_use_id: call?.id, content: textOf('result', 4_000) };
    const loop = [long, { role: 'assistant', content: turn.content }, { role: 'user', content: [result] }];
    const [, more = 0, , asked = 0] = await classes(request(loop));
    expect([asked > 4_096, more > 900]).toEqual([true, true]);
    const next = [...loop, { role: 'assistant', content: 'Done.' }, ask(SHORT)];
    // Where it is stripped, nothing after the first ask is what it was.
    expect((await classes(request(next)))[3]).toBe(kept ? asked + more : asked);
  });

  test('not by a system message that is appended', async () => {
    const then = [
      { role: 'assistant', content: 'Well.' },
      ask('Go on.'),
      { role: 'system', content: 'Be brief.' },
    ];
    await classes(all);
    const { messages } = all as { messages: Fields[] };
    expect((await classes({ ...all, messages: [...messages, ...then] }))[3]).toBe(3_903);
  });

  test('when the keys of a call change places', async () => {
    const called = (input: object) => ({
      ...mark(),
      messages: [
        ask(LONG),
        { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'look', input }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: SHORT }] },
      ],
    });
    const [, written] = await classes(called({ x: 1, y: 2 }));
    expect(await classes(called({ x: 1, y: 2 }))).toEqual([0, 0, 0, written]);
    expect((await classes(called({ y: 2, x: 1 })))[3]).toBe(0);
  });
});
