import { describe, expect, test } from 'vitest';
import { readLoggedRequest } from '../../../src/cli/replay/log-request.ts';
import { inputTokens, type Usage, usageOf } from '../../../src/core/accounting/usage.ts';
import { COLD } from '../../../src/core/context/prefix-state.ts';
import { charge } from '../../../src/core/replay/charge.ts';
import { loggedStep } from '../../../src/core/replay/logged-step.ts';
import { candidate, inputOf, NOW, providersWith } from '../../core/routing/scenarios.ts';
import { answerOf, simulated, textOf } from './running.ts';

/**
 * What loses a prompt cache: the same requests to the simulated providers, which compare them block by block, and as
 * they would be read from a log and charged by a replay. Both must read what is worked out here by hand.
 *
 * All models here count four characters as a token. A request is 5,000 tokens of tools, 2,000 of system and 1,000 of an
 * ask, then calls of 4 ("search{"q":"0"}") with results of 300: 8,304 tokens with one call behind it, 8,608 with two,
 * 8,912 with three, 9,216 with four.
 *
 * Each trace is four requests: plain, changed, plain again, changed again, each with one call more. The second reads
 * what the change leaves: nothing, the 5,000 of its tools, the 7,000 of tools and system, or the 8,304 that the first
 * wrote. What was lost is still there for who goes back: the third reads the first's 8,304, the fourth the second's
 * 8,608. Where nothing was lost each reads what the one before it wrote.
 */
const sim = simulated();
type Body = Record<string, unknown>;

const LEFT = {
  nothing: [0, 0, 8_304, 8_608],
  tools: [0, 5_000, 8_304, 8_608],
  'tools and system': [0, 7_000, 8_304, 8_608],
  all: [0, 8_304, 8_608, 8_912],
} as const;

const MARK = { cache_control: { type: 'ephemeral' } };
const SYSTEM = textOf('rules', 8_000);
const ASK = textOf('ask json', 4_000);
const result = (call: number) => textOf(`result${call}`, 1_200);

/** A tool whose JSON has so many characters. */
function long<T extends { description: string }>(tool: T, characters: number): T {
  const description = textOf('tool', characters - JSON.stringify(tool).length);
  return { ...tool, description };
}

const CLAUDE_TOOL = long({ name: 'search', description: '', input_schema: { type: 'object' } }, 19_800);
const CLAUDE_OTHER = long({ name: 'other', description: '', input_schema: { type: 'object' } }, 200);
const GPT_TOOL = { type: 'function', name: 'search', description: '', parameters: null, strict: false };
const [GPT_SEARCH, GPT_OTHER] = [long(GPT_TOOL, 19_800), long({ ...GPT_TOOL, name: 'other' }, 200)];

/** Markers at the end of tools and of the system prompt, and an automatic one at the end of all. */
function onClaude(model: string, calls: number): Body {
  const loop = Array.from({ length: calls }, (_, i) => [
    { role: 'assistant', content: [{ type: 'tool_use', id: `t${i}`, name: 'search', input: { q: `${i}` } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: `t${i}`, content: result(i) }] },
  ]).flat();
  return {
    ...{ model, max_tokens: 2_000, ...MARK },
    tools: [CLAUDE_TOOL, { ...CLAUDE_OTHER, ...MARK }],
    system: [{ type: 'text', text: SYSTEM, ...MARK }],
    messages: [{ role: 'user', content: ASK }, ...loop],
  };
}

function onGpt(model: string, calls: number): Body {
  const loop = Array.from({ length: calls }, (_, i) => [
    { type: 'function_call', call_id: `c${i}`, name: 'search', arguments: `{"q":"${i}"}` },
    { type: 'function_call_output', call_id: `c${i}`, output: result(i) },
  ]).flat();
  return {
    ...{ model, store: false, tools: [GPT_OTHER, GPT_SEARCH], instructions: SYSTEM },
    input: [{ role: 'user', content: ASK }, ...loop],
  };
}

/** Input of a request as its provider bills it. */
async function billed(body: Body): Promise<Usage> {
  const isClaude = String(body.model).startsWith('claude');
  const path = isClaude ? '/v1/messages' : '/v1/responses';
  const { usage, error } = await answerOf(await sim.post(path, body));
  if (error != null) throw new Error(error.message);
  if (isClaude) {
    return usageOf({
      ...{ fresh: usage.input_tokens, read: usage.cache_read_input_tokens },
      write_5m: usage.cache_creation_input_tokens,
    });
  }
  const { cached_tokens: read, cache_write_tokens: written = 0 } = usage.input_tokens_details;
  return usageOf({ fresh: usage.input_tokens - read - written, write_30m: written, read });
}

