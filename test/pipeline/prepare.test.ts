import { describe, expect, test } from 'vitest';
import type { Conversation } from '../../src/core/conversation.ts';
import { cacheMarks } from '../../src/core/dialects/cache-marks.ts';
import type { CatalogModel } from '../../src/core/routing/catalog.ts';
import { prepare } from '../../src/pipeline/prepare.ts';
import { conversationOf, LOOK_UP, model, say } from '../core/dialects/conversations.ts';

const HAIKU = model('anthropic', 'claude-haiku-5-5');
const OPUS = model('anthropic', 'claude-opus-5-5');
const LUNA = model('openai', 'gpt-6-luna');
const SOL = model('openai', 'gpt-6.2-sol');
const GPT_5 = model('openai', 'gpt-5');
const GPT_4O = model('openai', 'gpt-4o');

function prepared(more: Partial<Conversation>, target: CatalogModel) {
  return prepare(conversationOf([say('user', 'Hi')], more), target, { defaultMaxTokens: 16_384 });
}

const output = { stop: [], n: 1, logprobs: false };

test('a conversation the model takes as it is comes back as it was', () => {
  const conversation = conversationOf([say('user', 'Hi')], {
    output: { ...output, maxTokens: 10 },
    tools: [LOOK_UP],
  });
  const { conversation: same, adapted, gatewayStop } = prepare(conversation, GPT_4O, { defaultMaxTokens: 1 });
  expect(same).toEqual(conversation);
  expect(same.messages).toBe(conversation.messages);
  expect(same.tools).toBe(conversation.tools);
  expect([adapted, gatewayStop]).toEqual([[], []]);
});

test('what was asked for is never changed in place', () => {
  const conversation = conversationOf([say('user', 'Hi', '')], {
    sampling: { temperature: 1.5, seed: 1 },
    output: { ...output, stop: ['END'], verbosity: 'low', maxTokens: 1e9 },
    reasoning: { effort: 'none' },
    tools: [{ ...LOOK_UP, strict: true, cache: {} }],
  });
  const before = structuredClone(conversation);
  for (const target of [HAIKU, LUNA, SOL, GPT_5, GPT_4O])
    prepare(conversation, target, { defaultMaxTokens: 1 });
  expect(conversation).toEqual(before);
});

describe('sampling', () => {
  test.each<[string, CatalogModel, string | undefined, number | undefined]>([
    ['refused', HAIKU, undefined, undefined],
    ['refused at the default effort', LUNA, undefined, undefined],
    ['taken at effort none', LUNA, 'none', 0.3],
    ['refused where none is no effort', SOL, 'none', undefined],
    ['refused by a reasoning model', GPT_5, undefined, undefined],
    ['taken', GPT_4O, undefined, 0.3],
  ])('temperature and top_p are %s', (_what, target, effort, expected) => {
    const { conversation, adapted } = prepared(
      { sampling: { temperature: 0.3, topP: 0.3 }, reasoning: effort === undefined ? {} : { effort } },
      target,
    );
    expect([conversation.sampling.temperature, conversation.sampling.topP]).toEqual([expected, expected]);
    const dropped = adapted.filter(({ field }) => field === 'temperature' || field === 'top_p');
    expect(dropped).toEqual(
      expected === undefined
        ? [
            { field: 'temperature', action: 'dropped', from: 0.3 },
            { field: 'top_p', action: 'dropped', from: 0.3 },
          ]
        : [],
    );
  });

  test('temperature is clamped to what the model takes', () => {
    const capabilities = { ...GPT_4O.capabilities, maxTemperature: 1 };
    const { conversation, adapted } = prepared(
      { sampling: { temperature: 1.7 } },
      { ...GPT_4O, capabilities },
    );
    expect(conversation.sampling.temperature).toBe(1);
    expect(adapted).toEqual([{ field: 'temperature', action: 'clamped', from: 1.7, to: 1 }]);
  });

  test('seed, penalties and logit_bias go where they are refused; the bias is never quoted', () => {
    const sampling = { seed: 7, presencePenalty: 0.5, frequencyPenalty: -0.5, logitBias: { 50256: -100 } };
    expect(prepared({ sampling }, GPT_4O).adapted).toEqual([]);
    const { conversation, adapted } = prepared({ sampling }, HAIKU);
    expect(conversation.sampling).toEqual({});
    expect(adapted).toEqual([
      { field: 'seed', action: 'dropped' },
      { field: 'presence_penalty', action: 'dropped', from: 0.5 },
      { field: 'frequency_penalty', action: 'dropped', from: -0.5 },
      { field: 'logit_bias', action: 'dropped' },
    ]);
  });
});

describe('effort', () => {
  test.each<[CatalogModel, string, string | undefined]>([
    [HAIKU, 'high', 'high'],
    [HAIKU, 'minimal', 'low'],
    [OPUS, 'none', 'low'],
    [LUNA, 'none', 'none'],
    [SOL, 'none', 'low'],
    [GPT_5, 'max', 'high'],
    [GPT_5, 'none', 'minimal'],
    [model('anthropic', 'claude-opus-4-6'), 'xhigh', 'high'],
    [GPT_4O, 'high', undefined],
  ])('of $id: %s becomes %s', (target, effort, expected) => {
    const { conversation, adapted } = prepared({ reasoning: { effort } }, target);
    expect(conversation.reasoning.effort).toBe(expected);
    const told =
      expected === undefined
        ? [{ field: 'reasoning_effort', action: 'dropped' }]
        : [{ field: 'reasoning_effort', action: 'clamped', from: effort, to: expected }];
    expect(adapted).toEqual(expected === effort ? [] : told);
  });

  test('none is sent where none was asked for', () => {
    for (const target of [HAIKU, LUNA, SOL]) expect(prepared({}, target).conversation.reasoning).toEqual({});
  });
});

