import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ThinkingBlock } from '../../../../src/core/conversation.ts';
import { requestEdits } from '../../../../src/core/dialects/anthropic-messages/edits.ts';
import { readMessagesRequest } from '../../../../src/core/dialects/anthropic-messages/read.ts';
import { writeRequest } from '../../../../src/core/dialects/anthropic-messages/request.ts';
import { keepThinking } from '../../../../src/core/dialects/thinking.ts';
import { excludedBy, needsOf } from '../../../../src/core/routing/capability.ts';
import { type CatalogModel, catalogModels, isRetired } from '../../../../src/core/routing/catalog.ts';
import { sign } from '../../../../src/local/simulated/anthropic/thinking.ts';
import { prepare } from '../../../../src/pipeline/prepare.ts';
import type { StepRequest } from '../../../../src/pipeline/step-request.ts';
import { writeWireRequest } from '../../../../src/pipeline/wire-request.ts';
import { textOf } from '../../../pipeline/in-process.ts';
import { conversation } from '../arbitraries.ts';
import { LOOK_UP, model } from '../conversations.ts';
import { accepted } from '../simulators.ts';

const HAIKU = model('anthropic', 'claude-haiku-5-5');
const SONNET = model('anthropic', 'claude-sonnet-5-5');
const OPUS = model('anthropic', 'claude-opus-5-5');
const OPUS_5 = model('anthropic', 'claude-opus-5');
const SONNET_5 = model('anthropic', 'claude-sonnet-5');
const HAIKU_4_5 = model('anthropic', 'claude-haiku-4-5');
const CLAUDES = catalogModels('anthropic').filter((one) => !isRetired(one, '2026-11-23'));

/** A client's body as it goes up to a model, and what was told of it. */
function send(rawBody: string, target: CatalogModel) {
  const body: unknown = JSON.parse(rawBody);
  const read = readMessagesRequest(body);
  const prepared = prepare(read.conversation, target, { defaultMaxTokens: 1_000, sameWire: true });
  // All that the writing of a request looks at.
  const request = {
    wire: 'anthropic-messages',
    rawBody,
    body,
    conversation: read.conversation,
    userHash: 'hash',
  };
  const candidate = { provider: 'anthropic', name: target.id, model: target, tier: null };
  const text = textOf(writeWireRequest(request as StepRequest, candidate, prepared));
  return {
    text,
    body: JSON.parse(text),
    told: prepared.adapted.map(({ field, action }) => `${field} ${action}`),
  };
}

const hi = { role: 'user', content: 'Hi' };
const TOOL = { name: 'look_up', description: 'Looks a thing up.', input_schema: LOOK_UP.parameters };
const PING = { name: 'ping', input_schema: { type: 'object', properties: {} } };

function bodyOf(more: Record<string, unknown>): string {
  return JSON.stringify({ model: 'auto', max_tokens: 20_000, messages: [hi], ...more });
}

describe('bytes that need no change', () => {
  const RAW = `{ "of_next_year": {"n": 1.0, "big": 12345678901234567890},
  "messages": [ {"role": "user", "content": [ {"type": "text", "text": "H\\u0069"}, {"type":"hologram","x":1e2} ]} ],
  "max_tokens":1e3, "model" : "auto:hard",  "metadata":{"user_id":"ada"}, "stream":false}`;

  test('stay as they are, unknown fields and blocks too: only the model, and caching where none was asked for', () => {
    const { text, told } = send(RAW, OPUS);
    const expected = RAW.replace('"auto:hard"', '"claude-opus-5-5"').replace(
      /false\}$/,
      'false,"cache_control":{"type":"ephemeral"}}',
    );
    expect(text).toBe(expected);
    expect(told).toEqual([]);
  });

  test('of any request that the model takes', () => {
    fc.assert(
      fc.property(conversation, (given) => {
        // Where caching is asked for, and what the client says of it, is not this test's.
        const { conversation: prepared } = prepare({ ...given, hints: {} }, HAIKU, {
          defaultMaxTokens: 1_000,
        });
        const raw = writeRequest(prepared, HAIKU, { stream: true, modelId: 'auto' });
        const { text, told } = send(raw, HAIKU);
        expect(text).toBe(raw.replace('"model":"auto"', '"model":"claude-haiku-5-5"'));
        expect(told).toEqual([]);
      }),
    );
  });

  test('traps T20: beside a marker of the client no other is set', () => {
    const mark = { cache_control: { type: 'ephemeral', ttl: '1h' } };
    const text = { type: 'text', text: 'Hi', ...mark };
    const use = { type: 'tool_use', id: 'toolu_1', name: 'look_up', input: {} };
    const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: [text] };
    const own = { type: 'web_search_20260318', name: 'web_search', ...mark };
    for (const more of [
      mark,
      { system: [text] },
      { tools: [{ ...TOOL, ...mark }] },
      { tools: [own] },
      { messages: [{ role: 'user', content: [text] }] },
      {
        tools: [TOOL],
        messages: [hi, { role: 'assistant', content: [use] }, { role: 'user', content: [result] }],
      },
    ]) {
      const raw = bodyOf(more);
      expect(send(raw, HAIKU).text).toBe(raw.replace('"auto"', '"claude-haiku-5-5"'));
    }
  });
});

