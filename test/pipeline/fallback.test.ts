import { describe, expect, test } from 'vitest';
import type { AnswerEvent } from '../../src/core/answer.ts';
import type { Conversation, ThinkingBlock } from '../../src/core/conversation.ts';
import { ANTHROPIC_MESSAGES } from '../../src/core/dialects/anthropic-messages/dialect.ts';
import type { AnswerFrame } from '../../src/core/dialects/client-dialect.ts';
import type { StepOutcome } from '../../src/pipeline/delivery.ts';
import { runStep } from '../../src/pipeline/step.ts';
import { unwrapOutcome } from '../../src/pipeline/unwrap-outcome.ts';
import { conversationOf, LOOK_UP, results, say, thoughtBy } from '../core/dialects/conversations.ts';
import { answers, fails, portsOf, settingsOf, stepOf } from './in-process.ts';

const BOTH = settingsOf({
  FLUX_TIERS:
    '{"easy":["claude-haiku-5-5","gpt-6-luna"],"medium":["claude-sonnet-5-5","gpt-6.1-terra"],"hard":["claude-opus-5-5","gpt-6.2-sol"]}',
});
const question = { messages: [{ role: 'user', content: 'What is the capital of France?' }] };

function answerOf(outcome: StepOutcome) {
  if (outcome.kind !== 'answer') throw new Error('a stream');
  return outcome;
}

const thought = (block: Omit<ThinkingBlock, 'type'>): ThinkingBlock => ({ type: 'thinking', ...block });

/** An open tool loop whose turn begins with what a model thought. */
function loopWith(block: ThinkingBlock): Conversation {
  const call = { type: 'tool_call' as const, id: 'c1', name: 'look_up', arguments: '{"key":"a"}' };
  return conversationOf(
    [say('user', 'Hi'), { role: 'assistant', content: [block, call] }, results(['c1', 'r'])],
    { tools: [LOOK_UP] },
  );
}

describe('fallback to another provider', () => {
  const haiku = { provider: 'anthropic', name: 'claude-haiku-5-5' };
  const thinking = { type: 'thinking', thinking: 'Hm.', signature: 's1' };
  const body = {
    model: 'auto:easy',
    max_tokens: 16_384,
    tools: [{ name: 'look_up', input_schema: LOOK_UP.parameters }],
    messages: [
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        content: [thinking, { type: 'tool_use', id: 'c1', name: 'look_up', input: { key: 'a' } }],
      },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'c1', content: 'r' }] },
    ],
  };

  test.each([
    ['auth', 401],
    ['quota', 402],
    ['egress_blocked', 403],
    ['rate_limited', 429],
    ['server_error', 500],
    ['overloaded', 529],
    ['unreachable', 0],
  ] as const)(
    'traps T15, T16: %s (%i) in a tool loop: it goes on without what was thought, which is told',
    async (kind, status) => {
      const read = stepOf(body, BOTH, {}, ANTHROPIC_MESSAGES);
      const request = { ...read, conversation: thoughtBy(haiku, read.conversation) };
      const { ports, calls } = portsOf(fails(kind, status), answers());
      const { metadata } = answerOf(await runStep(request, BOTH, ports));
      const [before, after] = calls;
      expect(before?.body.includes('"signature":"s1"')).toBe(before?.model.id === haiku.name);
      expect(after?.body).not.toContain('"signature"');
      expect(metadata.escalations).toMatchObject([{ why: kind, status }]);
      expect(metadata.adapted).toContainEqual({ field: 'messages.thinking', action: 'dropped' });
      if (kind === 'auth' || kind === 'quota' || kind === 'egress_blocked')
        expect(after?.provider.id).not.toBe(before?.provider.id);
    },
  );

  test('every model of both providers is there to be tried', async () => {
    const failing = Array.from({ length: 6 }, () => fails('server_error', 500));
    const { ports, calls } = portsOf(...failing);
    await expect(runStep(stepOf(question, BOTH), BOTH, ports)).rejects.toMatchObject({ status: 500 });
    expect(new Set(calls.map((call) => call.model.id)).size).toBe(6);
  });
});