/** The requests as the simulator bills them, and as a replay of their log does. */
async function both(name: string, bodies: readonly Body[]) {
  const model = candidate(name, 'easy');
  const found: { simulated: Usage; charged: Usage }[] = [];
  let caches = COLD;
  for (const [nth, body] of bodies.entries()) {
    const bill = await billed(body);
    const { conversation, wire } = readLoggedRequest(body);
    const { parts, needs } = loggedStep(conversation, 0, 0, { wire });
    const tokens = inputTokens(bill);
    const size = (text: number) => ({ text, images: 0, smallImages: 0 });
    // As long as it was counted; a second ask ends the prompt.
    const turn = needs.input.asks > 1 ? tokens : 8_000;
    const before = { system: size(5_000), messages: size(7_000), turn: size(turn) };
    const request = { input: { ...inputOf(tokens, needs.input.blocks), before }, parts };
    const charged = charge(model, { ...request, at: NOW + nth * 10_000, output: 0 }, caches, providersWith());
    caches = charged.caches;
    found.push({ simulated: bill, charged: charged.usage });
  }
  return found;
}

/** A plain request, a changed one, and both again. */
async function trace(name: string, change: (plain: Body) => Body) {
  const id = name.slice(name.indexOf('/') + 1);
  const plain = id.startsWith('claude') ? onClaude : onGpt;
  return both(
    name,
    [1, 2, 3, 4].map((calls) => (calls % 2 === 0 ? change(plain(id, calls)) : plain(id, calls))),
  );
}

const set = (change: Body) => (plain: Body) => ({ ...plain, ...change });
const reversed = (text: string) => [...text].reverse().join('');

describe('a log whose requests differ reads what Anthropic leaves', () => {
  const another = [
    CLAUDE_TOOL,
    { ...CLAUDE_OTHER, description: reversed(CLAUDE_OTHER.description), ...MARK },
  ];
  const order = [CLAUDE_OTHER, { ...CLAUDE_TOOL, ...MARK }];
  const system = [{ type: 'text', text: reversed(SYSTEM), ...MARK }];
  const format = { type: 'json_schema', schema: { type: 'object', additionalProperties: false } };
  const enabled = { type: 'enabled', budget_tokens: 1_024 };

  test.each<[string, string, keyof typeof LEFT, Body]>([
    ['claude-sonnet-4-6', 'a tool', 'nothing', { tools: another }],
    ['claude-sonnet-4-6', 'the order of tools', 'nothing', { tools: order }],
    ['claude-sonnet-4-6', 'the format', 'nothing', { output_config: { format } }],
    ['claude-sonnet-4-6', 'thinking', 'nothing', { thinking: { type: 'adaptive' } }],
    ['claude-haiku-4-5', 'thinking', 'tools and system', { thinking: enabled }],
    ['claude-sonnet-4-6', 'effort', 'nothing', { output_config: { effort: 'low' } }],
    ['claude-opus-4-5', 'effort', 'tools and system', { output_config: { effort: 'low' } }],
    ['claude-sonnet-4-6', 'the default effort, said', 'all', { output_config: { effort: 'high' } }],
    ['claude-sonnet-4-6', 'the system prompt', 'tools', { system }],
    ['claude-sonnet-4-6', 'speed', 'tools', { speed: 'fast' }],
    ['claude-sonnet-4-6', 'tool_choice', 'tools and system', { tool_choice: { type: 'none' } }],
    ['claude-haiku-4-5', 'tool_choice', 'tools and system', { tool_choice: { type: 'any' } }],
    ['claude-sonnet-4-6', 'the default choice, said', 'all', { tool_choice: { type: 'auto' } }],
    [
      ...(['claude-sonnet-4-6', 'parallel calls', 'tools and system'] as const),
      { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
    ],
    ['claude-sonnet-4-6', 'the length of the answer', 'all', { max_tokens: 1_000 }],
    ['claude-sonnet-4-6', 'who asks', 'all', { metadata: { user_id: 'u' } }],
  ])('%s, %s: left is %s', async (model, _what, left, change) => {
    const found = await trace(`anthropic/${model}`, set(change));
    expect(found.map(({ simulated }) => simulated.read)).toEqual(LEFT[left]);
    for (const { simulated: bill, charged } of found) expect(charged).toEqual(bill);
  });

  test('web search leaves the tools; what is told of it comes before the system prompt', async () => {
    const search = { type: 'web_search_20250305', name: 'web_search' };
    const found = await trace('anthropic/claude-sonnet-4-6', (plain) => ({
      ...plain,
      tools: [...(plain.tools as object[]), search],
    }));
    for (const { simulated: bill, charged } of found) expect(charged).toEqual(bill);
    expect(found.map(({ simulated: { read } }) => read).slice(0, 3)).toEqual(LEFT.tools.slice(0, 3));
  });

  test('the first image leaves tools and system, further ones all', async () => {
    const model = 'claude-sonnet-4-6';
    const shown = (calls: number, images: number) => {
      const plain = onClaude(model, calls) as { messages: Body[] };
      const source = (nth: number) => ({ type: 'url', url: `https://example.com/${nth}.png` });
      // Beside the latest results, as screenshots are: the first with the second call.
      plain.messages
        .slice(4)
        .filter(({ role }) => role === 'user')
        .slice(0, images)
        .forEach((message, nth) => {
          message.content = [...(message.content as object[]), { type: 'image', source: source(nth) }];
        });
      return plain;
    };
    const bodies = [onClaude(model, 1), shown(2, 1), shown(3, 2), shown(4, 3)];
    const found = await both(`anthropic/${model}`, bodies);
    for (const { simulated: bill, charged } of found) expect(charged).toEqual(bill);
    // An image is 1,590 tokens: 8,608 + 1,590 written by the second request, 304 + 1,590 more by the third.
    expect(found.map(({ simulated: { read } }) => read)).toEqual([0, 7_000, 10_198, 12_092]);
  });

  test.each([
    // Thinking is 32 tokens at Haiku's and Sonnet's default here, and stands in the second request, not in the third.
    ['claude-haiku-4-5', [0, 8_000, 8_000]],
    ['claude-sonnet-4-6', [0, 8_000, 8_304 + 64]],
  ] as const)('%s: what the user says after a tool loop', async (model, reads) => {
    const asked = (more: readonly object[]): Body => ({
      ...onClaude(model, 0),
      thinking: { type: 'enabled', budget_tokens: 1_024 },
      messages: [{ role: 'user', content: ASK }, ...more],
    });
    await sim.script({
      answer: { calls: [{ id: 'toolu_a', name: 'search', arguments: { q: '0' } }] },
    });
    const { content } = await answerOf(await sim.post('/v1/messages', asked([])));
    await sim.control('DELETE', 'cache');
    const results = {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 'toolu_a', content: result(0) }],
    };
    const loop = [{ role: 'assistant', content }, results];
    const then = [
      { role: 'assistant', content: 'Found.' },
      { role: 'user', content: 'Thanks.' },
    ];
    const found = await both(`anthropic/${model}`, [asked([]), asked(loop), asked([...loop, ...then])]);
    expect(found.map(({ simulated: { read } }) => read)).toEqual(reads);
    for (const { simulated: bill, charged } of found) expect(charged).toEqual(bill);
  });
});

