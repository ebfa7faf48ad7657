import { describe, expect, test } from 'vitest';
import { answerOf, simulated, textOf } from './running.ts';

const sim = simulated();

type Fields = Record<string, unknown>;

// Characters / 4: 6,000 characters are 1,500 tokens, 40 are 10.
const LONG = textOf('policy', 6_000);
const SHORT = textOf('question', 40);
const MINUTE = 60_000;
const user = (text: string) => ({ role: 'user', content: text });
const bot = (text: string) => ({ role: 'assistant', content: text });
const marked = (text: string, ttl?: string) => ({
  role: 'user',
  content: [
    {
      type: 'input_text',
      text,
      prompt_cache_breakpoint: { mode: 'explicit', ...(ttl === undefined ? {} : { ttl }) },
    },
  ],
});

/** Input of one response: [all, written, read]. */
async function classes(fields: Fields, key = sim.key): Promise<number[]> {
  const response = await sim.post(
    '/v1/responses',
    { model: 'gpt-6-luna', store: false, ...fields },
    { authorization: `Bearer ${key}` },
  );
  const { usage, error } = await answerOf(response);
  if (error != null) throw new Error(error.message);
  const details = usage.input_tokens_details;
  expect(details.cache_write_tokens).toBe(
    details.cache_write_tokens_details.ttl_30m_tokens + details.cache_write_tokens_details.ttl_12h_tokens,
  );
  return [usage.input_tokens, details.cache_write_tokens, details.cached_tokens];
}

describe('GPT-5.6 and later keep prompts at breakpoints', () => {
  test('traps T55: writes are reported, and the end of the latest message is the implicit breakpoint', async () => {
    const first = [user(LONG)];
    const second = [...first, bot(SHORT), user(SHORT)];
    expect(await classes({ input: first })).toEqual([1_500, 1_500, 0]);
    expect(await classes({ input: first })).toEqual([1_500, 0, 1_500]);
    expect(await classes({ input: second })).toEqual([1_520, 20, 1_500]);
    expect(await classes({ input: second })).toEqual([1_520, 0, 1_520]);
  });

  test('traps T55: a shared prefix without a breakpoint at its end is never read', async () => {
    const about = (question: string) => ({ instructions: LONG, input: question });
    await classes(about('first question'));
    expect((await classes(about('second question')))[2]).toBe(0);
  });

  test('an explicit breakpoint makes the shared prefix readable', async () => {
    const about = (question: string) => ({ input: [marked(LONG), user(question)] });
    expect(await classes(about(SHORT))).toEqual([1_510, 1_510, 0]);
    expect(await classes(about(textOf('other', 80)))).toEqual([1_520, 20, 1_500]);
  });

  test('explicit mode without a breakpoint caches nothing', async () => {
    const request = { input: LONG, prompt_cache_options: { mode: 'explicit' } };
    expect(await classes(request)).toEqual([1_500, 0, 0]);
    expect(await classes(request)).toEqual([1_500, 0, 0]);
  });

  test('four writes a request: the implicit one and the latest three explicit', async () => {
    const parts = ['a', 'b', 'c', 'd', 'e'].map((name) => textOf(name, 4_800));
    await classes({ input: [...parts.map((part) => marked(part)), user(SHORT)] });
    // Of five explicit ones the latest three were written: after the 3rd, 4th and 5th part.
    const upTo = async (count: number) => {
      const input = [...parts.slice(0, count).map((part) => marked(part)), user('new')];
      return (await classes({ input, prompt_cache_options: { mode: 'explicit' } }))[2];
    };
    expect(await upTo(3)).toBe(3_600);
    expect(await upTo(2)).toBe(0);
  });

  test('1,024 tokens at least', async () => {
    const under = { input: textOf('x', 4_092) };
    const enough = { input: textOf('x', 4_096) };
    expect(await classes(under)).toEqual([1_023, 0, 0]);
    expect(await classes(under)).toEqual([1_023, 0, 0]);
    expect(await classes(enough)).toEqual([1_024, 1_024, 0]);
    expect(await classes(enough)).toEqual([1_024, 0, 1_024]);
  });

  test('30 minutes, renewed by reads; 12 hours if asked for', async () => {
    await classes({ input: LONG });
    await sim.advance(29 * MINUTE);
    expect((await classes({ input: LONG }))[2]).toBe(1_500);
    await sim.advance(29 * MINUTE);
    expect((await classes({ input: LONG }))[2]).toBe(1_500);
    await sim.advance(30 * MINUTE);
    expect((await classes({ input: LONG }))[2]).toBe(0);

    const long = { input: textOf('other', 6_000), prompt_cache_options: { ttl: '12h' } };
    const response = await sim.post('/v1/responses', { model: 'gpt-6-luna', store: false, ...long });
    expect((await answerOf(response)).usage.input_tokens_details.cache_write_tokens_details).toEqual({
      ttl_30m_tokens: 0,
      ttl_12h_tokens: 1_500,
    });
    await sim.advance(11 * 60 * MINUTE);
    expect((await classes(long))[2]).toBe(1_500);
  });

  const tool = { type: 'function', name: 'look', parameters: null };
  const other = { ...tool, name: 'find' };
  test.each<[string, Fields, boolean]>([
    ['the model', { model: 'gpt-6-sol' }, false],
    ['the prompt cache key', { prompt_cache_key: 'b' }, false],
    ['effort', { reasoning: { effort: 'high' } }, false],
    ['the default effort said out loud', { reasoning: { effort: 'medium' } }, true],
    ['verbosity', { text: { verbosity: 'high' } }, false],
    ['the default verbosity said out loud', { text: { verbosity: 'medium' } }, true],
    ['text.format', { text: { format: { type: 'json_object' } } }, false],
    ['the default format said out loud', { text: { format: { type: 'text' } } }, true],
    ['parallel_tool_calls', { parallel_tool_calls: false }, false],
    ['parallel_tool_calls said out loud', { parallel_tool_calls: true }, true],
    ['the service tier', { service_tier: 'flex' }, false],
    ['a tool', { tools: [tool, tool] }, false],
    ['the order of tools', { tools: [other, tool] }, false],
    ['the instructions', { instructions: 'Be brief.' }, false],
    ['tool_choice', { tool_choice: 'none' }, true],
    [
      'the tools allowed',
      {
        tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'look' }] },
      },
      true,
    ],
    ['the length of the answer', { max_output_tokens: 500 }, true],
  ])('%s changes', async (_what, change, kept) => {
    const request = { tools: [tool, other], input: `json ${LONG}` };
    const [, written] = await classes(request);
    expect((await classes({ ...request, ...change }))[2]).toBe(kept ? written : 0);
  });

  test('effort that changes within the input keeps what stood before it', async () => {
    const update = { type: 'configuration_update', reasoning: { effort: 'high' } };
    await classes({ input: [user(LONG)] });
    expect((await classes({ input: [user(LONG), bot(SHORT), update, user(SHORT)] }))[2]).toBe(1_500);
  });

  test('traps T26: another key reads nothing', async () => {
    await classes({ input: LONG });
    expect((await classes({ input: LONG }, 'sk-other'))[2]).toBe(0);
  });

  test('two cold requests at once both write', async () => {
    const slow = { delay: { first_ms: 100, between_ms: 0 }, answer: { text: 'slow' } };
    await sim.script(slow, slow);
    const both = await Promise.all([classes({ input: LONG }), classes({ input: LONG })]);
    expect(both.map(([, , read]) => read)).toEqual([0, 0]);
    expect((await classes({ input: LONG }))[2]).toBe(1_500);
  });

  test('in Chat too', async () => {
    const body = { model: 'gpt-6-luna', messages: [user(LONG)] };
    const usage = async () => (await answerOf(await sim.post('/v1/chat/completions', body))).usage;
    expect(await usage()).toMatchObject({
      prompt_tokens: 1_500,
      prompt_tokens_details: { cached_tokens: 0, cache_write_tokens: 1_500 },
    });
    expect(await usage()).toMatchObject({
      prompt_tokens: 1_500,
      prompt_tokens_details: { cached_tokens: 1_500, cache_write_tokens: 0 },
    });
  });
});

