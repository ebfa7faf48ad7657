import { describe, expect, test } from 'vitest';
import { type Usage, usageOf } from '../../../src/core/accounting/usage.ts';
import type { CachePart, CacheParts } from '../../../src/core/context/cache-parts.ts';
import { cacheRulesOf } from '../../../src/core/context/cache-rules.ts';
import {
  assume,
  COLD,
  observe,
  type PrefixState,
  type PromptShape,
  type SentPrompt,
  survivingPlaces,
  warmTokens,
} from '../../../src/core/context/prefix-state.ts';
import { modelOrAssumed, type ProviderKind } from '../../../src/core/routing/catalog.ts';

const rules = (kind: ProviderKind, id: string) => cacheRulesOf(modelOrAssumed(kind, id));
const OPUS = rules('anthropic', 'claude-opus-5-5');
const LUNA = rules('openai', 'gpt-6-luna');
const OLD_GPT = rules('openai', 'gpt-5');
const M = 'provider/model';

/** What a request of so many tokens finds warm; marker at the end only, unless said otherwise. */
function read(
  state: PrefixState,
  of: typeof OPUS,
  prompt: Partial<PromptShape>,
  parts: CacheParts = {},
): number {
  const shape = { tokens: 10_000, blocks: 1, at: 0, trailing: false, ...prompt };
  return warmTokens(survivingPlaces(state[M], of, parts), of, shape);
}

/** A request that asked for nothing special and had no marker before its end. */
function sent(tokens: number, part: Partial<SentPrompt> = {}): SentPrompt {
  const before = { system: 0, messages: 0, turn: 0 };
  return { tokens, blocks: 1, at: 0, parts: {}, before, trailing: false, ...part };
}

function seen(of: typeof OPUS, usage: Partial<Usage>, at = 0, state = COLD, blocks = 1): PrefixState {
  return observe(state, M, of, sent(0, { blocks, at }), usageOf(usage));
}

describe('minimum length', () => {
  // providers.md §2: each model's own minimum. One token less is plain input and leaves nothing behind.
  test.each([
    ['anthropic', 'claude-haiku-5-5', 512],
    ['anthropic', 'claude-opus-5-5', 512],
    ['anthropic', 'claude-sonnet-5', 1_024],
    ['anthropic', 'claude-opus-4-7', 2_048],
    ['anthropic', 'claude-haiku-4-5', 4_096],
    ['openai', 'gpt-6.2-sol', 1_024],
    ['openai', 'gpt-5', 1_024],
  ] as const)('traps T54: %s/%s keeps prompts from %i tokens on', (kind, id, minimum) => {
    const of = rules(kind, id);
    const leftBy = (tokens: number) => assume(COLD, M, of, sent(tokens));
    expect(leftBy(minimum - 1)).toEqual({});
    expect(read(leftBy(minimum), of, { at: 1 })).toBe(minimum);
    // A prompt under the minimum reads nothing either, whatever is warm.
    expect(read(leftBy(minimum), of, { at: 1, tokens: minimum - 1 })).toBe(0);
  });
});