describe('a log whose requests differ reads what OpenAI leaves', () => {
  const another = [{ ...GPT_OTHER, description: reversed(GPT_OTHER.description) }, GPT_SEARCH];
  const allowed = { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'search' }] };
  const changes: [string, keyof typeof LEFT, Body][] = [
    ['a tool', 'nothing', { tools: another }],
    ['the order of tools', 'nothing', { tools: [GPT_SEARCH, GPT_OTHER] }],
    ['parallel calls', 'nothing', { parallel_tool_calls: false }],
    ['the format', 'nothing', { text: { format: { type: 'json_object' } } }],
    ['effort', 'nothing', { reasoning: { effort: 'low' } }],
    ['verbosity', 'nothing', { text: { verbosity: 'low' } }],
    ['the service tier', 'nothing', { service_tier: 'flex' }],
    ['the key', 'nothing', { prompt_cache_key: 'other' }],
    ['tool_choice', 'all', { tool_choice: 'none' }],
    ['the tools allowed', 'all', { tool_choice: allowed }],
    ['defaults, said', 'all', { reasoning: { effort: 'medium' }, text: { verbosity: 'medium' } }],
  ];

  test.each(changes)('gpt-6-luna, %s: left is %s', async (_what, left, change) => {
    const found = await trace('openai/gpt-6-luna', set(change));
    expect(found.map(({ simulated }) => simulated.read)).toEqual(LEFT[left]);
    for (const { simulated: bill, charged } of found) expect(charged).toEqual(bill);
  });

  test('gpt-6-luna, the system prompt: no breakpoint stands between it and the tools', async () => {
    const found = await trace('openai/gpt-6-luna', set({ instructions: reversed(SYSTEM) }));
    expect(found.map(({ simulated }) => simulated.read)).toEqual(LEFT.nothing);
    for (const { simulated: bill, charged } of found) expect(charged).toEqual(bill);
  });

  test.each([
    ...changes,
    // 5,000 tokens of tools: 39 steps of 128.
    ['the system prompt', 'tools', { instructions: reversed(SYSTEM) }] as const,
  ])('gpt-5, %s: left is %s, in whole steps of 128', async (_what, left, change) => {
    const found = await trace('openai/gpt-5', set(change));
    found.forEach(({ simulated: bill, charged }, nth) => {
      const whole = LEFT[left][nth] ?? Number.NaN;
      // The simulator cuts the text every 512 characters, the replay counts tokens: at most one step apart.
      expect(charged.read).toBe(whole - (whole % 128));
      expect(Math.abs(charged.read - bill.read)).toBeLessThanOrEqual(128);
      expect(inputTokens(charged)).toBe(inputTokens(bill));
    });
  });
});