describe('earlier models keep prompts by intervals', () => {
  test('reads in steps of 128, writes for free', async () => {
    const shared = { model: 'gpt-5.4', instructions: LONG };
    expect(await classes({ ...shared, input: SHORT })).toEqual([1_510, 0, 0]);
    // 1,500 shared tokens: 11 steps of 128.
    expect(await classes({ ...shared, input: textOf('something', 40) })).toEqual([1_510, 0, 1_408]);
  });

  test('nothing under 1,024 tokens', async () => {
    const request = { model: 'gpt-5.4', input: textOf('x', 4_092) };
    await classes(request);
    expect(await classes(request)).toEqual([1_023, 0, 0]);
  });

  test('GPT-5.5 in steps of 2,048', async () => {
    const request = { model: 'gpt-5.5', input: textOf('x', 4 * 5_000) };
    await classes(request);
    expect(await classes(request)).toEqual([5_000, 0, 4_096]);
  });

  test.each<[string, Fields, number]>([
    ['the system prompt', { instructions: textOf('rules', 6_000) }, 1_408],
    [
      'an image',
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'https://x' }] }] },
      2_944,
    ],
    ['tool_choice', { tool_choice: 'none' }, 2_944],
    ['effort', { reasoning: { effort: 'high' } }, 0],
    ['parallel_tool_calls', { parallel_tool_calls: false }, 0],
  ])('another %s leaves what stood before it, or nothing', async (_what, change, read) => {
    // 1,500 tokens of tools, 1,500 of instructions: 11 steps of 128, and 23.
    const tool = { type: 'function', name: 'look', parameters: null, description: '' };
    const description = textOf('tool', 6_000 - JSON.stringify(tool).length);
    const request = { model: 'gpt-5.4', tools: [{ ...tool, description }], instructions: LONG, input: SHORT };
    await classes(request);
    expect((await classes({ ...request, ...change }))[2]).toBe(read);
  });

  test('in_memory is gone after minutes, 24h after a day', async () => {
    const brief = { model: 'gpt-5.4', input: LONG, prompt_cache_retention: 'in_memory' };
    await classes(brief);
    await sim.advance(5 * MINUTE);
    expect((await classes(brief))[2]).toBe(0);
    const day = { model: 'gpt-5.4', input: textOf('day', 6_000) };
    await classes(day);
    await sim.advance(23 * 60 * MINUTE);
    expect((await classes(day))[2]).toBe(1_408);
  });
});