describe('traps T37, T68: settings', () => {
  test('sampling goes, at this version of the API always', () => {
    const { body, told } = send(bodyOf({ temperature: 1, top_p: 0.9, top_k: 3 }), HAIKU_4_5);
    expect(Object.keys(body)).toEqual(['model', 'max_tokens', 'messages', 'cache_control']);
    expect(told).toEqual(['temperature dropped', 'top_p dropped', 'top_k dropped']);
  });

  test.each<[string, CatalogModel, Record<string, unknown>, Record<string, unknown>, string[]]>([
    [
      'enabled where it is adaptive',
      SONNET,
      { thinking: { type: 'enabled', budget_tokens: 10_000, display: 'summarized' } },
      { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'high' } },
      ['thinking translated'],
    ],
    [
      'the effort that was named counts before a budget',
      OPUS,
      { thinking: { type: 'enabled', budget_tokens: 1_024 }, output_config: { effort: 'max' } },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'max' } },
      ['thinking translated'],
    ],
    [
      'adaptive where it is a budget',
      HAIKU_4_5,
      { thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'low' } },
      { thinking: { type: 'enabled', display: 'omitted', budget_tokens: 2_048 }, output_config: {} },
      ['thinking translated', 'reasoning_effort dropped'],
    ],
    [
      'adaptive where there is no room for a budget',
      HAIKU_4_5,
      { max_tokens: 1_500, thinking: { type: 'adaptive' } },
      { max_tokens: 1_500, thinking: { type: 'disabled' } },
      ['thinking translated'],
    ],
    [
      'disabled where there is between_tools',
      SONNET,
      { thinking: { type: 'disabled' }, output_config: { effort: 'max' } },
      { thinking: { type: 'between_tools' }, output_config: { effort: 'high' } },
      ['thinking translated', 'reasoning_effort clamped'],
    ],
    [
      'disabled where it always thinks',
      OPUS,
      { thinking: { type: 'disabled' } },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
      ['thinking translated'],
    ],
    [
      'between_tools where there is none',
      HAIKU,
      { thinking: { type: 'between_tools' } },
      { thinking: { type: 'adaptive' }, output_config: { effort: 'low' } },
      ['thinking translated'],
    ],
    [
      'disabled with an effort that it can not have',
      OPUS_5,
      { thinking: { type: 'disabled' }, output_config: { effort: 'xhigh' } },
      { thinking: { type: 'disabled' }, output_config: { effort: 'high' } },
      ['reasoning_effort clamped'],
    ],
    [
      'an effort on a model without',
      HAIKU_4_5,
      { output_config: { effort: 'high' } },
      { thinking: { type: 'enabled', budget_tokens: 16_384 }, output_config: {} },
      ['reasoning_effort translated'],
    ],
    [
      'a budget over what the model can say',
      HAIKU_4_5,
      { max_tokens: 100_000, thinking: { type: 'enabled', budget_tokens: 80_000 } },
      { max_tokens: 64_000, thinking: { type: 'enabled', budget_tokens: 32_000 } },
      ['thinking.budget_tokens clamped', 'max_tokens clamped'],
    ],
  ])('thinking: %s', (_what, target, given, wanted, adapted) => {
    const { text, body, told } = send(bodyOf(given), target);
    const { thinking, output_config, max_tokens } = body;
    expect({ thinking, output_config, max_tokens }).toEqual({
      max_tokens: 20_000,
      thinking: undefined,
      output_config: undefined,
      ...wanted,
    });
    expect(told).toEqual(adapted);
    accepted(target, text);
  });
});