describe('output', () => {
  test.each<[CatalogModel, number | undefined, number | undefined]>([
    [HAIKU, undefined, 16_384],
    [LUNA, undefined, undefined],
    [GPT_4O, undefined, undefined],
    [HAIKU, 5, 5],
    [HAIKU, 1_000_000, 128_000],
    [GPT_4O, 1_000_000, 16_384],
  ])('max tokens: of $id, %s becomes %s', (target, maxTokens, expected) => {
    const { conversation, adapted } = prepared(
      { output: { ...output, ...(maxTokens === undefined ? {} : { maxTokens }) } },
      target,
    );
    expect(conversation.output.maxTokens).toBe(expected);
    const clamped = [{ field: 'max_tokens', action: 'clamped', from: maxTokens, to: expected }];
    expect(adapted).toEqual(maxTokens === undefined || maxTokens === expected ? [] : clamped);
  });

  test.each<[CatalogModel, string[], string[], string[]]>([
    [HAIKU, ['END', '\n'], ['END'], ['\n']],
    [LUNA, ['END'], [], ['END']],
    [GPT_5, ['END'], [], ['END']],
    [GPT_4O, ['END', '\n'], ['END', '\n'], []],
    [GPT_4O, ['1', '2', '3', '4', '5'], [], ['1', '2', '3', '4', '5']],
  ])('stop: of $id, %j goes on as %j and is cut here as %j', (target, stop, onWire, here) => {
    const { conversation, gatewayStop, adapted } = prepared({ output: { ...output, stop } }, target);
    expect(conversation.output.stop).toEqual(onWire);
    expect(gatewayStop).toEqual(here);
    expect(adapted).toEqual(here.length > 0 ? [{ field: 'stop', action: 'translated' }] : []);
  });

  test('verbosity goes only to models that know it', () => {
    expect(prepared({ output: { ...output, verbosity: 'low' } }, LUNA).conversation.output.verbosity).toBe(
      'low',
    );
    const { conversation, adapted } = prepared({ output: { ...output, verbosity: 'low' } }, HAIKU);
    expect(conversation.output).not.toHaveProperty('verbosity');
    expect(adapted).toEqual([{ field: 'verbosity', action: 'dropped', from: 'low' }]);
  });
});

test('strict is dropped where tools cannot be strict', () => {
  const capabilities = { ...GPT_4O.capabilities, strictTools: false };
  const { conversation, adapted } = prepared(
    { tools: [{ ...LOOK_UP, strict: true }, { name: 'ping' }] },
    { ...GPT_4O, capabilities },
  );
  expect(conversation.tools).toEqual([LOOK_UP, { name: 'ping' }]);
  expect(adapted).toEqual([{ field: 'tools.strict', action: 'dropped' }]);
});

test('a service tier that Anthropic has not is told; its default is not worth a word', () => {
  expect(prepared({ hints: { serviceTier: 'flex' } }, HAIKU).adapted).toEqual([
    { field: 'service_tier', action: 'dropped' },
  ]);
  expect(prepared({ hints: { serviceTier: 'auto' } }, HAIKU).adapted).toEqual([]);
  expect(prepared({ hints: { serviceTier: 'flex' } }, LUNA).conversation.hints.serviceTier).toBe('flex');
});

test('ultrafast is for the one model that is offered at it', () => {
  const hints = { serviceTier: 'ultrafast' };
  const sol = prepared({ hints }, SOL);
  expect([sol.conversation.hints, sol.adapted]).toEqual([hints, []]);
  for (const other of [LUNA, GPT_4O, HAIKU]) {
    const { conversation, adapted } = prepared({ hints }, other);
    expect(conversation.hints).toEqual({});
    expect(adapted).toEqual([{ field: 'service_tier', action: 'dropped' }]);
  }
});

describe('the gateway’s own cache marks', () => {
  const talk = conversationOf([
    say('system', 'Be brief.'),
    say('user', 'Hi'),
    { role: 'assistant', content: [{ type: 'text', text: 'Hello' }] },
    say('user', 'So?'),
  ]);
  const markers = { known: [], long: false, key: 'of the session' };

  test('traps T55: before GPT-5.6 a key of the session, unless the client has one; from there on a breakpoint after the head', () => {
    const keyOn = (id: string, given = talk) =>
      prepare(given, model('openai', id), { defaultMaxTokens: 100, markers }).conversation.hints
        .promptCacheKey;
    expect(keyOn('gpt-5.4')).toBe('of the session');
    expect(keyOn('gpt-5.4', { ...talk, hints: { promptCacheKey: 'own' } })).toBe('own');
    expect(keyOn('gpt-6-luna')).toBeUndefined();
    const { conversation, adapted } = prepare(talk, model('openai', 'gpt-6-luna'), {
      defaultMaxTokens: 100,
      markers,
    });
    expect(conversation.messages[0]?.content[0]).toMatchObject({ cache: { breakpoint: true } });
    expect(adapted).toEqual([]);
  });

  test('traps T20: none beside the client’s own', () => {
    const [system, ...rest] = talk.messages;
    if (system?.role !== 'system') throw new Error('no system');
    const own = {
      ...talk,
      messages: [{ ...system, content: system.content.map((block) => ({ ...block, cache: {} })) }, ...rest],
    };
    const { conversation } = prepare(own, model('anthropic', 'claude-opus-5-5'), {
      defaultMaxTokens: 100,
      markers,
    });
    expect(conversation.hints.cacheTail).toBeUndefined();
    expect(cacheMarks(conversation)).toHaveLength(1);
  });
});
