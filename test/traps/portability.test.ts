import { describe, expect, test } from 'vitest';
import type { AssistantBlock, Conversation } from '../../src/core/conversation.ts';
import * as anthropicAnswer from '../../src/core/dialects/anthropic-messages/answer.ts';
import * as anthropic from '../../src/core/dialects/anthropic-messages/request.ts';
import * as chat from '../../src/core/dialects/openai-chat/request.ts';
import * as responsesAnswer from '../../src/core/dialects/openai-responses/answer.ts';
import * as responses from '../../src/core/dialects/openai-responses/request.ts';
import type { CatalogModel } from '../../src/core/routing/catalog.ts';
import { replyTo } from '../../src/local/simulated/reply.ts';
import { prepare } from '../../src/pipeline/prepare.ts';
import { conversationOf, LOOK_UP, model, results, say } from '../core/dialects/conversations.ts';
import { accepted } from '../core/dialects/simulators.ts';

const WRITE = {
  'anthropic-messages': anthropic.writeRequest,
  'openai-responses': responses.writeRequest,
  'openai-chat': chat.writeRequest,
};
const READ = {
  'anthropic-messages': anthropicAnswer.readAnswer,
  'openai-responses': responsesAnswer.readAnswer,
};
const CLAUDE = [
  'claude-haiku-5-5',
  'claude-sonnet-5-5',
  'claude-opus-5-5',
  'claude-opus-4-8',
  'claude-haiku-4-5',
];
const GPT = ['gpt-6-luna', 'gpt-6.2-sol', 'gpt-5.4'];
const ALL = [
  ...CLAUDE.map((id) => model('anthropic', id)),
  ...[...GPT, 'gpt-5', 'gpt-4o'].map((id) => model('openai', id)),
];
const THINKERS = ALL.filter(({ id }) => CLAUDE.includes(id) || GPT.includes(id));

function send(conversation: Conversation, target: CatalogModel, provider: string) {
  const options = { defaultMaxTokens: 16_384, to: { provider, name: target.id } };
  const prepared = prepare(conversation, target, options);
  const text = WRITE[target.wire](prepared.conversation, target, { stream: false, modelId: target.id });
  return { text, adapted: prepared.adapted };
}

/** A step of the model's own, with thinking and two calls, as who keeps it would have it. */
function thoughtBy(target: CatalogModel, provider: string): AssistantBlock[] {
  if (target.wire === 'openai-chat') throw new Error('Chat shows no thinking');
  const asked = conversationOf([say('user', 'Hi')], { tools: [LOOK_UP], reasoning: mode(target) });
  const body = JSON.parse(send(asked, target, provider).text);
  // Only clients of this wire can carry it, and they ask for it.
  if (target.wire === 'openai-responses') body.include = ['reasoning.encrypted_content'];
  const exchange = accepted(target, JSON.stringify(body));
  const call = { name: 'look_up', arguments: '{"key":"a"}' };
  const reply = replyTo(exchange.ask, {
    text: 'Let me look.',
    calls: [
      { ...call, id: 'call_1' },
      { ...call, id: 'call_2' },
    ],
    thinking: 20,
  });
  const { blocks } = READ[target.wire](exchange.answer(reply, null).body);
  return blocks.map((block) =>
    block.type === 'thinking' ? { ...block, producer: { provider, name: target.id } } : block,
  );
}

function mode(target: CatalogModel): Conversation['reasoning'] {
  return target.id === 'claude-haiku-4-5' ? { mode: 'enabled', budgetTokens: 2_000 } : { effort: 'high' };
}

const marks = (text: string): boolean => /"signature"|"encrypted_content"/.test(text);

describe('traps T15–T18: a tool loop may go on at any model, and none is sent what another thought', () => {
  test.each(THINKERS)('begun by $id', (maker) => {
    const blocks = thoughtBy(maker, 'first');
    expect(blocks.filter(({ type }) => type === 'thinking')).toHaveLength(1);
    const given = conversationOf(
      [say('user', 'Hi'), { role: 'assistant', content: blocks }, results(['call_1', 'a'], ['call_2', 'b'])],
      { tools: [LOOK_UP], reasoning: mode(maker) },
    );
    for (const target of ALL) {
      for (const provider of ['first', 'second']) {
        const { text, adapted } = send(given, target, provider);
        const sameWire = target.wire === maker.wire && provider === 'first';
        const keeps = sameWire && (target.id === maker.id || maker.wire === 'openai-responses');
        expect([target.id, provider, marks(text)]).toEqual([target.id, provider, keeps]);
        expect(adapted.some(({ field }) => field === 'messages.thinking')).toBe(!keeps);
        accepted(target, text);
      }
    }
  });
});

test('traps T17: thinking leads its turn, in its order, redacted and signature-only blocks too', () => {
  const raw = [
    { type: 'thinking', thinking: '', signature: 'one' },
    { type: 'redacted_thinking', data: 'two' },
    { type: 'thinking', thinking: 'Hm.', signature: 'three' },
  ];
  const thought = raw.map((one) => ({
    type: 'thinking' as const,
    wire: 'anthropic-messages' as const,
    raw: one,
  }));
  const call = { type: 'tool_call' as const, id: 'c1', name: 'look_up', arguments: '{}' };
  const text = { type: 'text' as const, text: 'Let me look.' };
  const orders: AssistantBlock[][] = [
    [...thought, text, call],
    [text, ...thought, call],
  ];
  for (const content of orders) {
    const given = conversationOf([say('user', 'Hi'), { role: 'assistant', content }, results(['c1', 'r'])], {
      tools: [LOOK_UP],
    });
    const body = JSON.parse(send(given, model('anthropic', 'claude-opus-5-5'), 'any').text);
    expect(body.messages[1].content.slice(0, 3)).toEqual(raw);
    expect(body.messages[1].content.slice(3).map(({ type }: { type: string }) => type)).toEqual([
      'text',
      'tool_use',
    ]);
  }
});

test('traps T17: thinking that nothing followed goes back nowhere', () => {
  const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' };
  const cut = conversationOf([
    say('user', 'Hi'),
    { role: 'assistant', content: [{ type: 'thinking', wire: 'openai-responses', raw: reasoning }] },
    say('user', 'Go on.'),
  ]);
  const { text, adapted } = send(cut, model('openai', 'gpt-6-luna'), 'any');
  expect(text).not.toContain('reasoning');
  expect(adapted).toEqual([{ field: 'messages.thinking', action: 'dropped' }]);
});