describe('traps T67: a forced choice of a model that takes none', () => {
  test('becomes a request, for one tool that one alone, for any of them all', () => {
    const tools = [TOOL, { type: 'web_search_20260318', name: 'web_search' }, PING];
    const one = send(
      bodyOf({ tools, tool_choice: { type: 'tool', name: 'ping', disable_parallel_tool_use: true } }),
      OPUS,
    );
    expect(one.body.tools).toEqual([PING]);
    expect(one.body.tool_choice).toEqual({ type: 'auto', disable_parallel_tool_use: true });
    const any = send(bodyOf({ tools, tool_choice: { type: 'any' } }), OPUS);
    expect(any.body.tools).toEqual(tools);
    expect(any.body.tool_choice).toEqual({ type: 'auto' });
    const own = send(bodyOf({ tools, tool_choice: { type: 'tool', name: 'web_search' } }), OPUS);
    expect(own.body.tools).toEqual(tools);
    for (const { told } of [one, any, own]) expect(told).toEqual(['tool_choice translated']);
    expect(send(bodyOf({ tools, tool_choice: { type: 'any' } }), HAIKU).told).toEqual([]);
  });
});

describe('messages', () => {
  const think = (signature: string) => ({ type: 'thinking', thinking: '', signature });
  const said = (text: string) => ({ type: 'text', text });
  const use = { type: 'tool_use', id: 'toolu_1', name: 'look_up', input: { n: 1 } };
  const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'ok' };
  const system = { role: 'system', content: 'Now in French.' };

  test('traps T22: a system message between turns stays in its place, as a user on models without', () => {
    const raw = bodyOf({ messages: [hi, system, { role: 'assistant', content: 'Salut' }, hi] });
    expect(send(raw, OPUS).body.messages[1]).toEqual(system);
    const { body, told, text } = send(raw, SONNET_5);
    expect(body.messages[1]).toEqual({
      role: 'user',
      content: [said('<system-message>\nNow in French.\n</system-message>')],
    });
    expect(told).toEqual(['messages.role translated']);
    accepted(SONNET_5, text);
  });

  test('documents of the assistant go to the user after it, citations of a user go', () => {
    const source = { type: 'text', media_type: 'text/plain', data: 'words' };
    const messages = [
      { role: 'user', content: [{ ...said('Hi'), citations: [{ type: 'char_location', cited_text: 'x' }] }] },
      { role: 'assistant', content: [said('Here.'), { type: 'document', source }] },
      hi,
      { role: 'assistant', content: [{ type: 'document', title: 'Alone', source }] },
      { role: 'user', content: [said('Bye')] },
    ];
    const { body, told, text } = send(bodyOf({ messages }), HAIKU);
    expect(body.messages).toEqual([
      { role: 'user', content: [said('Hi')] },
      { role: 'assistant', content: [said('Here.')] },
      { role: 'user', content: [said('Hi'), { type: 'document', source }] },
      { role: 'user', content: [said('Bye'), { type: 'document', title: 'Alone', source }] },
    ]);
    expect(told).toEqual(['messages.content.citations dropped', 'messages.content.document translated']);
    accepted(HAIKU, text);
  });

  test('traps T16, T17: after an edit what was thought goes, a turn as a whole, and before it nothing does', () => {
    const messages = [
      hi,
      { role: 'assistant', content: [think('a'), said('1')] },
      hi,
      { role: 'assistant', content: [think('b'), { type: 'redacted_thinking', data: 'c' }, use] },
      { role: 'user', content: [result] },
      system,
      { role: 'assistant', content: [think('d'), said('3')] },
      hi,
      { role: 'assistant', content: [think('e'), said('2')] },
      hi,
    ];
    const { body, told } = send(bodyOf({ tools: [TOOL], messages }), SONNET_5);
    expect(body.messages.map(({ content }: { content: unknown }) => content)).toEqual([
      'Hi',
      [think('a'), said('1')],
      'Hi',
      // The open turn as a whole, from its beginning on.
      [use],
      [result],
      [said('<system-message>\nNow in French.\n</system-message>')],
      [said('3')],
      'Hi',
      [said('2')],
      'Hi',
    ]);
    expect(told).toEqual(['messages.role translated', 'messages.thinking dropped']);
    // Nothing was edited: everything stays.
    expect(send(bodyOf({ tools: [TOOL], messages }), OPUS).body.messages).toEqual(messages);
    // What is left out for another reason goes from its place, and a message of nothing else with it.
    const more = [...messages, { role: 'assistant', content: [think('f')] }, hi];
    const body_ = JSON.parse(bodyOf({ tools: [TOOL], messages: more }));
    const original = readMessagesRequest(body_).conversation;
    const isKept = ({ raw }: ThinkingBlock) => raw.signature !== 'f' && raw.data !== 'c';
    const kept = keepThinking(original.messages, isKept) ?? original.messages;
    const own = { body: body_, original, prepared: { ...original, messages: kept }, report: () => {} };
    const edits = requestEdits(own, OPUS, { stream: false, modelId: 'm' });
    expect(edits.messages).toEqual({ 3: { content: { 1: undefined } }, 10: undefined });
    // The tools are before all of it.
    const forced = send(
      bodyOf({ tools: [TOOL, PING], tool_choice: { type: 'tool', name: 'look_up' }, messages }),
      OPUS,
    );
    expect(forced.text).not.toContain('"thinking"');
    expect(forced.told).toEqual(['tool_choice translated', 'messages.thinking dropped']);
  });
});