describe('lifetime', () => {
  test('traps T14: five minutes from the start of the request that wrote, and not a second more', () => {
    // Begun at 100 s, answered whenever: dead at 400 s.
    const state = seen(OPUS, { write_5m: 2_000 }, 100);
    expect(read(state, OPUS, { at: 399.9 })).toBe(2_000);
    expect(read(state, OPUS, { at: 400 })).toBe(0);
  });

  test('traps T14: a read renews it from its own start', () => {
    // Written at 0, read and grown at 290: dead at 590, not at 300.
    const renewed = seen(OPUS, { read: 2_000, write_5m: 100 }, 290, seen(OPUS, { write_5m: 2_000 }, 0));
    expect(read(renewed, OPUS, { at: 589 })).toBe(2_100);
    expect(read(renewed, OPUS, { at: 590 })).toBe(0);
  });

  test.each([
    ['5 minutes', OPUS, 'write_5m', 300],
    ['1 hour', OPUS, 'write_1h', 3_600],
    ['30 minutes', LUNA, 'write_30m', 1_800],
    ['12 hours', LUNA, 'write_12h', 43_200],
  ] as const)('a write for %s lives as long, by the class it was billed as', (_name, of, write, seconds) => {
    const state = seen(of, { [write]: 2_000 });
    expect(read(state, of, { at: seconds - 1 })).toBe(2_000);
    expect(read(state, of, { at: seconds })).toBe(0);
  });

  test('a long prefix that is only read keeps its long lifetime', () => {
    // 1-hour write at 0; the same prompt again at 3,000 s reads it all, so it lives to 6,600 s.
    const again = seen(OPUS, { read: 2_000 }, 3_000, seen(OPUS, { write_1h: 2_000 }));
    expect(read(again, OPUS, { at: 6_599 })).toBe(2_000);
    expect(read(again, OPUS, { at: 6_600 })).toBe(0);
  });

  test('a short tail on a long prefix ends with the tail', () => {
    const usage = usageOf({ write_1h: 2_000, write_5m: 500 });
    const unknown = observe(COLD, M, OPUS, sent(2_500), usage);
    expect(read(unknown, OPUS, { at: 299 })).toBe(2_500);
    expect(read(unknown, OPUS, { at: 300 })).toBe(0);
  });

  test('and leaves the long part under it, where that is known to be', () => {
    const usage = usageOf({ write_1h: 2_000, write_5m: 500 });
    const both = observe(COLD, M, OPUS, sent(2_500, { blocks: 9, longEnd: 3 }), usage);
    expect(read(both, OPUS, { at: 299, blocks: 9 })).toBe(2_500);
    expect(read(both, OPUS, { at: 300, blocks: 9 })).toBe(2_000);
    // As far as look-back reaches, unless it has a marker of its own.
    expect(read(both, OPUS, { at: 300, blocks: 22 })).toBe(2_000);
    expect(read(both, OPUS, { at: 300, blocks: 23 })).toBe(0);
    expect(read(both, OPUS, { at: 3_599, blocks: 23, trailing: true })).toBe(2_000);
    expect(read(both, OPUS, { at: 3_600, blocks: 9 })).toBe(0);
    // Found again after ten minutes, it lives another hour; what is longer and was not read is gone.
    const again = observe(
      both,
      M,
      OPUS,
      sent(2_600, { blocks: 11, at: 600 }),
      usageOf({ read: 2_000, write_5m: 600 }),
    );
    expect(read(again, OPUS, { at: 601, blocks: 11 })).toBe(2_600);
    expect(read(again, OPUS, { at: 4_199, blocks: 11 })).toBe(2_000);
  });

  test('short tails gather behind a long prefix, and each step that marks it renews it', () => {
    // Written for an hour at 0; then a step every four minutes for an hour and a half, with tails of five minutes.
    let state = seen(OPUS, { write_1h: 2_000 });
    for (let n = 1; n <= 22; n += 1) {
      const usage = usageOf({ read: 1_900 + 100 * n, write_5m: 100 });
      state = observe(
        state,
        M,
        OPUS,
        sent(2_000 + 100 * n, { at: 240 * n, blocks: n, trailing: true }),
        usage,
      );
    }
    expect(read(state, OPUS, { at: 5_280 + 299, trailing: true })).toBe(4_200);
    expect(read(state, OPUS, { at: 5_280 + 3_599, trailing: true })).toBe(2_000);
  });

  test('before GPT-5.6 a day', () => {
    const state = seen(OLD_GPT, { fresh: 2_000 });
    expect(read(state, OLD_GPT, { at: 86_399 })).toBe(1_920);
    expect(read(state, OLD_GPT, { at: 86_400 })).toBe(0);
  });
});

describe('look-back', () => {
  // The prefix ended with block 5. From block 24 the 20 positions 24, 23, … 5 are looked at; from block 25: 25 … 6.
  const state = seen(OPUS, { write_5m: 2_000 }, 0, COLD, 5);

  test('traps T53: 20 blocks, the last one itself the first of them', () => {
    expect(read(state, OPUS, { at: 1, blocks: 24 })).toBe(2_000);
    expect(read(state, OPUS, { at: 1, blocks: 25 })).toBe(0);
  });

  test('traps T53: 25 parallel calls and their results overshoot it, unless the old end has a marker of its own', () => {
    expect(read(state, OPUS, { at: 1, blocks: 5 + 50 })).toBe(0);
    expect(read(state, OPUS, { at: 1, blocks: 5 + 50, trailing: true })).toBe(2_000);
  });

  test('GPT-6 looks up the latest 80, GPT-5 finds it anywhere', () => {
    const luna = seen(LUNA, { write_30m: 2_000 }, 0, COLD, 5);
    expect(read(luna, LUNA, { at: 1, blocks: 84 })).toBe(2_000);
    expect(read(luna, LUNA, { at: 1, blocks: 85 })).toBe(0);
    const old = seen(OLD_GPT, { fresh: 2_000 }, 0, COLD, 5);
    expect(read(old, OLD_GPT, { at: 1, blocks: 5_000 })).toBe(1_920);
  });
});