describe('traps T18: encrypted reasoning', () => {
  const raw = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'sealed' };
  const gpt = settingsOf({
    FLUX_TIERS: '{"easy":["gpt-6-luna"],"medium":["gpt-6.1-terra"],"hard":["gpt-6.2-sol"]}',
  });
  const refused = fails('rejected', 400, { code: 'invalid_encrypted_content' });
  const stepWith = (block: ThinkingBlock) =>
    stepOf(question, gpt, { wire: 'anthropic-messages', conversation: loopWith(block) });

  test("that turns out to be another account's is left out once, on the same model", async () => {
    const { ports, calls, rows } = portsOf(refused, answers());
    const step = stepWith(thought({ wire: 'openai-responses', raw }));
    const { metadata } = answerOf(await runStep(step, gpt, ports));
    expect(calls.map(({ body }) => body.includes('sealed'))).toEqual([true, false]);
    expect(calls[1]?.model.id).toBe(calls[0]?.model.id);
    expect(metadata.escalations).toEqual([]);
    expect(metadata.adapted).toContainEqual({ field: 'messages.thinking', action: 'dropped' });
    expect(rows).toMatchObject([{ attempts: [{ status: 400 }, { status: 200 }] }]);
  });

  test('is tried once and no more', async () => {
    const { ports, calls } = portsOf(refused, refused);
    await expect(
      runStep(stepWith(thought({ wire: 'openai-responses', raw })), gpt, ports),
    ).rejects.toMatchObject({ status: 400 });
    expect(calls).toHaveLength(2);
  });
});

