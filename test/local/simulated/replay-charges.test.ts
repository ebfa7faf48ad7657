import { describe, expect, test } from 'vitest';
import type { Usage } from '../../../src/core/accounting/usage.ts';
import { inputTokens, usageOf } from '../../../src/core/accounting/usage.ts';
import { COLD } from '../../../src/core/context/prefix-state.ts';
import { charge } from '../../../src/core/replay/charge.ts';
import type { Candidate } from '../../../src/core/routing/candidate.ts';
import { candidate, inputOf, NOW, providersWith } from '../../core/routing/scenarios.ts';
import { answerOf, simulated, textOf } from './running.ts';

/**
 * The replay's arithmetic against the simulated providers, which keep prompts block by block: the same growing tool
 * loop on one model, step by step. All models here count as the reference tokenizer does.
 */
const sim = simulated();

const LOOP = { name: 'search', schema: { type: 'object', properties: { q: { type: 'string' } } } };
const question = (characters: number) => textOf('question', characters);
const result = (step: number) => textOf(`result${step}`, 1_200);

/** Input of a request of a loop with so many calls behind it, as Anthropic's Messages bill it. */
async function onClaude(model: string, characters: number, calls: number): Promise<Usage> {
  const loop = Array.from({ length: calls }, (_, i) => [
    {
      role: 'assistant',
      content: [{ type: 'tool_use', id: `toolu_${i}`, name: LOOP.name, input: { q: `${i}` } }],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: `toolu_${i}`, content: result(i) }] },
  ]).flat();
  const { usage, error } = await answerOf(
    await sim.post('/v1/messages', {
      ...{ model, max_tokens: 100, cache_control: { type: 'ephemeral' } },
      tools: [{ name: LOOP.name, input_schema: LOOP.schema }],
      messages: [{ role: 'user', content: question(characters) }, ...loop],
    }),
  );
  if (error != null) throw new Error(error.message);
  return usageOf({
    fresh: usage.input_tokens,
    write_5m: usage.cache_creation_input_tokens,
    read: usage.cache_read_input_tokens,
  });
}

/** The same, as OpenAI's Responses bill it. */
async function onGpt(model: string, characters: number, calls: number): Promise<Usage> {
  const loop = Array.from({ length: calls }, (_, i) => [
    { type: 'function_call', call_id: `call_${i}`, name: LOOP.name, arguments: `{"q":"${i}"}` },
    { type: 'function_call_output', call_id: `call_${i}`, output: result(i) },
  ]).flat();
  const { usage, error } = await answerOf(
    await sim.post('/v1/responses', {
      ...{ model, store: false },
      tools: [{ type: 'function', name: LOOP.name, parameters: LOOP.schema, strict: false }],
      input: [{ role: 'user', content: question(characters) }, ...loop],
    }),
  );
  if (error != null) throw new Error(error.message);
  const { cached_tokens: read, cache_write_tokens: written = 0 } = usage.input_tokens_details;
  return usageOf({ fresh: usage.input_tokens - read - written, write_30m: written, read });
}

/** The loop's first requests on the simulator, so many seconds apart, and the replay's charges for the same lengths. */
async function both(
  model: Candidate,
  send: typeof onGpt,
  { characters = 24_000, seconds = [10, 10, 10, 10] } = {},
) {
  const pairs: { simulated: Usage; charged: Usage }[] = [];
  let caches = COLD;
  let at = NOW;
  for (const [calls, wait] of [0, ...seconds].entries()) {
    await sim.advance(wait * 1_000);
    at += wait * 1_000;
    const simulated = await send(model.name, characters, calls);
    const input = inputOf(inputTokens(simulated), 1 + 2 * calls);
    const request = { input, at, output: 0, parts: {} };
    const { usage, caches: then } = charge(model, request, caches, providersWith());
    caches = then;
    pairs.push({ simulated, charged: usage });
  }
  return pairs;
}

describe.each([
  ['claude-sonnet-4-6', candidate('anthropic/claude-sonnet-4-6', 'medium'), onClaude, 'write_5m', 300],
  ['claude-haiku-4-5', candidate('anthropic/claude-haiku-4-5', 'easy'), onClaude, 'write_5m', 300],
  ['gpt-6-luna', candidate('openai/gpt-6-luna', 'easy'), onGpt, 'write_30m', 1_800],
] as const)('the replay bills as %s does', (_name, model, send, write, lifetime) => {
  test('what a step reads is what the one before it read and wrote', async () => {
    const pairs = await both(model, send);
    for (const { simulated, charged } of pairs) expect(charged).toEqual(simulated);
    pairs.slice(1).forEach(({ simulated }, i) => {
      const before = pairs[i]?.simulated ?? usageOf({});
      expect(simulated.read).toBe(before.read + before[write]);
      expect(simulated.read).toBeGreaterThan(5_000);
      expect(simulated.fresh).toBe(0);
    });
  });

  test('traps T14: after its lifetime all is written again', async () => {
    const pairs = await both(model, send, { seconds: [lifetime - 20, lifetime + 20, 10] });
    for (const { simulated, charged } of pairs) expect(charged).toEqual(simulated);
    expect(pairs.map(({ simulated }) => simulated.read > 0)).toEqual([false, true, false, true]);
  });

  test('traps T54: nothing under the minimum is read or written', async () => {
    // Some 80 tokens, and 300 more with each result: Haiku 4.5 stays under its minimum throughout, the others cross theirs.
    const pairs = await both(model, send, { characters: 200 });
    for (const { simulated, charged } of pairs) expect(charged).toEqual(simulated);
    expect(pairs[0]?.simulated).toMatchObject({ read: 0, [write]: 0 });
    expect((pairs[0]?.simulated.fresh ?? 0) > 0).toBe(true);
  });
});

test('the replay bills as gpt-5 does: free writes, reads to the last whole 128 tokens', async () => {
  const pairs = await both(candidate('openai/gpt-5', 'easy'), onGpt);
  for (const [i, { simulated, charged }] of pairs.entries()) {
    expect(inputTokens(charged)).toBe(inputTokens(simulated));
    expect(charged.write_30m + simulated.write_30m).toBe(0);
    // The simulator cuts the text every 512 characters, the replay counts tokens: at most one step apart.
    expect(Math.abs(charged.read - simulated.read)).toBeLessThanOrEqual(128);
    expect([charged.read % 128, simulated.read % 128]).toEqual([0, 0]);
    expect(simulated.read > 0).toBe(i > 0);
  }
});