describe('what an answer leaves behind', () => {
  test('a growing tool loop: what a step read and wrote is what the next one reads', () => {
    // 1,000 written; + 300: 1,000 read, 300 written; + 200: 1,300 read.
    const first = seen(OPUS, { write_5m: 1_000 });
    expect(read(first, OPUS, { at: 10, tokens: 1_300, blocks: 3 })).toBe(1_000);
    const second = seen(OPUS, { read: 1_000, write_5m: 300 }, 10, first, 3);
    expect(read(second, OPUS, { at: 20, tokens: 1_500, blocks: 5 })).toBe(1_300);
  });

  test('traps T13: a usage without reads and writes leaves nothing warm, whatever was planned', () => {
    const planned = assume(COLD, M, OPUS, sent(5_000));
    expect(seen(OPUS, { fresh: 5_000, output: 10 }, 1, planned)).toEqual({});
  });

  test('only the part that was cached counts, and other models keep theirs', () => {
    const kept = { blocks: 1, lifetimeSeconds: 300, estimated: false, parts: {}, before: sent(0).before };
    const other = [{ ...kept, tokens: 7, at: 0 }];
    const state = seen(OPUS, { write_5m: 900, fresh: 100, output: 50 }, 5, { other });
    expect(state).toEqual({ other, [M]: [{ ...kept, tokens: 900, at: 5 }] });
  });

  test('traps T55: from GPT-5.6 on plain input was not written', () => {
    expect(seen(LUNA, { fresh: 5_000 })).toEqual({});
  });

  test('before GPT-5.6 writes are free and unreported: all input, in whole steps of 128', () => {
    // 2,000 = 15 × 128 + 80: 1,920 are found again. 1,151 = 8 × 128 + 127: 1,024. 1,023 is under the minimum.
    expect(read(seen(OLD_GPT, { fresh: 2_000 }), OLD_GPT, {})).toBe(1_920);
    expect(read(seen(OLD_GPT, { fresh: 127, read: 1_024 }), OLD_GPT, {})).toBe(1_024);
    expect(seen(OLD_GPT, { fresh: 1_023 })).toEqual({});
    // And a prompt that was cut reads no more of it than it has.
    expect(read(seen(OLD_GPT, { fresh: 5_000 }), OLD_GPT, { tokens: 2_000 })).toBe(1_920);
  });

  test('what nobody reported is marked as estimated, until an answer tells', () => {
    const guessed = assume(COLD, M, OPUS, sent(5_000));
    expect(guessed[M]?.[0]?.estimated).toBe(true);
    expect(seen(OPUS, { read: 4_000 }, 1, guessed)[M]).toMatchObject([{ tokens: 4_000, estimated: false }]);
  });
});