describe('what a model has no word for', () => {
  const claude = settingsOf();

  test('a custom tool is called with free text, whichever model calls it', async () => {
    const patch = { type: 'custom', custom: { name: 'patch' } };
    const wrapped = {
      type: 'tool_call' as const,
      id: 'c1',
      name: 'patch',
      arguments: '{"input": "*** Begin\\nPatch"}',
    };
    const { ports, calls } = portsOf(answers({ blocks: [wrapped], stop: 'tool_calls' }));
    const { answer, metadata } = answerOf(
      await runStep(stepOf({ ...question, tools: [patch] }, claude), claude, ports),
    );
    expect(JSON.parse(calls[0]?.body ?? '').tools[0]).toMatchObject({
      name: 'patch',
      input_schema: { required: ['input'] },
    });
    expect(answer.blocks).toEqual([{ ...wrapped, arguments: '*** Begin\nPatch', custom: true }]);
    expect(metadata.adapted).toContainEqual({ field: 'tools.custom', action: 'translated' });
  });

  test('traps T8: a grammar that no candidate can hold a call to is a 400 that names the field', async () => {
    const format = { type: 'grammar', grammar: { syntax: 'lark', definition: 'start: "x"' } };
    const tools = [{ type: 'custom', custom: { name: 'patch', format } }];
    await expect(
      runStep(stepOf({ ...question, tools }, claude), claude, portsOf().ports),
    ).rejects.toMatchObject({ status: 400, param: 'tools' });
  });

  test("a schema Claude can't compile is answered through a tool, and checked", async () => {
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, next: { $ref: '#' } },
      required: ['name'],
      additionalProperties: false,
    };
    const body = {
      ...question,
      response_format: { type: 'json_schema', json_schema: { name: 'node', schema } },
    };
    const given = (json: string) =>
      answers({
        blocks: [{ type: 'tool_call', id: 'c1', name: 'final_answer', arguments: json }],
        stop: 'tool_calls',
      });
    const { ports, calls } = portsOf(
      given('{"next": {}}'),
      answers({ blocks: [{ type: 'text', text: '{"name":"b"}' }] }),
    );
    const { answer, metadata } = answerOf(await runStep(stepOf(body, claude), claude, ports));
    expect(JSON.parse(calls[0]?.body ?? '').tool_choice).toMatchObject({
      type: 'tool',
      name: 'final_answer',
    });
    expect(metadata.escalations).toMatchObject([{ why: 'invalid_answer' }]);
    expect(answer.blocks).toEqual([{ type: 'text', text: '{"name":"b"}' }]);

    const right = portsOf(given('{"name": "a"}'));
    const first = answerOf(await runStep(stepOf(body, claude), claude, right.ports));
    expect(first.answer).toMatchObject({ blocks: [{ type: 'text', text: '{"name": "a"}' }], stop: 'stop' });
    expect(first.raw).toBeNull();
  });

  test("a server without JSON-schema output is asked through a tool, in the client's own body", async () => {
    const local = settingsOf({
      FLUX_PROVIDERS: JSON.stringify([
        {
          id: 'local',
          kind: 'openai',
          base_url: 'http://127.0.0.1:1/v1',
          prices: { tiny: { input: 0, output: 0 } },
          capabilities: { jsonSchema: false },
        },
      ]),
      FLUX_TIERS: '{"easy":["local/tiny"],"medium":["local/tiny"],"hard":["local/tiny"]}',
    });
    const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
    const body = {
      ...question,
      brand_new: 1,
      tools: [{ type: 'function', function: { name: 'ping', parameters: { type: 'object' } } }],
      response_format: { type: 'json_schema', json_schema: { name: 'node', schema } },
    };
    const given = { type: 'tool_call' as const, id: 'c1', name: 'final_answer', arguments: '{"name":"a"}' };
    const { ports, calls } = portsOf(answers({ blocks: [given], stop: 'tool_calls' }));
    const { answer, raw } = answerOf(await runStep(stepOf(body, local), local, ports));
    const sent = JSON.parse(calls[0]?.body ?? '');
    expect(sent).toMatchObject({ brand_new: 1, tool_choice: 'required', parallel_tool_calls: false });
    expect(sent.response_format).toBeUndefined();
    expect(sent.tools.map((tool: { function: { name: string } }) => tool.function.name)).toEqual([
      'ping',
      'final_answer',
    ]);
    expect(answer).toMatchObject({ blocks: [{ type: 'text', text: '{"name":"a"}' }], stop: 'stop' });
    // The provider's own bytes would show the tool.
    expect(raw).toBeNull();
  });

  test('in a stream too, whose first frames still tell that there is an answer', async () => {
    const events: AnswerEvent[] = [
      { type: 'start', id: 'a', model: 'm' },
      { type: 'tool_call', index: 0, id: 'c1', name: 'final_answer' },
      { type: 'tool_arguments', index: 0, delta: '{"name"' },
      { type: 'tool_arguments', index: 0, delta: ': "a"}' },
      { type: 'stop', reason: 'tool_calls' },
      { type: 'end' },
    ];
    async function* frames(): AsyncGenerator<AnswerFrame[]> {
      for (const event of events) yield [{ raw: '', events: [event] }];
    }
    const outcome = unwrapOutcome(
      {
        kind: 'stream',
        stream: { head: events.slice(0, 2), frames: frames(), whole: false, abort() {} },
        failures: [],
        simulated: false,
        ms: 1,
      },
      { custom: new Set(), answer: 'final_answer' },
    );
    if (outcome.kind !== 'stream') throw new Error('no stream');
    expect(outcome.stream.head.some(({ type }) => type === 'tool_call')).toBe(true);
    const shown: AnswerEvent[] = [];
    for await (const batch of outcome.stream.frames) shown.push(...batch.flatMap((frame) => frame.events));
    expect(shown.slice(1)).toEqual([
      { type: 'text', text: '{"name"' },
      { type: 'text', text: ': "a"}' },
      { type: 'stop', reason: 'stop' },
      { type: 'end' },
    ]);
  });
});

test('traps T16: what a model thought carries its name from there on', async () => {
  const { ports } = portsOf(
    answers({
      blocks: [
        { type: 'thinking', wire: 'anthropic-messages', raw: { type: 'thinking' } },
        { type: 'text', text: 'Paris.' },
      ],
    }),
  );
  const settings = settingsOf();
  const { answer } = answerOf(await runStep(stepOf(question, settings), settings, ports));
  expect(answer.blocks[0]).toMatchObject({
    producer: { provider: 'anthropic', name: 'claude-haiku-5-5' },
  });
});