test('traps T37, T67, T68: what a client of any year sends is taken by every model', () => {
  const THINKING = [
    undefined,
    { type: 'adaptive' },
    { type: 'adaptive', display: 'summarized' },
    { type: 'between_tools' },
    { type: 'disabled' },
    { type: 'enabled', budget_tokens: 1_024 },
    { type: 'enabled', budget_tokens: 60_000, display: 'omitted' },
  ];
  const source = { type: 'text', media_type: 'text/plain', data: 'words' };
  const signature = sign({
    ...{ model: 'claude-of-others', organisation: 'other', prefix: 'other', turn: 't', index: 0, count: 1 },
    ...{ kind: 'thinking' as const, effort: 'high', tokens: 1, text: '' },
  });
  const extras = fc.record(
    {
      temperature: fc.constantFrom(0, 1),
      top_p: fc.constant(0.5),
      top_k: fc.constant(5),
      max_tokens: fc.constantFrom(2_000, 61_000, 1_000_000),
      thinking: fc.constantFrom(...THINKING),
      output_config: fc.constantFrom({ effort: 'low' }, { effort: 'xhigh' }, { effort: 'max' }, {}),
    },
    { requiredKeys: ['max_tokens', 'thinking'] },
  );
  const told = fc.array(
    fc.constantFrom(
      { role: 'assistant', content: [{ type: 'document', source }] },
      { role: 'user', content: [{ type: 'text', text: 'x', citations: [{ type: 'char_location' }] }] },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: '', signature },
          { type: 'text', text: 'y' },
        ],
      },
    ),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...CLAUDES), conversation, extras, told, (target, given, more, before) => {
      // Its signatures would be nobody's.
      const messages = keepThinking(given.messages, () => false) ?? given.messages;
      const { conversation: prepared } = prepare({ ...given, messages }, OPUS_5, { defaultMaxTokens: 1_000 });
      const written = JSON.parse(writeRequest(prepared, OPUS_5, { stream: false, modelId: 'auto' }));
      const budget = more.thinking?.type === 'enabled' ? (more.thinking.budget_tokens ?? 0) : 0;
      fc.pre(budget < more.max_tokens);
      // `enabled` beside a forced choice is refused wherever there is `enabled`: the client's own mistake.
      fc.pre(!(more.thinking?.type === 'enabled' && ['any', 'tool'].includes(written.tool_choice?.type)));
      const output_config = { ...written.output_config, ...more.output_config };
      const body = { ...written, ...more, output_config, messages: [hi, ...before, ...written.messages] };
      const raw = JSON.stringify(body);
      const exclusion = excludedBy(target, needsOf(readMessagesRequest(body).conversation), true);
      fc.pre(exclusion === null);
      // Refused whatever the model: the client's own mistakes too.
      const cites = raw.includes('"citations":{"enabled":true}');
      fc.pre(
        !(cites && (output_config.format || before.some(({ content }) => content[0]?.type === 'document'))),
      );
      accepted(target, send(raw, target).text);
    }),
    { endOnFailure: true },
  );
});