describe('what invalidates', () => {
  const PARTS = [
    ...([
      'tools',
      'allowed_tools',
      'system',
      'tool_choice',
      'parallel_tool_calls',
      'images',
      'asks',
    ] as const),
    ...(['thinking', 'effort', 'verbosity', 'format', 'service_tier', 'speed', 'web_search'] as const),
    ...(['citations', 'cache_key'] as const),
  ] satisfies CachePart[];
  const parts: CacheParts = Object.fromEntries(PARTS.map((part) => [part, 'a']));
  // 9,000 tokens: 3,000 of tools, 2,000 of system, 800 up to the user's last ask, and what followed it.
  const before = { system: 3_000, messages: 5_000, turn: 5_800 };
  const written = (of: typeof OPUS) => assume(COLD, M, of, sent(9_000, { parts, before }));

  // By hand, from the tables of providers.md §1: what a request reads that differs in this part alone.
  test.each([
    [
      'claude-opus-5-5',
      { tools: 0, allowed_tools: 0, format: 0, thinking: 0, effort: 0 },
      { system: 3_000, web_search: 3_000, citations: 3_000, speed: 3_000 },
      { tool_choice: 5_000, parallel_tool_calls: 5_000, images: 5_000 },
    ],
    [
      // Up to 4.5 thinking and effort leave tools and system.
      'claude-opus-4-5',
      { tools: 0, allowed_tools: 0, format: 0 },
      // 3,000 tokens of tools are under its minimum of 4,096.
      { system: 0, web_search: 0, citations: 0, speed: 0 },
      { tool_choice: 5_000, parallel_tool_calls: 5_000, images: 5_000, thinking: 5_000, effort: 5_000 },
    ],
    [
      // Takes no effort; strips the thinking of a turn once the user has spoken again.
      'claude-sonnet-4-5',
      { tools: 0, allowed_tools: 0, format: 0 },
      { system: 3_000, web_search: 3_000, citations: 3_000, speed: 3_000 },
      {
        tool_choice: 5_000,
        parallel_tool_calls: 5_000,
        images: 5_000,
        thinking: 5_000,
        asks: 5_800,
      },
    ],
    [
      // Tool choice is not in OpenAI's list; between tools and system no breakpoint can stand.
      'gpt-6.2-sol',
      { tools: 0, system: 0, parallel_tool_calls: 0, format: 0, effort: 0, verbosity: 0 },
      { service_tier: 0, web_search: 0, cache_key: 0 },
      {},
    ],
    [
      // Found wherever it ends, in whole steps of 128: 2,944 of 3,000, 8,960 of 9,000.
      'gpt-5',
      { tools: 0, parallel_tool_calls: 0, format: 0, effort: 0, verbosity: 0 },
      { service_tier: 0, web_search: 0, cache_key: 0 },
      { system: 2_944 },
    ],
  ] as const)('of %s', (id, ...left) => {
    const of = rules(id.startsWith('claude') ? 'anthropic' : 'openai', id);
    const whole = id === 'gpt-5' ? 8_960 : 9_000;
    const found = PARTS.map((part) => [part, read(written(of), of, { at: 1 }, { ...parts, [part]: 'b' })]);
    const expected = Object.assign(Object.fromEntries(PARTS.map((part) => [part, whole])), ...left);
    expect(Object.fromEntries(found)).toEqual(expected);
    expect(read(written(of), of, { at: 1 }, parts)).toBe(whole);
  });

  test('what is left is the least of what several changes leave', () => {
    const read2 = (changed: CacheParts) => read(written(OPUS), OPUS, { at: 1 }, { ...parts, ...changed });
    expect(read2({ tool_choice: 'b', speed: 'b' })).toBe(3_000);
    expect(read2({ tool_choice: 'b', speed: 'b', tools: 'b' })).toBe(0);
  });

  test('a level without a marker at its end leaves nothing', () => {
    const unmarked = assume(COLD, M, OPUS, sent(9_000, { parts }));
    expect(read(unmarked, OPUS, { at: 1 }, { ...parts, tool_choice: 'b' })).toBe(0);
  });

  test('a default said out loud is no change', () => {
    const state = assume(COLD, M, OPUS, sent(9_000));
    expect(read(state, OPUS, { at: 1 }, { effort: 'medium' })).toBe(9_000);
    expect(read(state, OPUS, { at: 1 }, { effort: 'high' })).toBe(0);
  });

  test('who goes back finds what its own parts wrote, while it lives', () => {
    // 9,000 written at 0 with a free choice, 9,500 at 10 with a forced one: 5,000 read, the rest written again.
    const forced: CacheParts = { ...parts, tool_choice: 'b' };
    const there = assume(written(OPUS), M, OPUS, sent(9_500, { at: 10, parts: forced, before }));
    expect(read(there, OPUS, { at: 20 }, forced)).toBe(9_500);
    expect(read(there, OPUS, { at: 20 }, parts)).toBe(9_000);
    // The first is dead at 300; what both began with was read at 10 and lives to 310.
    expect(read(there, OPUS, { at: 305 }, parts)).toBe(5_000);
    // And a later one with the first parts takes the place of the first only.
    const back = assume(there, M, OPUS, sent(9_800, { at: 20, parts, before }));
    expect(back[M]?.map(({ tokens }) => tokens)).toEqual([9_800, 9_500]);
  });

  test('a lane that changes all the time keeps its latest few prefixes, as plain data', () => {
    let state = COLD;
    for (let at = 0; at < 20; at += 1) {
      state = assume(state, M, OPUS, sent(9_000 + at, { at, parts: { tools: `${at}` }, before }));
    }
    expect(state[M]?.map(({ tokens }) => tokens)).toEqual([9_019, 9_018, 9_017, 9_016]);
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });

  test('traps T53: a prefix that look-back overshoots leaves what a marker in front of it kept', () => {
    expect(read(written(OPUS), OPUS, { at: 1, blocks: 60 }, parts)).toBe(5_000);
  });

  test('traps T13: where a level begins is off by as much as the estimate of the whole was', () => {
    // 9,000 estimated, 18,000 observed.
    const state = observe(COLD, M, OPUS, sent(9_000, { parts, before }), usageOf({ write_5m: 18_000 }));
    expect(read(state, OPUS, { at: 1, tokens: 20_000 }, { ...parts, tool_choice: 'b' })).toBe(10_000);
  });
});
